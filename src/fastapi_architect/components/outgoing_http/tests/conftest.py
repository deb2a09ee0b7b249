"""Callers with a resolver of their own, and the hosts that they call."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from fastapi_architect.components.outgoing_http import GuardedClient, OutgoingHttp, OutgoingHttpSettings
from fastapi_architect.components.outgoing_http.tests.hosts import Partner, serving
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.servers import ADDRESS


class Names:
    """A resolver whose answers the test chooses: each name has a list of answers, of which the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[list[str]]] = {"partner.example": [[ADDRESS]]}
        self.asked: list[str] = []

    def ask(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.answers:
            return [host]
        answers = self.answers[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def ask_later(self, host: str, port: int) -> Sequence[str]:
        return self.ask(host, port)


def settings_for(url: str, **changes: Any) -> OutgoingHttpSettings:
    """Settings that let this host be called, and are quick to give up."""
    port = urlsplit(url).port or 443
    values: dict[str, Any] = {
        "environment": Environment.PRODUCTION,
        "ports": frozenset({port}),
        "allow_plain_http": True,
        "allowed_networks": ("127.0.0.1/32",),
        "connect_timeout": 1.0,
        "read_timeout": 1.0,
        "total_timeout": 5.0,
        "max_answer_bytes": 100_000,
    }
    return OutgoingHttpSettings(**(values | changes))


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def partner() -> Iterator[Partner]:
    with serving(Partner()) as running:
        yield running


@pytest.fixture
async def outgoing(partner: Partner, names: Names) -> AsyncIterator[OutgoingHttp]:
    async with calling(OutgoingHttp(settings_for(partner.base), resolver=names.ask_later)) as running:
        yield running


@pytest.fixture
def client(partner: Partner, names: Names) -> Iterator[GuardedClient]:
    with GuardedClient(settings_for(partner.base), resolver=names.ask) as running:
        yield running


@asynccontextmanager
async def calling(outgoing: OutgoingHttp) -> AsyncIterator[OutgoingHttp]:
    """Close it at the end, as a service does."""
    try:
        yield outgoing
    finally:
        await outgoing.transport.aclose()
