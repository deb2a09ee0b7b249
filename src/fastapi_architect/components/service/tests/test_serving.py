"""A real server ends so that nobody notices, and nobody can hold its connections by saying nothing."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Thread
from typing import Literal

import pytest
import uvicorn
from fastapi import FastAPI
from websockets.sync.client import connect

from fastapi_architect.components.service.__main__ import main
from fastapi_architect.components.service.header_deadline import with_header_deadline
from fastapi_architect.components.service.tests import example
from fastapi_architect.components.testing.servers import ADDRESS, free_port

LOUD = "import logging; logging.basicConfig(level=logging.INFO, force=True);"


class Server:
    """A service in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str, **headers: str) -> tuple[int, str, str | None]:
        """Return status, body and what is said about the connection."""
        with closing(http.client.HTTPConnection(ADDRESS, self.port, timeout=10)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.getheader("connection")

    def is_open(self) -> bool:
        try:
            socket.create_connection((ADDRESS, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def end(self, sig: int = signal.SIGTERM) -> None:
        self.process.send_signal(sig)

    def output(self) -> str:
        return self.process.communicate(timeout=20)[0]


@contextmanager
def serving(named: str = "create_app", **settings: str) -> Iterator[Server]:
    port = free_port()
    code = f"{LOUD} from {main.__module__} import main; main(['{example.__name__}:{named}'])"
    environment = os.environ | {"ENVIRONMENT": "local", "SERVE_PORT": str(port)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)  # these tests lie where pytest found them
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment | {f"SERVE_{name.upper()}": value for name, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = Server(process, port)
    try:
        deadline = time.monotonic() + 20
        while not server.is_open():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(server.output())
            time.sleep(0.05)
        yield server
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_a_request_under_way_is_finished_and_the_process_ends_well() -> None:
    with serving(drain_seconds="0.8") as server, ThreadPoolExecutor() as others:
        under_way = others.submit(server.get, "/api/greetings/Ada?seconds=2")
        time.sleep(0.4)
        server.end()
        time.sleep(0.3)
        # Load balancers have not noticed yet: what they send is served, and the answer says to go elsewhere.
        while_draining = server.get("/api/draining")
        time.sleep(0.9)
        was_open = server.is_open()
        status, body, _ = under_way.result()
        output = server.output()

    assert while_draining == (200, "true", "close")
    assert not was_open
    assert (status, body.split()[:2]) == (200, ['"hello', "Ada"])
    assert server.process.returncode == 0
    assert output.index("greeting:open") < output.index("draining") < output.index("greeting:closed")


def test_a_request_that_does_not_end_is_cancelled_and_components_are_closed() -> None:
    with serving(drain_seconds="0", shutdown_seconds="1") as server, ThreadPoolExecutor() as others:
        under_way = others.submit(server.get, "/api/greetings/Ada?seconds=30")
        time.sleep(0.4)
        started = time.monotonic()
        server.end()
        output = server.output()

        assert time.monotonic() - started < 25  # not the 30 seconds that were asked for
        assert "greeting:closed" in output
        assert under_way.exception() is not None or under_way.result()[0] == 500


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_who_is_in_a_hurry_does_not_wait_for_the_drain(signals: tuple[int, ...]) -> None:
    with serving(drain_seconds="30") as server:
        for sig in signals:
            server.end(sig)
            time.sleep(0.2)
        started = time.monotonic()
        output = server.output()

    assert time.monotonic() - started < 25  # not the 30 seconds that were asked for
    assert "greeting:closed" in output


def test_an_application_can_be_named_in_place_of_a_function() -> None:
    with serving("bare") as server:
        assert server.get("/nowhere")[0] == 404


def test_before_the_end_nothing_is_closed_or_drained() -> None:
    with serving() as server:
        assert server.get("/api/draining") == (200, "false", None)
        with closing(http.client.HTTPConnection(ADDRESS, server.port, timeout=5)) as connection:
            connection.request("GET", "/api/me")
            answer = connection.getresponse()
            answer.read()

    assert answer.getheader("server") is None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, '"http 127.0.0.1"'),
        ({"trusted_proxies": "192.0.2.1"}, '"http 127.0.0.1"'),
        ({"trusted_proxies": "10.0.0.0/8, 127.0.0.1"}, '"https 203.0.113.9"'),
    ],
)
def test_forwarded_headers_are_believed_of_trusted_proxies_only(
    settings: dict[str, str], expected: str
) -> None:
    with serving(**settings) as server:
        forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}

        assert server.get("/api/me", **forwarded)[1] == expected


def is_closed_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def answer_of(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b'"'):
        received += connection.recv(65536)
    return received


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_who_does_not_say_what_they_want_is_cut(first: bytes) -> None:
    with (
        serving(header_seconds="0.5") as server,
        closing(socket.create_connection((ADDRESS, server.port))) as slow,
    ):
        slow.sendall(first)

        assert is_closed_within(slow, 3)


def test_a_header_a_moment_is_cut_too() -> None:
    with (
        serving(header_seconds="0.6") as server,
        closing(socket.create_connection((ADDRESS, server.port))) as slow,
    ):
        started = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        while not is_closed_within(slow, 0.2) and time.monotonic() - started < 4:
            try:
                slow.sendall(b"X-A: b\r\n")
            except OSError:
                break

    assert time.monotonic() - started < 3


def test_a_second_request_has_as_much_time_as_the_first_and_no_more() -> None:
    whole = b"GET /api/me HTTP/1.1\r\nHost: x\r\n\r\n"
    with (
        serving(header_seconds="0.6") as server,
        closing(socket.create_connection((ADDRESS, server.port))) as client,
    ):
        client.sendall(whole)
        first = answer_of(client)
        time.sleep(0.8)  # an idle connection is kept for as long as the server keeps such
        client.sendall(whole)
        second = answer_of(client)
        client.sendall(b"GET /api")

        assert first.startswith(b"HTTP/1.1 200")
        assert second.startswith(b"HTTP/1.1 200")
        assert is_closed_within(client, 3)


def test_slow_work_and_websockets_are_not_slow_headers() -> None:
    with serving(header_seconds="0.4") as server:
        status = server.get("/api/greetings/Ada?seconds=1")[0]
        with connect(f"ws://{ADDRESS}:{server.port}/talk") as websocket:
            time.sleep(0.8)
            websocket.send("still here")
            answer = websocket.recv(timeout=3)

    assert (status, answer) == (200, "still here")


@pytest.mark.parametrize("implementation", ["h11", "httptools"])
def test_both_protocols_of_the_server_have_the_limit(implementation: Literal["h11", "httptools"]) -> None:
    port = free_port()
    config = uvicorn.Config(FastAPI(), host=ADDRESS, port=port, http=implementation, log_config=None)
    config.load()
    config.http_protocol_class = with_header_deadline(config.http_protocol_class, 0.3)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.02)
        with closing(socket.create_connection((ADDRESS, port))) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\nHo")

            assert is_closed_within(slow, 2)
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("arguments", [[], ["app.main"], ["a:b", "c:d"]])
def test_what_to_serve_has_to_be_said(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="usage"):
        main(arguments)
