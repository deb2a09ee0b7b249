"""A server that behaves as SecAPI does, but for what a test wants to go wrong."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PROJECT = {"id": "01a20000-0000-7000-8000-000000000001", "name": "shop", "default_branch": "main"}
SCAN = "01a20000-0000-7000-8000-000000000002"
FINDING = {
    "id": "01a20000-0000-7000-8000-000000000003",
    "rule": "sql-injection-raw-statement",
    "title": "Request data is written into an SQL statement",
    "severity": "critical",
    "confidence": "certain",
    "cwe": "CWE-89",
    "cvss_score": 9.8,
    "file": "app/books.py",
    "line": 12,
    "is_proposed_ignored": False,
}
#: Answers a request in the server's place; True: it did.
Fault = Callable[["Handler"], bool]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        self.server.requests.append((self.command, path, dict(self.headers), body))
        for fault in list(self.server.faults):
            if fault(self):
                return
        self.answer(*self.server.behave(self.command, path))

    do_GET = do_POST = do_PUT = handle_any  # noqa: N815 - the names of the base class

    def answer(self, status: int, document: Any, **headers: str) -> None:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"content_type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class Server(ThreadingHTTPServer):
    """Keeps what was asked, and what it answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.faults: list[Fault] = []
        self.uploaded: set[str] = set()
        self.state = "done"
        self.passed = True
        self.error: str | None = None
        #: The newest scan of the branch.
        self.newest = SCAN

    def handle_error(self, *_: object) -> None:
        """Stay quiet: tests cut connections on purpose."""

    @property
    def asked(self) -> list[str]:
        """Methods and paths, in order."""
        return [f"{method} {path.removeprefix('/api/v1')}" for method, path, _, _ in self.requests]

    def behave(self, method: str, path: str) -> tuple[int, Any]:
        if path.startswith("/api/v1/uploads/"):
            known = path in self.uploaded
            self.uploaded.add(path)
            return (409, problem("It is there already.")) if known else (201, {})
        scan = {"id": SCAN, "project_id": PROJECT["id"], "state": self.state, "branch": "main"}
        scan |= {"error": self.error, "error_code": "archive-empty" if self.error else None, "later": 1}
        if self.state == "done":
            scan["gate"] = {
                key: self.gate()[key] for key in ("passed", "severity", "counts", "compared_with")
            }
        if method == "POST" and path.endswith("/scans"):
            return (202, scan) if self.uploaded else (404, problem("You have no such upload."))
        if path.endswith("/gate"):
            return 200, self.gate()
        if path.endswith("/events"):
            return 200, [{"id": 1, "kind": "started", "details": {"attempt": 1}}]
        if path.startswith("/api/v1/scans/"):
            return 200, scan
        if path == "/api/v1/projects":
            return (201, PROJECT) if method == "POST" else (200, {"items": [PROJECT], "next_cursor": None})
        return 404, problem("Not Found")

    def gate(self) -> dict[str, Any]:
        found = [] if self.passed else [FINDING]
        counts = {} if self.passed else {"critical": 3}
        return {
            "passed": self.passed, "branch": "main", "severity": "important", "compared_with": None,
            "scan_id": self.newest, "score": 61, "counts": counts, "findings": found,
        }  # fmt: skip


def problem(detail: str) -> dict[str, Any]:
    return {"title": "Something", "detail": detail, "request_id": "0b0e"}


def times(count: int, method: str, ending: str, act: Callable[[Handler], object]) -> Fault:
    """A fault of the first requests of a method to paths that end so."""
    left = [count]

    def fault(handler: Handler) -> bool:
        path = handler.path.partition("?")[0]
        if not left[0] or handler.command != method or not path.endswith(ending):
            return False
        left[0] -= 1
        act(handler)
        return True

    return fault


def cut(handler: Handler) -> None:
    """Announce an answer and hang up in the middle of it."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


@contextmanager
def listening(certificate: Path | None = None) -> Iterator[Server]:
    """Serve on a port of this machine."""
    server = Server()
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
