"""A service with webhooks, and a server that receives them."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import update

from fastapi_architect.components.database import Database
from fastapi_architect.components.outbox import Outbox, OutboxEvent, OutboxSettings, Outcome, Runtime
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.databases import run_operations
from fastapi_architect.components.webhooks import Webhooks, WebhookSettings, protect_webhooks
from fastapi_architect.components.webhooks.tests.example import Diary, create_app, member_of_named

KEY = SecretStr("k" * 40)


@dataclass
class Received:
    """One call that the receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Answering:
    """How the receiver answers."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    #: Seconds between two bytes of the body.
    drip: float = 0.0


class Receiver(ThreadingHTTPServer):
    """A server of a stranger."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.answering = Answering()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(
            Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        )
        answer = self.server.answering
        time.sleep(answer.delay)
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            for byte in answer.body if answer.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(answer.drip)
            if not answer.drip:
                self.wfile.write(answer.body)
        except ConnectionError:
            # The service had enough.
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Service:
    """The example service, as its users and its worker see it."""

    def __init__(
        self, database: Database, receiver: Receiver, asks: dict[str, Any] | None = None, **settings: Any
    ) -> None:
        defaults: dict[str, Any] = {
            "signing_key": KEY,
            "ports": frozenset({receiver.port, 443}),
            "allow_plain_http": True,
            "allowed_networks": (ip_network("127.0.0.0/8"),),
            "timeout": 2.0,
        }
        self.database = database
        self.receiver = receiver
        made = WebhookSettings(environment=Environment.LOCAL, **(defaults | settings))
        self.webhooks = Webhooks(made, **(asks or {}))
        self.diary = Diary()
        self.outbox = Outbox(OutboxSettings(environment=Environment.LOCAL))
        self.runtime: Runtime = self.outbox.runtime([database, self.outbox, self.webhooks])
        self.client = TestClient(create_app(database, self.outbox, self.webhooks, self.diary))

    def call(self, method: str, path: str, who: str = "ann", **more: Any) -> Any:
        return self.client.request(method, path, headers={"X-Name": who}, **more)

    def create(self, who: str = "ann", **wanted: Any) -> dict[str, Any]:
        answer = self.call(
            "POST", "/api/v1/webhook-endpoints", who, json={"url": self.receiver.url()} | wanted
        )
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def endpoint(self, endpoint_id: str, who: str = "ann") -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"/api/v1/webhook-endpoints/{endpoint_id}", who).json()
        return found

    def deliveries(self, endpoint_id: str, who: str = "ann") -> list[dict[str, Any]]:
        path = f"/api/v1/webhook-endpoints/{endpoint_id}/deliveries"
        found: list[dict[str, Any]] = self.call("GET", path, who).json()["items"]
        return found

    def delivery(self, endpoint_id: str) -> dict[str, Any]:
        [one] = self.deliveries(endpoint_id)
        path = f"/api/v1/webhook-endpoints/{endpoint_id}/deliveries/{one['id']}"
        found: dict[str, Any] = self.call("GET", path).json()
        return found

    def place_order(self, who: str = "ann") -> str:
        answer = self.call("POST", "/orders", who)
        assert answer.status_code == 201
        return str(UUID(answer.json()))

    def work(self) -> list[Outcome]:
        """Do all that is due now."""
        outcomes = []
        while (outcome := self.runtime.handle_next()) is not None:
            outcomes.append(outcome)
        return outcomes

    def let_time_pass(self, hours: float = 24) -> None:
        by = timedelta(hours=hours)
        with self.database.sync_sessions.begin() as session:
            session.execute(
                update(OutboxEvent).values(
                    held_until=OutboxEvent.held_until - by, publish_at=OutboxEvent.publish_at - by
                )
            )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def service(database: Database, receiver: Receiver) -> Iterator[Service]:
    service = Service(database, receiver)
    with service.client:
        yield service
    service.webhooks.close_in_worker()
    database.sync_engine.dispose()


@pytest.fixture
def walled_service(database: Database, owner_database_url: str, receiver: Receiver) -> Iterator[Service]:
    """The service with organisations, behind the second wall."""
    run_operations(owner_database_url, protect_webhooks)
    asks = {"guard": member_of_named, "owner_setting": "app.tenant_id"}
    service = Service(database, receiver, asks)
    with service.client:
        yield service
    service.webhooks.close_in_worker()
    database.sync_engine.dispose()
