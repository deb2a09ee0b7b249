"""The server over HTTP: who may connect, under which name, with how much."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.mcp.sessions import COMMAND, HELLO, TOKEN, http_server

HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that everybody on this machine may ask."""
    with http_server(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a token."""
    with http_server(tmp_path_factory.mktemp("served"), token=TOKEN) as served:
        yield served


def hello(address: str, **headers: str) -> int:
    """The status with which a first request is answered."""
    return int(httpx2.post(address, json=HELLO, headers=HEADERS | headers).status_code)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8642"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "evil.example.com"}, 421),
        ({"Host": "127.0.0.1.evil.example.com"}, 421),
        ({"Host": "localhost.evil.example.com:80"}, 421),
        ({"Origin": "http://evil.example.com"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 400),
    ],
)
def test_a_page_of_another_site_cannot_ask(address: str, headers: dict[str, str], status: int) -> None:
    assert hello(address, **headers) == status


def test_only_who_has_the_token_may_ask(guarded: str) -> None:
    assert hello(guarded, Authorization=f"Bearer {TOKEN}") == 200
    for wrong in (
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        "Bearer ä",
    ):
        assert (
            int(
                httpx2.post(
                    guarded, json=HELLO, headers=[*HEADERS.items(), ("Authorization", wrong.encode())]
                ).status_code
            )
            == 401
        ), wrong
    answer = httpx2.post(guarded, json=HELLO, headers=HEADERS)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text


def test_a_name_that_is_allowed_is_one(tmp_path: Path) -> None:
    with http_server(tmp_path, "--allowed-host", "build.example.com") as served:
        assert hello(served, Host="build.example.com:8642") == 200
        assert hello(served, Host="other.example.com:8642") == 421


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * 2_000_000, 413),
        (b"{", 400),
        (b"[" * 100_000, 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b"", 400),
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call"}).encode(), 400),
    ],
)
def test_what_is_too_large_or_no_request_is_refused_and_the_server_goes_on(
    address: str, body: bytes, status: int
) -> None:
    assert httpx2.post(address, content=body, headers=HEADERS).status_code == status
    assert hello(address) == 200


def test_another_path_is_not_there(address: str) -> None:
    assert httpx2.get(address.replace("/mcp", "/docs")).status_code == 404


def test_only_this_machine_is_listened_to_by_default(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_when_it_is_told_to_and_its_workers_with_it(tmp_path: Path, how: int) -> None:
    with subprocess.Popen(
        [*COMMAND, "--root", str(tmp_path), "--http", "--port", "0"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.send_signal(how)
        rest = process.stderr.read()  # until the last process that holds it has ended
        process.wait(30)
    assert "Traceback" not in rest


def test_a_malformed_line_on_standard_input_is_no_end(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--root", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"{", b"\xff\xfe", b"[" * 5000, b'"text"', b"null", json.dumps(HELLO).encode()):
            process.stdin.write(line + b"\n")
        process.stdin.flush()
        while True:
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            if answer.get("id") == 1:
                break
        assert answer["result"]["serverInfo"]["name"] == "fastapi-architect"
        process.stdin.close()
        assert process.wait(30) == 0
