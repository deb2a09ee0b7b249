"""Calls to other hosts: guarded against addresses inside, in bounded time, repeated and stopped with care."""

from .addresses import AddressGuard, public_address_only, public_address_or
from .circuit_breaker import CircuitBreakers
from .component import OutgoingHttp
from .dependencies import OutgoingHttpDep, get_outgoing_http
from .errors import (
    AddressRefused,
    AnswerRefused,
    AnswerTooLate,
    CircuitOpen,
    HostUnreachable,
    TooManyCalls,
    UrlRefused,
)
from .guarded_client import GuardedClient
from .settings import OutgoingHttpSettings
from .transports import GuardedTransport, SyncGuardedTransport
from .urls import UrlRules

__all__ = [
    "AddressGuard",
    "AddressRefused",
    "AnswerRefused",
    "AnswerTooLate",
    "CircuitBreakers",
    "CircuitOpen",
    "GuardedClient",
    "GuardedTransport",
    "HostUnreachable",
    "OutgoingHttp",
    "OutgoingHttpDep",
    "OutgoingHttpSettings",
    "SyncGuardedTransport",
    "TooManyCalls",
    "UrlRefused",
    "UrlRules",
    "get_outgoing_http",
    "public_address_only",
    "public_address_or",
]
