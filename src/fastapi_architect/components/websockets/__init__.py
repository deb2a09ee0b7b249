"""Websockets: opened with a ticket, bounded in everything, and heard from every process."""

from .announcing import announce
from .closing import Closing
from .component import WebSockets
from .dependencies import AdmissionDep, WebSocketsDep, get_admission, get_websockets
from .policy import Handler, MayListen, topic_of
from .settings import WebSocketSettings
from .tickets import Admission, TicketOffice

__all__ = [
    "Admission",
    "AdmissionDep",
    "Closing",
    "Handler",
    "MayListen",
    "TicketOffice",
    "WebSocketSettings",
    "WebSockets",
    "WebSocketsDep",
    "announce",
    "get_admission",
    "get_websockets",
    "topic_of",
]
