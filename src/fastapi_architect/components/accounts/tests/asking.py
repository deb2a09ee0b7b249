"""What clients of the example do, and what tests look at."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient, Response
from sqlalchemy import create_engine, event, text

from fastapi_architect.components.accounts.tests.example import PASSWORD, Service
from fastapi_architect.components.database import Database

AUTH = "/api/v1/auth"
ME = "/api/v1/me"
ACCOUNTS = "/api/v1/accounts"
EMAIL = "ada@example.com"


def log_in(client: TestClient, email: str = EMAIL, password: str = PASSWORD) -> dict[str, Any]:
    """Sign in, and return the tokens."""
    answer = client.post(f"{AUTH}/login", json={"email": email, "password": password})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """Return the header of somebody who is signed in."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def refresh(client: TestClient, tokens: dict[str, Any]) -> Any:
    """Exchange the refresh token."""
    return client.post(f"{AUTH}/refresh", json={"refresh_token": tokens["refresh_token"]})


def signed_in(service: Service, client: TestClient, email: str = EMAIL) -> dict[str, str]:
    """Register and sign in, and return the header."""
    service.register(client, email)
    return bearer(log_in(client, email))


def run(database_url: str, statement: str) -> Sequence[Any]:
    """Run a statement beside the service."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = result.all() if result.returns_rows else []
    engine.dispose()
    return rows


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    """Yield a list that fills with the statements that the service sends, without their values."""
    seen: list[str] = []

    def note(*arguments: Any) -> None:
        seen.append(arguments[2])

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def at_once(service: Service, path: str, bodies: Sequence[dict[str, Any]]) -> list[Response]:
    """Post all the bodies at the same moment, on one event loop."""
    transport = ASGITransport(app=service.app)
    async with (
        service.app.router.lifespan_context(service.app),
        AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        return list(await asyncio.gather(*(client.post(path, json=body) for body in bodies)))
