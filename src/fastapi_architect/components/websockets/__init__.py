"""Websockets: opened with a ticket, bounded in everything, and heard from every process."""

from . import closing, messages
from .announcing import announce
from .attendance import Feed
from .closing import Closing
from .component import WebSockets
from .connection import Connection
from .dependencies import AdmissionDep, WebSocketsDep, get_admission, get_websockets
from .policy import Handler, MayListen, topic_of
from .settings import WebSocketSettings
from .tickets import Admission, TicketOffice

__all__ = [
    "Admission",
    "AdmissionDep",
    "Closing",
    "Connection",
    "Feed",
    "Handler",
    "MayListen",
    "TicketOffice",
    "WebSocketSettings",
    "WebSockets",
    "WebSocketsDep",
    "announce",
    "closing",
    "get_admission",
    "get_websockets",
    "messages",
    "topic_of",
]
