"""One JSON object a line, each with the identifier of its request, none with a secret."""

import json
import logging
import logging.config
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from app.settings import Settings

_request_id: ContextVar[str] = ContextVar("request_id", default="-")

REDACTED_WORDS = ("password", "token", "secret", "authorization", "cookie", "signature", "ticket", "key")
STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def current_request_id() -> str:
    """Return the identifier of the request being served, or "-" outside of one."""
    return _request_id.get()


def bind_request_id(request_id: str) -> None:
    """Give the present context its request identifier; every context of a request is its own."""
    _request_id.set(request_id)


def redact(name: str, value: object) -> object:
    """Return the value, or a mask where the name says that it is a secret."""
    return "***" if any(word in name.lower() for word in REDACTED_WORDS) else value


class JsonFormatter(logging.Formatter):
    """Formats a record, its `extra` fields and its traceback as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; JSON escapes line breaks, so that no value can forge a second record."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id(),
        }
        for name, value in vars(record).items():
            if name not in STANDARD_ATTRIBUTES:
                line[name] = redact(name, value)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure_logging(settings: Settings) -> None:
    """Send all records of the process, as JSON, to standard error."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            # httpx logs each URL, and that of the search for breached passwords holds digits of a hash.
            "loggers": {"httpx": {"level": "WARNING"}},
            "root": {"level": settings.log_level, "handlers": ["stderr"]},
        }
    )
