"""How much of an archive is taken, and the account that is kept while it is read."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from fastapi_architect.secapi.archives.refusal import ArchiveRefused, Refusal, UnpackingCancelled
from fastapi_architect.source.tree import readable_size

#: Seconds between two questions whether the result is still wanted: a database may have to be asked.
_ASK_EVERY = 0.5


class ArchiveLimits(msgspec.Struct, frozen=True):
    """Limits of one archive.

    Those in the first group refuse the archive; a member beyond one of the second group is skipped, which the result
    says.

    Attributes:
        upload_bytes: of the archive itself.
        members: entries of any kind, folders included.
        total_bytes: inflated, together.
        ratio: inflated bytes for one that was sent, once `ratio_after` bytes have been inflated.
        seconds: of wall clock, for all of it.
        file_bytes: of one member.
        depth: folders above a member, and the member.
        name_bytes: of a member's name, in UTF-8.
    """

    upload_bytes: int = 200_000_000
    members: int = 50_000
    total_bytes: int = 1_000_000_000
    ratio: int = 100
    ratio_after: int = 1_000_000
    seconds: float = 120.0

    file_bytes: int = 20_000_000
    depth: int = 40
    name_bytes: int = 1_024


class Account:
    """What has been read of one archive so far. Headers are not asked: only what was inflated counts."""

    def __init__(self, limits: ArchiveLimits, cancelled: Callable[[], bool] | None = None) -> None:
        self.limits = limits
        self.members = 0
        self.inflated = 0
        self._cancelled = cancelled
        self._end = time.monotonic() + limits.seconds
        self._ask_at = 0.0

    def check_upload(self, size: int) -> None:
        """Refuse an archive that is larger than what is taken."""
        if size > self.limits.upload_bytes:
            raise ArchiveRefused(
                Refusal.UPLOAD_TOO_LARGE,
                f"The archive is larger than {readable_size(self.limits.upload_bytes)} ({readable_size(size)}). "
                "Leave out what is not source code.",
            )

    def member(self) -> None:
        """Count one entry.

        Raises:
            ArchiveRefused: there are too many, or it takes too long.
            UnpackingCancelled: nobody wants the result any more.
        """
        self.members += 1
        if self.members > self.limits.members:
            raise ArchiveRefused(
                Refusal.TOO_MANY_MEMBERS,
                f"The archive has more than {self.limits.members:,} entries. Leave out what is not source code.",
            )
        self.still_wanted()

    def bytes_inflated(self, count: int, *, out: int, consumed: int) -> None:
        """Count inflated bytes.

        Args:
            count: of bytes that are new.
            out: inflated bytes of this compressed stream so far.
            consumed: compressed bytes that they came from.

        Raises:
            ArchiveRefused: there are too many of them, or far more than were sent, or it takes too long.
            UnpackingCancelled: nobody wants the result any more.
        """
        self.inflated += count
        self.check_total(self.inflated)
        self.check_ratio(out, consumed)
        self.still_wanted()

    def check_total(self, size: int) -> None:
        """Refuse an archive that holds (or says that it holds) more than is taken."""
        if size > self.limits.total_bytes:
            raise ArchiveRefused(
                Refusal.TOO_LARGE,
                f"The archive holds more than {readable_size(self.limits.total_bytes)}. Leave out what is not source code.",
            )

    def check_ratio(self, inflated: int, compressed: int) -> None:
        """Refuse a stream that grows (or says that it grows) beyond what files do."""
        if inflated > self.limits.ratio_after and inflated > self.limits.ratio * max(compressed, 1):
            raise ArchiveRefused(
                Refusal.COMPRESSION_RATIO,
                f"A file of the archive grows more than {self.limits.ratio} times when it is unpacked, as a decompression bomb "
                "does. Leave that file out.",
            )

    def still_wanted(self) -> None:
        """Refuse to go on after the time is over or the scan was cancelled."""
        now = time.monotonic()
        if now > self._end:
            raise ArchiveRefused(
                Refusal.TOOK_TOO_LONG,
                f"The archive was not unpacked within {self.limits.seconds:g} seconds. Leave out what is not source code.",
            )
        if self._cancelled is not None and now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY
            if self._cancelled():
                raise UnpackingCancelled
