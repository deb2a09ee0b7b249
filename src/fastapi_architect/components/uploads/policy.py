"""What is taken, and how much of it: the decisions that a service may make its own."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from .kinds import DEFAULT_KINDS, Kind
from .repository import UploadRepository
from .storage import Storage

#: Returns how many bytes an owner may still upload. It is asked before a file arrives, and again when it is recorded.
Quota = Callable[[AsyncSession, UUID], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Stored:
    """A file whose bytes are in the storage, and which nobody owns yet."""

    key: str
    name: str
    media_type: str
    size: int
    sha256: str


#: Looks at a stored file, for instance with a virus scanner, and raises to refuse it.
Examiner = Callable[[Storage, Stored], Awaitable[None]]


async def accept_everything(storage: Storage, stored: Stored) -> None:
    """Accept the file."""


def bytes_per_owner(limit: int) -> Quota:
    """Return a quota of so many bytes for each owner."""

    async def left(session: AsyncSession, owner_id: UUID) -> int:
        return limit - await UploadRepository(session, owner_id).used_bytes()

    return left


@dataclass(frozen=True, slots=True)
class UploadPolicy:
    """The rules for uploads.

    Args:
        quota: how much room an owner has.
        kinds: what is taken.
        max_file_bytes: of one file.
        examine: has the last word on each file.
    """

    quota: Quota
    kinds: Sequence[Kind] = DEFAULT_KINDS
    max_file_bytes: int = 10 * 1024 * 1024
    examine: Examiner = accept_everything
