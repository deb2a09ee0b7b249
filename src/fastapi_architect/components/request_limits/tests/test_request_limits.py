"""A request costs what it may cost, whatever it says about itself."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from threading import Thread

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient

from fastapi_architect.components.request_limits import RequestLimits, RequestLimitSettings
from fastapi_architect.components.request_limits.tests.example import create_app
from fastapi_architect.components.service import Component, Environment, RequestLimit, install
from fastapi_architect.components.testing.servers import ADDRESS, free_port

SMALL = RequestLimitSettings(
    environment=Environment.LOCAL, max_bytes=2048, seconds=0.5, body_grace=0.3, body_bytes_per_second=1000
)
#: As `SMALL`, with time for the raw sockets below.
PATIENT = SMALL.model_copy(update={"seconds": 3.0})


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(SMALL), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """The port of a real server."""
    port = free_port()
    running = uvicorn.Server(uvicorn.Config(create_app(PATIENT), host=ADDRESS, port=port, log_config=None))
    thread = Thread(target=running.run)
    thread.start()
    while not running.started:
        thread.join(0.02)
    yield port
    running.should_exit = True
    thread.join()


class Raw:
    """A client that keeps to no rules."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((ADDRESS, port), timeout=6)

    def close(self) -> None:
        self.socket.close()

    def send(self, *parts: bytes, pause: float = 0.0) -> None:
        for part in parts:
            try:
                self.socket.sendall(part)
            except OSError:
                return  # refused before all of it was sent
            time.sleep(pause)

    def status(self) -> int:
        """Return the status of the answer, once the server has closed the connection."""
        received = b""
        try:
            while piece := self.socket.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return int(received.split(b" ", 2)[1])


def head(path: str, *lines: bytes) -> bytes:
    return b"\r\n".join([b"POST " + path.encode() + b" HTTP/1.1", b"Host: x", *lines, b"", b""])


async def pieces(count: int, size: int = 1000, pause: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield b"x" * size


async def post(
    path: str, body: AsyncIterator[bytes], settings: RequestLimitSettings = SMALL
) -> tuple[int, FastAPI]:
    app = create_app(settings)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        answer = await client.post(path, content=body)
    return answer.status_code, app


def test_a_body_that_fits_is_served(client: TestClient) -> None:
    assert client.post("/notes", json={"text": "x" * 100}).json() == 100


def test_a_body_that_says_that_it_is_too_large_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/notes", json={"text": "x" * 3000})

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"


@pytest.mark.anyio
async def test_nothing_is_read_of_a_body_that_says_that_it_is_too_large() -> None:
    app = create_app(SMALL)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://x") as client:
        answer = await client.post("/imports/x", content=b"x" * 1_000_001)

    assert (answer.status_code, app.state.read) == (413, 0)


@pytest.mark.parametrize("length", ["-1", "1e9", "0x10", "\u0661", "9" * 400])
def test_a_length_that_is_no_length_is_refused(client: TestClient, length: str) -> None:
    answer = client.post("/notes", content=b"{}", headers=[(b"content-length", length.encode())])

    assert answer.status_code in (400, 413)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/notes", "/careless"])
async def test_a_body_without_a_length_is_counted(path: str) -> None:
    assert (await post(path, pieces(5)))[0] == 413


@pytest.mark.anyio
async def test_no_more_of_a_body_is_read_than_allowed() -> None:
    status, app = await post("/imports/x", pieces(5_000))

    assert status == 413
    assert app.state.read <= 1_000_000


@pytest.mark.anyio
async def test_a_path_may_have_limits_of_its_own() -> None:
    assert (await post("/imports/x", pieces(500)))[0] == 200


def test_a_path_has_them_below_a_root_path_too() -> None:
    client = TestClient(create_app(SMALL), root_path="/shop")

    assert client.post("/shop/imports/x", content=b"x" * 5000).json() == 5000


def test_a_component_may_ask_for_limits_of_its_own() -> None:
    class Uploads(Component):
        request_limits = {"/imports/{name}": RequestLimit(max_bytes=4096)}  # noqa: RUF012

    app = create_app(SMALL)
    app.user_middleware.clear()
    app.state.components = ()
    install(app, [RequestLimits(SMALL), Uploads()])
    client = TestClient(app)

    assert client.post("/imports/x", content=b"x" * 4000).json() == 4000
    assert client.post("/imports/x", content=b"x" * 5000).status_code == 413


def test_a_request_that_takes_too_long_is_ended(client: TestClient) -> None:
    started = time.monotonic()
    answer = client.get("/slow/5")

    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert time.monotonic() - started < 2


def test_one_that_waits_in_a_thread_is_answered_in_time_too(client: TestClient) -> None:
    assert client.get("/blocking/1.0").status_code == 504


def test_an_answer_that_has_begun_may_take_longer(client: TestClient) -> None:
    assert client.get("/stream").text == "piece" * 3


def test_a_timeout_of_the_application_is_not_ours(client: TestClient) -> None:
    app = FastAPI()

    @app.get("/")
    async def fail() -> None:
        raise TimeoutError("theirs")

    install(app, [RequestLimits(SMALL)])

    with pytest.raises(TimeoutError, match="theirs"):
        TestClient(app).get("/")


def test_websockets_are_left_alone(client: TestClient) -> None:
    with client.websocket_connect("/talk") as websocket:
        websocket.send_text("x" * 5000)
        time.sleep(0.6)
        websocket.send_text("x")

        assert [websocket.receive_text(), websocket.receive_text()] == ["5000", "1"]


@pytest.mark.anyio
async def test_a_body_that_trickles_is_refused() -> None:
    assert (await post("/imports/x", pieces(50, size=1, pause=0.05)))[0] == 408


@pytest.mark.anyio
async def test_a_body_that_comes_at_a_fair_rate_is_served() -> None:
    assert (await post("/imports/x", pieces(10, size=500, pause=0.1)))[0] == 200


def test_a_body_that_never_ends_is_refused(server: int) -> None:
    with closing(Raw(server)) as raw:
        raw.send(head("/notes", b"Transfer-Encoding: chunked"), *[b"400\r\n" + b"x" * 1024 + b"\r\n"] * 200)

        assert raw.status() == 413


def test_a_body_that_never_comes_is_refused(server: int) -> None:
    with closing(Raw(server)) as raw:
        started = time.monotonic()
        raw.send(head("/notes", b"Content-Length: 1000", b"Content-Type: application/json"), b'{"text":')

        assert raw.status() == 408
        assert time.monotonic() - started < 2


def test_a_body_byte_by_byte_is_refused(server: int) -> None:
    with closing(Raw(server)) as raw:
        raw.send(head("/careless", b"Content-Length: 1000"), *[b"x"] * 30, pause=0.03)

        assert raw.status() == 408


def test_a_length_that_lies_does_not_smuggle_a_request(server: int) -> None:
    body = json.dumps({"text": "x"}).encode()
    with closing(Raw(server)) as raw:
        lying = str(len(body) - 2).encode()
        raw.send(
            head(
                "/notes", b"Content-Type: application/json", b"Content-Length: " + lying, b"Connection: close"
            )
            + body
        )

        assert raw.status() in (400, 422)


def test_a_declared_giant_is_refused_before_it_is_sent(server: int) -> None:
    with closing(Raw(server)) as raw:
        raw.send(head("/imports/x", b"Content-Length: 99999999999", b"Expect: 100-continue"))

        assert raw.status() == 413
