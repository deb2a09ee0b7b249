"""Logging: every record carries the id of the request that caused it."""

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdFilter(logging.Filter):
    """Adds the current request id to a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record and add `request_id` to it."""
        record.request_id = request_id.get()
        return True


def configure_logging() -> None:
    """Send the logs of the application to standard error, one line a record."""
    handler = logging.StreamHandler()
    handler.addFilter(RequestIdFilter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"))
    logger = logging.getLogger("app")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
