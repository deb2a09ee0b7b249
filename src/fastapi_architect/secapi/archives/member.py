"""One entry of an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec


class Member(msgspec.Struct, frozen=True):
    """One entry, whatever the archive's format.

    Attributes:
        name: as the archive writes it.
        size: as the archive tells it, which nobody has to believe.
        pieces: its content, counted while it is inflated.
        is_folder: it has no content.
        problem: why nobody should want its content: a link, a device.
        backslashes: they may separate folders in its name.
    """

    name: str
    size: int
    pieces: Callable[[], Iterator[bytes]]
    is_folder: bool = False
    problem: str | None = None
    backslashes: bool = False
