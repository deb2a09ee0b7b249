"""Looks at a file while it arrives."""

import hashlib
from collections.abc import Sequence

from ..problem_details import TooLarge, UnsupportedMedia
from .kinds import HEAD, TAIL, Kind


def kind_of(name: str, media_type: str, kinds: Sequence[Kind]) -> Kind:
    """Return the kind that a file claims to be.

    Raises:
        UnsupportedMedia: it is not taken, or its name says something else than its type.
    """
    for kind in kinds:
        if kind.media_type == media_type:
            if name.lower().endswith(kind.extensions):
                return kind
            raise UnsupportedMedia(
                f"A file of this type has a name that ends in {' or '.join(kind.extensions)}."
            )
    raise UnsupportedMedia(f"Files of these types are taken: {', '.join(kind.media_type for kind in kinds)}.")


class Inspection:
    """Counts and checks the bytes of one file.

    Args:
        kind: what it claims to be.
        limit: how many bytes it may have.
    """

    def __init__(self, kind: Kind, limit: int) -> None:
        self._kind = kind
        self._limit = limit
        self._head = b""
        self._tail = bytearray()
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The checksum of what has arrived, in hexadecimal digits."""
        return self._hash.hexdigest()

    def add(self, chunk: bytes) -> None:
        """Look at what arrived, before it is stored.

        Raises:
            TooLarge: it is too much by now.
            UnsupportedMedia: it begins as something else.
        """
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(f"A file has at most {self._limit} bytes here.")
        self._hash.update(chunk)
        self._tail += chunk
        if (
            len(self._tail) > 4 * TAIL
        ):  # seldom: a client that sends single bytes must not make us copy for each
            del self._tail[:-TAIL]
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
            if len(self._head) == HEAD:
                self._check_beginning()

    def finish(self) -> None:
        """Look at the file as a whole.

        Raises:
            UnsupportedMedia: it is something else, or something else besides.
        """
        self._check_beginning()
        if not self._kind.is_whole(self._head, bytes(self._tail[-TAIL:]), self.size):
            raise UnsupportedMedia(
                f"This {self._kind.media_type} is cut off, or something is appended to it that does not belong there."
            )

    def _check_beginning(self) -> None:
        if not self._kind.begins(self._head):
            raise UnsupportedMedia(f"The content of this file is not {self._kind.media_type}.")
