"""A file that is arriving, with what the client says about it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """Nothing of it is believed; the bytes can be read once."""

    name: str
    media_type: str
    chunks: AsyncIterator[bytes]
    #: In hexadecimal digits, if the client says it: what arrives is compared with it.
    sha256: str | None = None
