import logging
import traceback

import sentry_sdk
import structlog
from loguru import logger as loguru_logger

logger = logging.getLogger(__name__)
log = structlog.get_logger()


class Base:
    def __init__(self):
        self.logger = logging.getLogger("x")

    def run(self):
        self.logger.info("running %s", 1)  # $ LogRecord level=info args=1


def report(error, password: str):
    logger.debug("x")  # $ LogRecord level=debug
    logger.error(f"failed {error}", exc_info=True)  # $ LogRecord level=error exc_info with_traceback
    logger.exception("failed")  # $ LogRecord level=exception with_traceback
    logger.log(logging.INFO, "x", password)  # $ LogRecord level=log args=password
    logging.warning("x")  # $ LogRecord level=warning
    log.info("event", user=1)  # $ LogRecord level=info structured
    log.bind(user=2)  # $ LogRecord level=bind structured
    loguru_logger.success("done")  # $ LogRecord level=info structured
    loguru_logger.bind(a=1).error("x")  # $ LogRecord level=bind structured; LogRecord level=error structured
    print(password)  # $ LogRecord level=print message=password
    traceback.format_exc()  # : str  # $ TracebackText
    sentry_sdk.capture_exception(error)  # $ ErrorReport error=error


def untyped(my_logger):
    my_logger.warning("x")  # $ LogRecord sure=False level=warning
