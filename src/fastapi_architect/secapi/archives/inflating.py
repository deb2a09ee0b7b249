"""Compressed streams, inflated a piece at a time, never further than asked, and counted.

Traps
-----
* An .xz file names the size of its dictionary itself, up to 4 GB: without a limit one header takes that memory.
* A .gz file may consist of any number of streams, also of empty ones of 20 bytes, each of which costs a new decompressor.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from fastapi_architect.secapi.archives.limits import Account
from fastapi_architect.secapi.archives.refusal import ArchiveRefused, Refusal

#: Bytes inflated at a time.
PIECE = 1 << 16
_READ = 1 << 16
_XZ_MEMORY = 128 * 2**20
_MAX_STREAMS = 20_000


class Codec(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without more input."""

    @property
    def unused_data(self) -> bytes:
        """What was found behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to so many inflated bytes."""


class Zlib:
    """`zlib.decompressobj` with the interface of its neighbours."""

    def __init__(self, window: int) -> None:
        self._inner = zlib.decompressobj(window)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out without more input."""
        return not self._inner.unconsumed_tail and not self._inner.eof

    @property
    def unused_data(self) -> bytes:
        """What was found behind the end of the stream."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to so many inflated bytes."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)

    @property
    def waiting(self) -> int:
        """Compressed bytes that were handed in and not looked at yet."""
        return len(self._inner.unconsumed_tail) + len(self._inner.unused_data)


class Plain:
    """No compression at all."""

    eof = False
    unused_data = b""

    def __init__(self) -> None:
        self._held = b""

    @property
    def needs_input(self) -> bool:
        """Whether everything was handed out."""
        return not self._held

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """The bytes as they are."""
        whole = self._held + data
        self._held = whole[max_length:]
        return whole[:max_length]


def raw_deflate() -> Codec:
    """For members of zip files."""
    return Zlib(-zlib.MAX_WBITS)


def gzip() -> Codec:
    """For .gz; its check sum is verified at the end of each stream."""
    return Zlib(zlib.MAX_WBITS | 16)


def bzip2() -> Codec:
    """For .bz2."""
    return bz2.BZ2Decompressor()


def xz() -> Codec:
    """For .xz, with a bound for the dictionary."""
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)


class Inflated:
    """The inflated bytes of a file, front to back."""

    def __init__(self, file: BinaryIO, codec: Callable[[], Codec], account: Account) -> None:
        self._file = file
        self._new = codec
        self._codec = codec()
        self._account = account
        self._streams = 1
        #: Read from the file and not handed to the decompressor yet.
        self._compressed = b""
        self._consumed = 0
        self._out = 0
        self._held, self._at = b"", 0
        self._ended = False

    def take(self, count: int) -> bytes:
        """The next bytes, fewer than `count` at the end only.

        Raises:
            ArchiveRefused: the file ends too early, is damaged, or breaks a limit.
        """
        pieces = []
        while True:
            # A position, as cutting off the front copies the rest for each header of 512 bytes.
            piece = self._held[self._at : self._at + count]
            pieces.append(piece)
            self._at += len(piece)
            count -= len(piece)
            if not count or self._ended:
                return b"".join(pieces)
            self._held, self._at = self._more(), 0

    def _more(self) -> bytes:
        if self._codec.eof and not self._next_stream():
            self._ended = True
            return b""
        if self._codec.needs_input and not self._compressed:
            self._compressed = self._file.read(_READ)
            if not self._compressed:
                if not isinstance(self._codec, Plain):
                    raise ArchiveRefused(
                        Refusal.TRUNCATED, "The archive ends in the middle of its data. Send it once more."
                    )
                self._ended = True
                return b""
        self._consumed += len(self._compressed)
        data, self._compressed = self._compressed, b""
        piece = inflate(self._codec, data)
        self._out += len(piece)
        consumed = self._consumed - waiting_in(self._codec)
        self._account.bytes_inflated(len(piece), out=self._out, consumed=consumed)
        return piece

    def _next_stream(self) -> bool:
        """Go on behind the end of a stream, where another may follow, or zeros that fill a block."""
        rest = self._codec.unused_data
        self._consumed -= len(rest)
        rest = rest.lstrip(b"\0")
        while not rest:
            data = self._file.read(_READ)
            if not data:
                return False
            self._account.still_wanted()
            rest = data.lstrip(b"\0")
        self._streams += 1
        if self._streams > _MAX_STREAMS:
            raise ArchiveRefused(
                Refusal.CORRUPT,
                f"The archive consists of more than {_MAX_STREAMS:,} compressed streams. Pack it anew.",
            )
        self._codec = self._new()
        self._compressed = rest
        return True


def inflate(codec: Codec, data: bytes) -> bytes:
    """The next piece of a stream.

    Raises:
        ArchiveRefused: it is damaged.
    """
    try:
        return codec.decompress(data, PIECE)
    except lzma.LZMAError as error:
        if "memory" in str(error).lower():
            raise ArchiveRefused(
                Refusal.TOO_LARGE,
                f"Unpacking needs more than {_XZ_MEMORY // 2**20} MB of memory. Compress with a smaller dictionary, such as `xz -6`.",
            ) from error
        raise _damaged(error) from error
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> ArchiveRefused:
    return ArchiveRefused(
        Refusal.CORRUPT, f"The compressed data of the archive are damaged ({error}). Send it once more."
    )


def waiting_in(codec: Codec) -> int:
    """Compressed bytes that were handed in and have not come out yet, as far as the decompressor tells."""
    return codec.waiting if isinstance(codec, Zlib) else len(codec.unused_data)
