"""One JSON object a line from every logger of the process, each with its request and its caller, none with a secret."""

from .access_log import AccessLogMiddleware
from .component import StructuredLogging
from .configuration import LoggingSettings, configure_logging
from .redaction import Redaction

__all__ = ["AccessLogMiddleware", "LoggingSettings", "Redaction", "StructuredLogging", "configure_logging"]
