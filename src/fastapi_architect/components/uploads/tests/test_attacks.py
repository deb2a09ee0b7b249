"""Attacks with bodies and names, on a real server."""

import base64
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from fastapi_architect.components.database import Database
from fastapi_architect.components.uploads.tests.conftest import LIMIT, Disk
from fastapi_architect.components.uploads.tests.files import HTML, archive, multipart, png


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def begin(url: str, content: bytes, announced: str, upload_id: object = None) -> socket.socket:
    """Send the head of an upload and a part of it, and leave the connection open."""
    target = urlsplit(url)
    connection = socket.create_connection((str(target.hostname), int(target.port or 0)), timeout=5)
    head = (
        f"PUT {target.path}/{upload_id or uuid4()}?name=cat.png HTTP/1.1\r\nHost: here\r\nX-Name: alice\r\n"
        f"Content-Type: image/png\r\n{announced}\r\n\r\n"
    )
    connection.sendall(head.encode() + content)
    return connection


@pytest.mark.parametrize(
    "name",
    ["../../evil.png", "..\\..\\evil.png", "/tmp/evil.png", "....//....//evil.png", "%2e%2e%2fevil.png"],
)
def test_a_name_does_not_choose_where_a_file_lies(client: httpx2.Client, disk: Disk, name: str) -> None:
    body, headers = multipart((name, "image/png", png()))
    taken = client.post("/uploads", content=body, headers=headers)
    put = client.put(
        f"/uploads/{uuid4()}", params={"name": name}, content=png(), headers={"Content-Type": "image/png"}
    )

    assert taken.status_code == put.status_code == 201
    assert "/" not in taken.json()[0]["name"]
    files = disk.files()
    assert len(files) == 2
    assert all(file.startswith("uploads/") and "evil" not in file for file in files)


@pytest.mark.parametrize(
    "content",
    [HTML, b"\x89PNG\r\n\x1a\n" + HTML, png() + archive(), png()[:-4]],
    ids=["page", "head", "both", "cut"],
)
def test_a_file_that_lies_leaves_nothing(client: httpx2.Client, disk: Disk, content: bytes) -> None:
    body, headers = multipart(("cat.png", "image/png", content))

    assert client.post("/uploads", content=body, headers=headers).status_code == 415
    assert disk.files() == []


def test_a_file_that_announces_too_much_is_refused_before_it_arrives(url: str, disk: Disk) -> None:
    with begin(url, b"", f"Content-Length: {LIMIT + 1}") as connection:
        assert b" 413 " in connection.recv(100)
    assert disk.files() == []


def test_a_repetition_is_refused_before_it_arrives(url: str, client: httpx2.Client) -> None:
    upload_id = uuid4()
    client.put(
        f"/uploads/{upload_id}",
        params={"name": "a.png"},
        content=png(),
        headers={"Content-Type": "image/png"},
    )

    with begin(url, b"", "Content-Length: 50000", upload_id) as connection:
        assert b" 409 " in connection.recv(100)


def test_a_file_that_announces_nothing_is_counted(client: httpx2.Client, disk: Disk) -> None:
    def endless() -> Iterator[bytes]:
        yield png(LIMIT)[:-20]
        for _ in range(1000):
            yield b"x" * 65_536

    answer = client.put(
        f"/uploads/{uuid4()}",
        params={"name": "a.png"},
        content=endless(),
        headers={"Content-Type": "image/png"},
    )

    assert answer.status_code == 413
    assert disk.files() == []


def test_many_files_are_counted_together(client: httpx2.Client, disk: Disk) -> None:
    body, headers = multipart(*[("a.png", "image/png", png(LIMIT - 1_000))] * 4)
    assert client.post("/uploads", content=body, headers=headers).status_code == 413

    def in_pieces() -> Iterator[bytes]:
        yield body

    # Without a length nobody knows it in advance.
    assert client.post("/uploads", content=in_pieces(), headers=headers).status_code == 413
    body, headers = multipart(("a.png", "image/png", png(LIMIT + 1_000)))
    assert client.post("/uploads", content=body, headers=headers).status_code == 413
    body, headers = multipart(*[("a.png", "image/png", png())] * 6)
    assert client.post("/uploads", content=body, headers=headers).status_code == 422
    assert disk.files() == []


