"""Other hosts for tests: real servers on this machine that behave well, or not."""

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from fastapi_architect.components.testing.servers import ADDRESS
from fastapi_architect.components.testing.serving import serving as serving_at_address

CHUNK = b"x" * 65536


class Partner:
    """A host whose behaviour the path chooses. It remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.base = ""
        #: Statuses that `/script` answers with, one after the other.
        self.script: list[int] = []
        self.retry_after: str | None = None
        self.app = FastAPI()
        self.app.add_api_route(
            "/{path:path}", self._answer, methods=["GET", "POST", "PUT"], response_model=None
        )

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    async def _answer(self, request: Request, path: str) -> Response:
        self.requests.append(request)
        if path == "redirect":
            return RedirectResponse(request.query_params["to"], status_code=302)
        if path == "circle":
            return RedirectResponse("/circle", status_code=302)
        if path == "script":
            headers = {"Retry-After": self.retry_after} if self.retry_after else None
            return Response(status_code=self.script.pop(0) if self.script else 200, headers=headers)
        if path == "large":
            return Response(CHUNK * 4)
        if path == "endless":
            return StreamingResponse(_forever())
        if path == "bomb":
            return Response(gzip.compress(CHUNK * 160), headers={"Content-Encoding": "gzip"})
        if path == "cookie":
            return Response(headers={"Set-Cookie": "session=of-somebody; Path=/"})
        return Response("hello", headers={"Connection": request.query_params.get("connection", "keep-alive")})


def _forever() -> Iterator[bytes]:
    while True:
        yield CHUNK


@contextmanager
def serving(partner: Partner, certificate: Path | None = None) -> Iterator[Partner]:
    """Serve it, under the name of partner.example."""
    with serving_at_address(partner.app, certificate=certificate) as url:
        partner.base = url.replace(ADDRESS, "partner.example")
        yield partner


@contextmanager
def raw_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Yield the port of a server that does what it is told with each connection."""
    with socket.create_server((ADDRESS, 0)) as listener:
        listener.settimeout(0.05)
        stopping = threading.Event()

        def accept() -> None:
            while not stopping.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    try:
                        behave(connection)
                    except OSError:  # the client has had enough
                        continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            stopping.set()
            thread.join()


def drip(connection: socket.socket) -> None:
    """Answer one byte at a time, never late and never done."""
    connection.recv(65536)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def hang_up(connection: socket.socket) -> None:
    """Read the request and break off."""
    connection.recv(65536)


def issue_certificate(name: str, directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Return the file of a key and a certificate for a name, and who trusts it and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = directory / f"{name}.pem"
    file.write_bytes(secret + pem)
    return file, ssl.create_default_context(cadata=pem.decode())
