"""Sends every record of the process through one handler, whoever wrote it: our code, a library, the server."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import structlog
from pydantic import BeforeValidator, Field
from pydantic_settings import SettingsConfigDict
from structlog.typing import EventDict, Processor, WrappedLogger

from ..service import CommaSeparated, ComponentSettings, current_request_id, principal_in_context
from .redaction import Redaction

#: Servers bring handlers of their own, which write another format.
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "gunicorn", "gunicorn.error", "hypercorn.error")
#: They would note each request again, with the query and all that is secret in it.
SERVER_ACCESS_LOGGERS = ("uvicorn.access", "gunicorn.access", "hypercorn.access")
#: HTTP clients log each address that they ask, at INFO and with the query.
TALKATIVE = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "asyncio")


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class LoggingSettings(ComponentSettings):
    """LOG_*: how much is written, and how."""

    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)] = "INFO"
    #: `console` is for a developer's eyes.
    format: Literal["json", "console"] = "json"
    #: Words that make a field's name a secret's, besides the usual ones.
    redact: CommaSeparated = ()
    #: Whether each request is noted; a probe that succeeds never is.
    access: bool = True
    #: Paths whose successful requests are not noted, compared whole.
    quiet_paths: CommaSeparated = ("/health/live", "/health/ready", "/metrics")
    #: Seconds after which a request is noted as a warning.
    slow: Annotated[float, Field(gt=0)] = 5.0


class _Handler(logging.StreamHandler[Any]):
    """Ours, so that a second configuration can tell it from others."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        """Write to what standard output is now: tests and supervisors exchange it."""
        self.stream = sys.stdout
        super().emit(record)


def configure_logging(settings: LoggingSettings) -> None:
    """Configure the loggers of the process: of the API here, of a worker when it starts.

    Handlers that others gave the root logger stay, except plain streams, which would print everything twice.
    """
    redaction = Redaction(settings.redact)
    handler = _Handler()
    handler.setFormatter(_formatter(settings, redaction))
    root = logging.getLogger()
    for other in root.handlers[:]:
        if isinstance(other, _Handler) or type(other) is logging.StreamHandler:
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(settings.level)
    _take_over_servers()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _take_over_servers() -> None:
    for name in SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # LOG_LEVEL decides, not what the server was started with.
        logger.setLevel(logging.NOTSET)
    for name in SERVER_ACCESS_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False


def _shared() -> list[Processor]:
    """What happens to every record, from structlog or from the standard library."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        # From here on, so that no field of a record can pretend to be one of these.
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _add_caller,
    ]


def _formatter(settings: LoggingSettings, redaction: Redaction) -> logging.Formatter:
    ending: Sequence[Processor]
    if settings.format == "json":
        ending = [structlog.processors.format_exc_info, _Arrange(redaction), _to_json]
    else:
        ending = [
            structlog.processors.format_exc_info,
            _Arrange(redaction),
            # Into a file or a pipe colours are noise.
            structlog.dev.ConsoleRenderer(
                colors=sys.stdout.isatty(), event_key="message", timestamp_key="at"
            ),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
    )


def _add_caller(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Say in which request this happens, and for whom."""
    event["request_id"] = current_request_id()
    principal = principal_in_context()
    if principal is not None:
        event["principal"] = str(principal.id)
        if principal.tenant_id is not None:
            event["tenant"] = str(principal.tenant_id)
    return event


class _Arrange:
    """Puts the fixed fields first, and takes the secrets out of all others."""

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Return the fields as they are written."""
        message = event.pop("event", "")
        line: dict[str, Any] = {
            "at": event.pop("at", None),
            "level": event.pop("level", None),
            "logger": event.pop("logger", None),
            "message": self.redaction.value(message),
            "request_id": event.pop("request_id", "-"),
        }
        for name, value in event.items():
            # Copies of the message that a server makes for terminals, and other handlers for themselves.
            if name in ("color_message", "asctime") or (name == "message" and value == message):
                continue
            line["field_message" if name == "message" else name] = self.redaction.field(name, value)
        return line


def _to_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """Return one line of ASCII: a line break, an escape sequence or a direction mark in a value stays an escape."""
    return json.dumps(event, default=str)