def test_a_file_that_announces_more_than_it_sends_leaves_nothing(url: str, disk: Disk) -> None:
    connection = begin(url, png(1_000), "Content-Length: 50000")
    assert eventually(lambda: len(disk.files()) == 1)
    assert "partial" in disk.files()[0]
    connection.close()

    assert eventually(lambda: disk.files() == [])


def test_a_client_that_hangs_up_leaves_nothing(url: str, disk: Disk, client: httpx2.Client) -> None:
    connection = begin(url, b"5\r\n\x89PNG\r\r\n", "Transfer-Encoding: chunked")
    assert eventually(lambda: len(disk.files()) == 1)
    # RST instead of FIN, as a phone does that loses its network.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    connection.close()

    assert eventually(lambda: disk.files() == [])
    assert client.get("/uploads").json()["items"] == []


def test_a_slow_client_holds_no_connection_to_the_database(url: str, disk: Disk, database: Database) -> None:
    with begin(url, png(1_000), "Content-Length: 50000"):
        assert eventually(lambda: len(disk.files()) == 1)
        # By the file one sees that the request has come to where it waits for the client.
        assert database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_stranger_stores_nothing(url: str, disk: Disk) -> None:
    body, headers = multipart(("a.png", "image/png", png(LIMIT // 2)))

    answer = httpx2.post(url, content=body, headers=headers)

    assert answer.status_code == 401
    assert disk.files() == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (*multipart(("a.png", "image/png", png()), end=False), 400),
        (b"no multipart", {"Content-Type": "multipart/form-data; boundary=edge"}, 400),
        (b"", {"Content-Type": "multipart/form-data; boundary=edge"}, 400),
        (b"--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}, 422),
        (b"x", {"Content-Type": "multipart/form-data"}, 400),
        (b"x", {"Content-Type": "multipart/form-data; boundary=" + "x" * 71}, 400),
        (b"{}", {"Content-Type": "application/json"}, 400),
        (b"x", {}, 400),
        (
            b'--edge\r\nContent-Disposition: form-data; name="role"\r\n\r\nadmin\r\n--edge--\r\n',
            {"Content-Type": "multipart/form-data; boundary=edge"},
            422,
        ),
        (
            b"--edge\r\n" + b"X-Header: y\r\n" * 50 + b"\r\n\r\n--edge--\r\n",
            {"Content-Type": "multipart/form-data; boundary=edge"},
            400,
        ),
        (
            b"--edge\r\nX-Header: " + b"y" * 50_000 + b"\r\n\r\n\r\n--edge--\r\n",
            {"Content-Type": "multipart/form-data; boundary=edge"},
            400,
        ),
    ],
)
def test_a_body_that_makes_no_sense_is_the_client_s_error(
    client: httpx2.Client, disk: Disk, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/uploads", content=body, headers=headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert disk.files() == []


def test_a_compressed_body_is_refused(client: httpx2.Client) -> None:
    answer = client.put(
        f"/uploads/{uuid4()}",
        params={"name": "a.png"},
        content=png(),
        headers={"Content-Type": "image/png", "Content-Encoding": "gzip"},
    )

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("digest", "status"),
    [
        ("sha-256=:{right}:", 201),
        ("md5=:AAAA:, sha-256=:{right}:", 201),
        ("md5=:AAAA:", 201),
        ("sha-256=:{wrong}:", 400),
        ("sha-256=:AAAA:", 400),
        ("sha-256=:\u00e9:", 400),
    ],
)
def test_what_did_not_arrive_as_it_was_sent_is_refused(
    client: httpx2.Client, disk: Disk, digest: str, status: int
) -> None:
    content = png()
    right, wrong = (
        base64.b64encode(hashlib.sha256(each).digest()).decode() for each in (content, content + b"x")
    )
    said = digest.format(right=right, wrong=wrong).encode("latin-1")
    answer = client.put(
        f"/uploads/{uuid4()}",
        params={"name": "a.png"},
        content=content,
        headers=[(b"Content-Type", b"image/png"), (b"Content-Digest", said)],
    )

    assert answer.status_code == status, answer.text
    assert len(disk.files()) == (status == 201)
