"""Numbers are true, few, and not for the public."""

import urllib.error
import urllib.request

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from starlette.routing import Route

from fastapi_architect.components.metrics import Metrics, MetricsSettings
from fastapi_architect.components.metrics.tests.example import create_app
from fastapi_architect.components.service import Environment, installed, is_public
from fastapi_architect.components.testing.servers import ADDRESS, free_port

TOKEN = "n0t-a-placeholder-Wm4Xq9Lz2Rb7Ty"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}


def settings(token: str | None = TOKEN, port: int | None = None) -> MetricsSettings:
    secret = SecretStr(token) if token else None
    return MetricsSettings(environment=Environment.PRODUCTION, token=secret, port=port)


@pytest.fixture
def app() -> FastAPI:
    return create_app(settings())


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def number(app: FastAPI, name: str, **labels: str) -> float | None:
    return installed(app, Metrics).registry.get_sample_value(name, labels)


def series(app: FastAPI) -> int:
    return sum(len(metric.samples) for metric in installed(app, Metrics).registry.collect())


def test_requests_are_counted_by_the_whole_template(app: FastAPI, client: TestClient) -> None:
    for path in ("/api/v1/books/2/sale", "/api/v1/books/3/sale", "/api/v2/books/2/sale"):
        client.post(path)

    labels = {"method": "POST", "route": "/api/v1/books/{book_id}/sale"}
    assert number(app, "http_requests_total", **labels, status="200") == 2
    assert number(app, "http_request_seconds_count", **labels) == 2
    assert number(app, "http_request_seconds_count", method="POST", route="/api/v2/books/{book_id}/sale") == 1
    assert number(app, "http_requests_in_progress") == 0
    assert number(app, "books_sold_total") == 3


@pytest.mark.parametrize(("book", "status"), [("0", "404"), ("1", "500"), ("x", "422")])
def test_refusals_and_errors_are_counted(app: FastAPI, client: TestClient, book: str, status: str) -> None:
    client.post(f"/api/v1/books/{book}/sale")

    labels = {"method": "POST", "route": "/api/v1/books/{book_id}/sale", "status": status}
    assert number(app, "http_requests_total", **labels) == 1


def test_strangers_cannot_make_new_series(app: FastAPI, client: TestClient) -> None:
    client.get("/nowhere")
    client.request("BREW", "/nowhere")
    client.post("/api/v1/books/5/sale")
    before = series(app)

    for attempt in range(60):
        client.get(f"/nowhere/{attempt}", headers={"Host": f"h{attempt}.example"})
        client.request(f"BREW{attempt}", "/nowhere")
        client.post(f"/api/v1/books/{attempt + 100}/sale?x={attempt}")

    assert series(app) == before
    assert number(app, "http_requests_total", method="GET", route="unmatched", status="404") == 61


def test_websockets_are_counted_while_they_are_open(app: FastAPI, client: TestClient) -> None:
    with client.websocket_connect("/talk") as websocket:
        websocket.send_text("x")
        websocket.receive_text()
        assert number(app, "websockets_open") == 1
    assert number(app, "websockets_open") == 0


@pytest.mark.parametrize(
    "offered", ["", "Bearer", "Bearer ", f"bearer {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer \u00e9"]
)
def test_strangers_see_no_numbers(client: TestClient, offered: str) -> None:
    answer = client.get("/metrics", headers=[(b"authorization", offered.encode())])

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "http_requests" not in answer.text


def test_prometheus_sees_them(client: TestClient) -> None:
    client.post("/api/v1/books/2/sale")
    answer = client.get("/metrics", headers=KNOWN)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert (
        'http_requests_total{method="POST",route="/api/v1/books/{book_id}/sale",status="200"} 1.0'
        in answer.text
    )
    assert "process_resident_memory_bytes" in answer.text


def test_access_control_takes_them_for_open_because_they_have_a_token(app: FastAPI) -> None:
    endpoints = [
        route.endpoint for route in app.routes if isinstance(route, Route) and route.path == "/metrics"
    ]

    assert [is_public(endpoint) for endpoint in endpoints] == [True]


def test_unless_it_is_said_they_are_shown_to_nobody() -> None:
    app = create_app(settings(token=None))

    assert TestClient(app).get("/metrics", headers=KNOWN).status_code == 404
    assert "/metrics" not in app.openapi()["paths"]


def test_a_typed_token_is_refused() -> None:
    with pytest.raises(ValidationError):
        settings(token="metrics")


def test_a_port_of_its_own_is_open_while_the_service_runs() -> None:
    port = free_port()
    app = create_app(settings(token=None, port=port))
    url = f"http://{ADDRESS}:{port}/metrics"

    with TestClient(app) as client:
        client.post("/api/v1/books/2/sale")
        with urllib.request.urlopen(url, timeout=5) as answer:
            text = answer.read().decode()
        assert client.get("/metrics").status_code == 404

    assert "books_sold_total 1.0" in text
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=1)


def test_two_applications_of_one_process_have_their_own() -> None:
    first, second = create_app(settings()), create_app(settings())
    TestClient(first).post("/api/v1/books/2/sale")

    assert (number(first, "books_sold_total"), number(second, "books_sold_total")) == (1, 0)
