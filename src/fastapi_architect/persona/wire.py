"""The last place before anything leaves this machine: what a request says is redacted here, whichever library made it.

`architect ask` sends through this client only. In a dry run the first request is kept and never sent.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2

from fastapi_architect.persona.redaction import Redaction

#: Headers whose value is a credential of the user with the provider.
_CREDENTIALS = frozenset(
    {"authorization", "api-key", "x-api-key", "x-goog-api-key", "proxy-authorization", "cookie"}
)
#: What a dry run answers to the library: an error that it does not try again.
_NOT_SENT = 400


class SecretWouldLeave(RuntimeError):
    """A request still holds a known secret after it was redacted: it was not sent."""


class WatchedClient(httpx2.AsyncClient):
    """An HTTP client that redacts every body, and keeps what it sent.

    Attributes:
        is_dry: nothing is sent.
        requests: what was sent, or would have been, in order.
    """

    def __init__(self, redaction: Redaction, *, dry: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._redaction = redaction
        self.is_dry = dry
        self.requests: list[httpx2.Request] = []

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send the request as it may leave.

        Raises:
            SecretWouldLeave: a secret is in what cannot be redacted, such as the address.
        """
        await request.aread()
        clean = self._clean(request)
        self.requests.append(clean)
        if self.is_dry:
            return httpx2.Response(_NOT_SENT, json={"error": {"message": "dry run"}}, request=clean)
        return await super().send(clean, **options)

    def _clean(self, request: httpx2.Request) -> httpx2.Request:
        body = self._redacted(request.content)
        headers = [
            (name, value) for name, value in request.headers.multi_items() if name.lower() != "content-length"
        ]
        clean = httpx2.Request(
            request.method, request.url, headers=headers, content=body or None, extensions=request.extensions
        )
        told = (name_value for name_value in headers if name_value[0].lower() not in _CREDENTIALS)
        for text in (body, str(clean.url).encode(), *(value.encode() for _, value in told)):
            if kind := self._redaction.holds_known(text):
                message = f"the request would still hold {kind}; nothing was sent. Take it out of the request or of the project's names"
                raise SecretWouldLeave(message)
        return clean

    def _redacted(self, body: bytes) -> bytes:
        if not body:
            return body
        try:
            document = json.loads(body)
        except ValueError:
            return self._redaction.redact(body.decode("utf-8", "replace")).encode()
        clean = json.dumps(self._redaction.redact_all(document), ensure_ascii=False, separators=(",", ":"))
        return clean.encode("utf-8", "backslashreplace")


def head(request: httpx2.Request) -> str:
    """Method, address and headers of a request as a person reads them; credentials are named, not shown."""
    lines = [f"{request.method} {request.url}"]
    for name, value in request.headers.multi_items():
        shown = "(your credential)" if name.lower() in _CREDENTIALS else value
        lines.append(f"{name}: {shown}")
    return "\n".join(lines)
