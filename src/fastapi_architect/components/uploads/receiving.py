"""Files out of a request, as they arrive: nothing is spooled to a disk before somebody asked for it.

FastAPI's `UploadFile` reads the whole body before the first dependency runs, so that a stranger can fill the disk of a service
that would have refused him.
"""

import base64
import hashlib
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from ..problem_details import BadRequest, InvalidInput, TooLarge, UnsupportedMedia
from .errors import UploadBroken
from .incoming import IncomingFile

MULTIPART = "multipart/form-data"
_SHA256 = re.compile(r"(?:^|,)[ \t]*sha-256=:([^:]*):")


async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Yield the body of a request, not more than the limit, by our own count.

    Raises:
        TooLarge: it says itself that it is larger, or it is.
        UploadBroken: the client hung up before the end.
        UnsupportedMedia: it is compressed.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMedia("Files are uploaded unencoded.")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:19]) > limit:
        raise _too_large(limit)
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            yield chunk
    except ClientDisconnect as error:
        raise UploadBroken("The client hung up before the end.") from error


async def file_of(request: Request, name: str, limit: int) -> AsyncGenerator[IncomingFile, None]:
    """Yield the file that is the whole body of a request.

    Raises:
        BadRequest: its `Content-Digest` is none.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    yield IncomingFile(name, media_type, body_of(request, limit), _announced_sha256(request))


def _announced_sha256(request: Request) -> str | None:
    """Return the SHA-256 of the body as its header says (RFC 9530); None: it names none, perhaps another digest."""
    said = request.headers.get("content-digest", "")
    found = _SHA256.search(said)
    if found is None:
        return None
    try:
        digest = base64.b64decode(found[1], validate=True)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise BadRequest("The Content-Digest is no SHA-256; write sha-256=:<base64>:.")
    return digest.hex()


async def files_of(request: Request, limit: int, max_files: int) -> AsyncGenerator[IncomingFile, None]:
    """Yield the files of a multipart body, one after the other; each has to be read before the next.

    Args:
        request: its body has not been read.
        limit: bytes of the whole body.
        max_files: how many.

    Raises:
        BadRequest: it is no multipart body.
        InvalidInput: there is no file in it, there are too many, or there is something else.
        UploadBroken: it ends too early.
    """
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if media_type != MULTIPART.encode() or not 1 <= len(boundary) <= 70:  # RFC 2046
        raise BadRequest("This is not a multipart body with a boundary.")
    parts = _Parts(boundary, body_of(request, limit))
    count = 0
    while (part := await parts.next_part()) is not None:
        count += 1
        if count > max_files:
            raise InvalidInput(f"At most {max_files} files are taken at once.")
        yield IncomingFile(part.file_name(), part.media_type(), parts.chunks())
        await parts.skip()
    if count == 0:
        raise InvalidInput("There is no file in this body.")


@dataclass(slots=True)
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)

    def file_name(self) -> str:
        disposition, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        if disposition != b"form-data" or b"filename" not in options:
            raise InvalidInput("Only files are taken here, no other fields.")
        return options[b"filename"].decode("utf-8", "replace")

    def media_type(self) -> str:
        return (
            self.headers.get(b"content-type", b"")
            .partition(b";")[0]
            .strip()
            .decode("ascii", "replace")
            .lower()
        )


class _Parts:
    """Turns the callbacks of the parser, which come while it is fed, into something to iterate over."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self._body = body
        #: What was parsed and not taken yet: a part that begins, bytes of it, its end (None).
        self._events: deque[_Part | bytes | None] = deque()
        self._part = _Part()
        self._name = b""
        self._value = b""
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_to_name,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._add_data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    async def next_part(self) -> _Part | None:
        """Return the next part, or None after the last."""
        while await self._fill():
            event = self._events.popleft()
            if isinstance(event, _Part):
                return event
        return None

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes of the present part."""
        while await self._fill():
            event = self._events[0]
            if not isinstance(event, bytes):
                return
            self._events.popleft()
            yield event

    async def skip(self) -> None:
        """Leave out what is left of the present part."""
        async for _ in self.chunks():
            pass

    async def _fill(self) -> bool:
        while not self._events:
            chunk = await anext(self._body, None)
            if chunk is None:
                if not self._complete:
                    raise UploadBroken("The body ends before its last boundary.")
                return False
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise BadRequest("This is not a multipart body.") from error
        return True

    def _begin_part(self) -> None:
        self._part = _Part()

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._part.headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _end_headers(self) -> None:
        self._events.append(self._part)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end_part(self) -> None:
        self._events.append(None)

    def _end(self) -> None:
        self._complete = True


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"At most {limit} bytes are taken at once.")
