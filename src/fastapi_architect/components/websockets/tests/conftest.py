"""Real servers with websockets, and clients for them."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fastapi_architect.components.database import Database, DatabaseSettings
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Environment, installed
from fastapi_architect.components.testing.serving import serving
from fastapi_architect.components.websockets import WebSockets, WebSocketSettings, topic_of
from fastapi_architect.components.websockets.tests.example import Directory, create_app, id_of

HERE = "https://app.example.com"
ALSO_HERE = "https://admin.example.com"


def eventually(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Socket:
    """One open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def hear(self, seconds: float = 5) -> dict[str, Any]:
        """Return the next message that is no heartbeat."""
        while True:
            message: dict[str, Any] = json.loads(self.connection.recv(seconds))
            if message["type"] != "ping":
                return message

    def closing_code(self, seconds: float = 5) -> int | None:
        """Read to the end, and return why it was closed; None if it was not."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self.connection.recv(max(0.0, deadline - time.monotonic()))
                if time.monotonic() > deadline:
                    return None
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code
        except TimeoutError:
            return None


class Server:
    """One process of the service, as far as sockets are concerned."""

    def __init__(self, url: str, app: FastAPI, stop: Callable[[], None]) -> None:
        self.url = url
        self.stop = stop
        self.app = app
        self.sockets = installed(app, WebSockets)
        self.database = installed(app, Database)
        self.http = httpx2.Client(base_url=url, timeout=10)

    def buy(self, name: str = "alice", origin: str | None = HERE) -> httpx2.Response:
        headers = {"X-Name": name} | ({"Origin": origin} if origin else {})
        return self.http.post("/api/v1/websockets/tickets", headers=headers)

    def ticket(self, name: str = "alice", origin: str | None = HERE) -> str:
        answer = self.buy(name, origin)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["ticket"])

    def connect(
        self, ticket: str, origin: str | None = HERE, path: str = "/api/v1/websockets?", **options: Any
    ) -> ClientConnection:
        url = f"{self.url.replace('http', 'ws')}{path}ticket={ticket}"
        return connect(url, origin=origin, proxy=None, **options)  # type: ignore[arg-type]  # an Origin is a str

    @contextmanager
    def socket(self, name: str = "alice", **options: Any) -> Iterator[Socket]:
        with self.connect(self.ticket(name), **options) as connection:
            yield Socket(connection)

    def publish(self, topic: str, data: Any) -> None:
        answer = self.http.post("/events", json={"topic": topic, "data": data}, headers={"X-Name": "bob"})
        assert answer.status_code == 204, answer.text


def own_topic(name: str = "alice") -> str:
    return topic_of(id_of(name))


StartServer = Callable[..., Server]


@pytest.fixture
def directory() -> Directory:
    return Directory()


@pytest.fixture
def start(database_url: str, redis_url: str, directory: Directory) -> Iterator[StartServer]:
    """Start a server; several share the database and Redis, as processes do."""
    with ExitStack() as servers:

        def start(redis: str = redis_url, **changes: Any) -> Server:
            local = Environment.LOCAL
            values: dict[str, Any] = {"environment": local, "allowed_origins": (HERE, ALSO_HERE)}
            app = create_app(
                Database(DatabaseSettings(url=SecretStr(database_url), environment=local)),
                RedisPool(RedisSettings(url=SecretStr(redis), environment=local)),
                WebSocketSettings(**(values | changes)),
                directory,
            )
            own = servers.enter_context(ExitStack())
            server = Server(own.enter_context(serving(app)), app, own.close)
            servers.callback(server.http.close)
            assert eventually(server.sockets.fan_out.listening.is_set)
            return server

        yield start
