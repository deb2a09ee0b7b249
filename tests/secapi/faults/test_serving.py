"""`architect serve api` as a process: who is slow is let go, and who has begun is answered."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress

import pytest

from fastapi_architect.components.testing.servers import ADDRESS, free_port

LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@contextmanager
def api(environment: Mapping[str, str], **settings: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the API as production does."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "fastapi_architect", "serve", "api", "--port", str(port)],
        env={**os.environ, **environment, **settings},
    )
    try:
        deadline = time.monotonic() + 60
        while get(port) != 200:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def get(port: int, path: str = "/health/live") -> int:
    """The status of an answer; 0: there is none."""
    with closing(http.client.HTTPConnection(ADDRESS, port, timeout=10)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0


def is_closed(connection: socket.socket) -> bool:
    """Tell whether the server has closed it, after an answer perhaps."""
    connection.setblocking(False)
    with suppress(BlockingIOError):
        try:
            return connection.recv(65536) == b"" or connection.recv(65536) == b""
        except ConnectionError:
            return True
    return False


def test_a_client_that_is_slow_in_whatever_way_is_let_go_while_others_are_served(
    service_environment: Mapping[str, str],
) -> None:
    begins = {
        "nothing": b"",
        "half a header": b"GET /health/live HTTP/1.1\r\nHost: loc",
        "a header that drips": b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n",
        "a body that drips": LOGIN + b"Content-Length: 100000\r\n\r\n{",
    }
    drips = {"a header that drips": b"X-A: b\r\n", "a body that drips": b" "}
    limits = {"SERVE_HEADER_SECONDS": "1.5", "REQUEST_BODY_GRACE": "1.5"}
    with api(service_environment, **limits) as (_, port):
        slow = {name: socket.create_connection((ADDRESS, port)) for name in begins}
        for name, begin in begins.items():
            slow[name].sendall(begin)
        statuses, open_ = set(), set(slow)
        deadline = time.monotonic() + 30
        while open_ and time.monotonic() < deadline:
            statuses.add(get(port))
            for name in sorted(open_):
                with suppress(OSError):
                    slow[name].setblocking(True)
                    slow[name].sendall(drips.get(name, b""))
                if is_closed(slow[name]):
                    open_.discard(name)
            time.sleep(0.2)
        for connection in slow.values():
            connection.close()

    assert open_ == set()
    assert statuses == {200}


@pytest.mark.matrix
def test_sigterm_under_load_fails_no_request_that_was_begun(service_environment: Mapping[str, str]) -> None:
    broken: list[str] = []
    served: list[int] = []
    stopping, over = threading.Event(), threading.Event()

    def load(port: int) -> None:
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=20)
        while not over.is_set():
            try:
                if connection.sock is None:
                    connection.connect()
            except OSError:
                assert stopping.is_set()
                return  # the port is closed: nothing of ours was begun
            # An idle connection that the server has closed is no request that it has begun.
            if select.select([connection.sock], [], [], 0)[0]:
                connection.close()
                continue
            try:
                connection.request("GET", "/api/v1/projects", headers={"Authorization": "Bearer x"})
                answer = connection.getresponse()
                answer.read()
                served.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                broken.append(repr(error))
                connection.close()

    with api(service_environment, SERVE_DRAIN_SECONDS="1") as (process, port):
        threads = [threading.Thread(target=load, args=(port,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        stopping.set()
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        over.set()
        for thread in threads:
            thread.join()

    assert (broken, set(served)) == ([], {401})
    assert code in (0, -signal.SIGTERM)
