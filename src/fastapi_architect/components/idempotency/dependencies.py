"""The Idempotency-Key of a request."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response
from starlette.datastructures import UploadFile

from ..service import installed
from .component import Idempotency
from .requests import IdempotentRequest, KeyMissing, digest_of, parse_key

#: What an answer says that was kept.
REPLAYED = "Idempotency-Replayed"
_CHUNK = 65536

KeyField = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Repeat a request with the same key, and it has its effect once.",
        examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
    ),
]


async def idempotent_request(
    request: Request, response: Response, field: KeyField = None
) -> IdempotentRequest | None:
    """Return the request as one that may be repeated; None if the client sent no key.

    Raises:
        KeyMalformed: the header field holds no key.
        NotAuthenticated: nobody proved who is asking.
    """
    if field is None:
        return None
    key = parse_key(field)
    component = installed(request.app, Idempotency)
    place = digest_of([component.caller_of(request), request.method, request.url.path, key])

    def mark() -> None:
        response.headers[REPLAYED] = "true"

    return IdempotentRequest(place, await _fingerprint(request), component.keep, mark)


async def required_idempotent_request(
    request: Annotated[IdempotentRequest | None, Depends(idempotent_request)],
) -> IdempotentRequest:
    """Return the request as one that may be repeated.

    Raises:
        KeyMissing: the client sent no key.
    """
    if request is None:
        raise KeyMissing(
            "Send an Idempotency-Key, such as a new UUID, and the same one when you repeat the request."
        )
    return request


async def _fingerprint(request: Request) -> bytes:
    """Return the digest of what was sent."""
    parts: list[str | bytes] = [request.url.query, request.headers.get("content-type", "").partition(";")[0]]
    kind = parts[1]
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return digest_of([*parts, await request.body()])
    # The framework has read a form; of a repeated one the boundary differs, and the fields do not. It stays open,
    # because the operation reads the same files.
    form = await request.form()
    for name, value in form.multi_items():
        parts += [name, await _content(value) if isinstance(value, UploadFile) else value]
    return digest_of(parts)


async def _content(file: UploadFile) -> bytes:
    parts: list[str | bytes] = [file.filename or ""]
    await file.seek(0)
    while chunk := await file.read(_CHUNK):
        parts.append(chunk)
    await file.seek(0)
    return digest_of(parts)


IdempotentRequestDep = Annotated[IdempotentRequest | None, Depends(idempotent_request)]
RequiredIdempotentRequestDep = Annotated[IdempotentRequest, Depends(required_idempotent_request)]
