"""What the routes of browser sessions work with."""

from fastapi.requests import HTTPConnection

from ..redis_pool import RedisPool
from ..service import Component, installed
from .settings import BrowserSessionSettings
from .store import BrowserSessionStore


class BrowserSessionEquipment(Component):
    """The part of the component that its routes ask for."""

    def __init__(self, settings: BrowserSessionSettings) -> None:
        self.settings = settings

    def store(self, connection: HTTPConnection) -> BrowserSessionStore:
        """Return where sessions lie."""
        return BrowserSessionStore(installed(connection.app, RedisPool), self.settings.idle_minutes * 60)

    def secret(self, connection: HTTPConnection) -> str | None:
        """Return what the cookie of a request holds."""
        return connection.cookies.get(self.settings.cookie)
