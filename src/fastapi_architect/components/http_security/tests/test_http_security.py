"""Browsers and networks may do what was allowed, and nothing else."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from fastapi_architect.components.http_security import HttpSecuritySettings
from fastapi_architect.components.http_security.tests.example import create_app
from fastapi_architect.components.service import Environment
from fastapi_architect.components.testing.servers import ADDRESS, free_port

SHOP = "https://shop.example.com"


def settings(**values: Any) -> HttpSecuritySettings:
    given = {"allowed_hosts": ("api.example.com",), "allowed_origins": (SHOP,)} | values
    return HttpSecuritySettings(environment=Environment.PRODUCTION, **given)


def client_of(base_url: str = "https://api.example.com", **values: Any) -> TestClient:
    return TestClient(create_app(settings(**values)), base_url=base_url, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/orders?copies=1", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/orders?copies=0", 500),
        ("POST", "/orders", 422),
    ],
)
def test_every_answer_has_the_headers_errors_included(method: str, path: str, status: int) -> None:
    answer = client_of().request(method, path, headers={"Origin": SHOP})

    assert answer.status_code == status
    assert answer.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == SHOP


def test_an_endpoint_may_say_what_caches_may_keep() -> None:
    assert client_of().get("/prices").headers["cache-control"] == "public, max-age=60"


def test_pages_of_documentation_may_load_their_programs_and_no_other_page() -> None:
    client = client_of()

    assert "https://cdn.jsdelivr.net" in client.get("/docs").headers["content-security-policy"]
    assert "jsdelivr" not in client.get("/prices").headers["content-security-policy"]


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://shop.example.com.evil.example", "http://shop.example.com", "null"],
)
def test_a_website_that_is_not_named_cannot_read_answers(origin: str) -> None:
    client = client_of(allow_credentials=True)
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    assert "access-control-allow-origin" not in client.get("/prices", headers={"Origin": origin}).headers
    assert client.options("/orders", headers=preflight).status_code == 400


def test_without_a_named_website_there_is_no_cors() -> None:
    answer = client_of(allowed_origins=()).get("/prices", headers={"Origin": SHOP})

    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_named_website_may_ask_and_without_cookies_unless_allowed() -> None:
    preflight = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization",
    }

    answer = client_of().options("/orders", headers=preflight)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SHOP
    assert "access-control-allow-credentials" not in answer.headers
    assert (
        "retry-after"
        in client_of()
        .get("/prices", headers={"Origin": SHOP})
        .headers["access-control-expose-headers"]
        .lower()
    )


@pytest.mark.parametrize("values", [{}, {"require_https": True, "environment": Environment.LOCAL}])
def test_plain_http_is_refused_and_not_redirected(values: dict[str, Any]) -> None:
    given = {"environment": Environment.PRODUCTION, "allowed_hosts": ("api.example.com",)} | values
    app = create_app(HttpSecuritySettings(**given))

    answer = TestClient(app, base_url="http://api.example.com", follow_redirects=False).post(
        "/orders?copies=1"
    )

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "location" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def test_probes_come_by_address_and_unencrypted() -> None:
    client = client_of("http://10.0.0.7:8000")

    assert client.get("/health/ready").status_code == 200
    assert client.get("/health/ready/").status_code == 421
    assert client.get("/prices").status_code == 421


def test_probes_come_below_a_root_path_too() -> None:
    client = TestClient(create_app(settings()), base_url="http://10.0.0.7", root_path="/shop")

    assert client.get("/shop/health/ready").status_code == 200
    assert client.get("/shop/prices").status_code == 421


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "api.example.com.evil.example",
        "api.example.com@evil.example",
        "evil.example#api.example.com",
        "api.example.com:80:80",
        "api.example.com/x",
        "xapi.example.com",
        "",
        ":443",
        "a b",
    ],
)
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    answer = client_of().get("/prices", headers={"Host": host})

    assert answer.status_code == 421
    assert "evil" not in answer.text


def test_two_names_of_the_host_are_refused() -> None:
    headers = [("Host", "api.example.com"), ("Host", "evil.example")]

    assert client_of().get("/prices", headers=headers).status_code == 421


@pytest.mark.parametrize("host", ["api.example.com", "API.Example.com:8443", "api.example.com."])
def test_a_host_that_is_ours_is_let_in(host: str) -> None:
    assert client_of().get("/prices", headers={"Host": host}).status_code == 200


def test_a_forwarded_host_is_never_believed() -> None:
    answer = client_of().get(
        "/prices", headers={"Host": "evil.example", "X-Forwarded-Host": "api.example.com"}
    )

    assert answer.status_code == 421


def test_hosts_below_a_name_are_let_in_where_that_is_said() -> None:
    client = client_of(allowed_hosts=("*.example.com", "[::1]"))

    assert client.get("/prices", headers={"Host": "eu.example.com"}).status_code == 200
    assert client.get("/prices", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/prices", headers={"Host": "example.com"}).status_code == 421
    assert client.get("/prices", headers={"Host": "evilexample.com"}).status_code == 421


@pytest.mark.parametrize("url", ["wss://evil.example/live", "ws://api.example.com/live"])
def test_a_websocket_comes_through_the_same_walls(url: str) -> None:
    client = client_of()

    with client.websocket_connect("wss://api.example.com/live"):
        pass
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(url):
        pass


@pytest.mark.parametrize(
    "values",
    [
        {"allowed_hosts": ()},
        {"allowed_hosts": ("*",)},
        {"allowed_hosts": ("*.com",)},
        {"allowed_hosts": ("a.*.com",)},
        {"allowed_hosts": ("https://api.example.com",)},
        {"allowed_hosts": ("api.example.com:443",)},
        {"allowed_origins": ("*",)},
        {"allowed_origins": ("null",)},
        {"allowed_origins": ("http://shop.example.com",)},
        {"allowed_origins": ("https://shop.example.com/",)},
        {"allowed_origins": ("https://*.example.com",)},
    ],
)
def test_what_lets_strangers_in_is_refused_at_the_start(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


def test_a_developers_machine_needs_no_settings() -> None:
    client = TestClient(create_app(HttpSecuritySettings(environment=Environment.LOCAL)))

    assert client.get("/prices").status_code == 200
    assert "strict-transport-security" not in client.get("/prices").headers


@contextmanager
def served(**options: Any) -> Iterator[int]:
    port = free_port()
    app = create_app(settings())
    server = uvicorn.Server(uvicorn.Config(app, host=ADDRESS, port=port, log_config=None, **options))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        yield port
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize(("trusted", "status"), [("192.0.2.1", 403), (ADDRESS, 200)])
def test_only_a_trusted_proxy_says_that_it_was_encrypted(trusted: str, status: int) -> None:
    with served(proxy_headers=True, forwarded_allow_ips=trusted) as port:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=5)
        connection.request(
            "GET", "/prices", headers={"Host": "api.example.com", "X-Forwarded-Proto": "https"}
        )
        answer = connection.getresponse()
        answer.read()
        connection.close()

    assert answer.status == status
    assert (answer.getheader("strict-transport-security") is not None) == (status == 200)
