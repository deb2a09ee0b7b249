"""Puts the logs of an application in order."""

from fastapi import FastAPI

from ..service import Component, RouteTemplates
from .access_log import AccessLogMiddleware
from .configuration import LoggingSettings, configure_logging


class StructuredLogging(Component):
    """Configures the loggers of the process when it is installed, and notes each request."""

    def __init__(self, settings: LoggingSettings) -> None:
        self.settings = settings

    def install(self, app: FastAPI) -> None:
        """Configure the loggers now, so that the server's first records are in order too."""
        self.set_up_logging()
        if self.settings.access:
            app.add_middleware(AccessLogMiddleware, settings=self.settings, templates=RouteTemplates(app))

    def set_up_logging(self) -> None:
        """Configure the loggers of this process; a worker, which has no application, calls this."""
        configure_logging(self.settings)
