"""A server on this machine that speaks the OpenAI chat-completions protocol and answers as it was told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: A turn: text, calls of tools as (name, arguments), a status with its body, or raw bytes with status 200.
Turn = str | list[tuple[str, dict[str, Any]]] | tuple[int, dict[str, Any]] | bytes


class FakeServer:
    """The server.

    Attributes:
        url: its base address.
        bodies: of the requests, as they came over the wire.
        headers: of the requests.
    """

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._turns = list(turns)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.bodies.append(body)
                server.headers.append(dict(self.headers))
                turn = server._turns.pop(0) if len(server._turns) > 1 else server._turns[0]
                status, data, kind = _response(turn, self.path)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("x-should-retry", "false")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The requests, parsed."""
        return [json.loads(body) for body in self.bodies]

    @property
    def everything(self) -> str:
        """All that arrived, as one text."""
        return "\n".join(
            [body.decode() for body in self.bodies] + [json.dumps(each) for each in self.headers]
        )

    def serve(self) -> None:
        """Until it is closed."""
        self._http.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def fake_server(*turns: Turn) -> Iterator[FakeServer]:
    """The server while it runs."""
    server = FakeServer(turns)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def _response(turn: Turn, path: str) -> tuple[int, bytes, str]:
    if not path.endswith("/chat/completions"):
        return 404, b'{"error": {"message": "no such path"}}', "application/json"
    if isinstance(turn, bytes):
        return 200, turn, "application/json"
    if isinstance(turn, tuple):
        return turn[0], json.dumps(turn[1]).encode(), "application/json"
    message: dict[str, Any] = {"role": "assistant", "content": turn if isinstance(turn, str) else None}
    if not isinstance(turn, str):
        message["tool_calls"] = [
            {
                "id": f"call_{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for n, (name, arguments) in enumerate(turn)
        ]
    document = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "stop" if isinstance(turn, str) else "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }
    return 200, json.dumps(document).encode(), "application/json"


Answering = Callable[[], str]
