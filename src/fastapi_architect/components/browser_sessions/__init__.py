"""Signing in with a cookie: the session lies in Redis, scripts cannot read it, and other sites cannot use it."""

from .component import BrowserSessions
from .settings import BrowserSessionSettings
from .store import BrowserSession, BrowserSessionStore

__all__ = ["BrowserSession", "BrowserSessionSettings", "BrowserSessionStore", "BrowserSessions"]
