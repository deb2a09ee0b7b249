"""A file of results as it is sent: looked at before anything travels, and compressed, the same bytes each time.

Traps
-----
* What a tool wrote is sent as it is, and only its beginning and end are looked at: whether it is SARIF is for the server to say,
  in a process that nothing can be done to.
* gzip writes the time into its header, and two builds of zlib compress differently: what identifies a file is the digest of the
  text.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from fastapi_architect.client.errors import ScanRefused
from fastapi_architect.source.tree import readable_size

#: What SecAPI takes (`secapi.imports.limits`): of text, and compressed.
MAX_BYTES = 200_000_000
MAX_SENT_BYTES = 10_000_000
_GZIP, _MARK = b"\x1f\x8b", b"\xef\xbb\xbf"
_CHUNK = 1 << 20
_SPACES = b" \t\r\n"


class Results(msgspec.Struct, frozen=True):
    """A file of results on the disk.

    Attributes:
        file: compressed, open for reading, unnamed, gone when it is closed.
        digest: of its text, in hexadecimal digits.
        size: of what is sent, in bytes.
    """

    file: IO[bytes]
    digest: str
    size: int


@contextmanager
def compressed(path: Path) -> Iterator[Results]:
    """Give a file of results, compressed; one that is compressed already is compressed anew.

    Args:
        path: of the file.

    Raises:
        ScanRefused: it cannot be read, is no JSON object, or is larger than a server takes.
    """
    with tempfile.TemporaryFile() as target:
        try:
            digest = _pack(path, target)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ScanRefused(f"{path} is a damaged gzip file ({error}); write it once more") from error
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ScanRefused(f"{path} cannot be read: {why}; name the file that the tool wrote") from error
        size = target.seek(0, 2)
        if size > MAX_SENT_BYTES:
            message = f"{path} has {readable_size(size)} even compressed, and a server takes {readable_size(MAX_SENT_BYTES)}"
            raise ScanRefused(f"{message}; have the tool report less")
        yield Results(target, digest, size)


def _pack(path: Path, target: IO[bytes]) -> str:
    """Compress a file into another, and return the digest of its text."""
    digest = hashlib.sha256(b"fastapi-architect results 1\n")
    begins, last, total = b"", b"", 0
    with path.open("rb") as opened:
        is_compressed = opened.read(len(_GZIP)) == _GZIP
        opened.seek(0)
        text: IO[bytes] = gzip.GzipFile(fileobj=opened) if is_compressed else opened  # type: ignore[assignment]
        with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
            while chunk := text.read(_CHUNK):
                total += len(chunk)
                if total > MAX_BYTES:
                    message = f"{path} has more than {readable_size(MAX_BYTES)}, which no server takes"
                    raise ScanRefused(f"{message}; have the tool report less")
                begins = begins or chunk.removeprefix(_MARK).lstrip(_SPACES)[:1]
                last = chunk.rstrip(_SPACES)[-1:] or last
                digest.update(chunk)
                packed.write(chunk)
    if begins != b"{" or last != b"}":
        what = "is empty" if not total else "is no JSON object"
        raise ScanRefused(f"{path} {what}; name the file that the tool wrote, whole and unchanged")
    return digest.hexdigest()
