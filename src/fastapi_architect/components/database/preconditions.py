"""Nobody overwrites what they have not seen: the version of a row as ETag, and If-Match before a change (RFC 9110, 13.1)."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import Depends, Header

from ..problem_details import PreconditionFailed, ServiceError
from .models import Versioned

_ETAG = re.compile(r'"(\d{1,18})"')


class PreconditionRequired(ServiceError):
    """A change has to say which version it was made for (RFC 6585)."""

    status = HTTPStatus.PRECONDITION_REQUIRED

    def __init__(self) -> None:
        super().__init__("Send If-Match with the ETag of what you have read.")


@dataclass(frozen=True)
class SeenVersion:
    """The versions that the caller has seen; None for `*`, which fits any."""

    versions: frozenset[int] | None

    def require(self, row: Versioned) -> None:
        """Compare with what is there now; the commit compares once more, so that nobody slips in between.

        Raises:
            PreconditionFailed: it is none of the versions that the caller has seen.
        """
        if self.versions is not None and row.version not in self.versions:
            raise PreconditionFailed("It was changed in the meantime. Read it again.")


class HasVersion(Protocol):
    """A row, or what is published of one."""

    @property
    def version(self) -> int:
        """Counted up by each change."""


def etag(row: HasVersion) -> str:
    """Return the ETag of a row."""
    return f'"{row.version}"'


def is_unchanged(row: Versioned, if_none_match: str | None) -> bool:
    """Tell whether the caller has this version already, so that 304 without a body is the answer."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or row.version in _versions(if_none_match)


#: What `is_unchanged` is asked with: `if_none_match: IfNoneMatch = None`.
IfNoneMatch = Annotated[
    str | None, Header(max_length=1_000, description="The ETag of what you have: 304 if nothing has changed.")
]


async def seen_version(
    if_match: Annotated[
        str | None,
        Header(
            max_length=1_000,
            description="The ETag of what you have read.",
            openapi_examples={"version": {"value": '"1"'}},
        ),
    ] = None,
) -> SeenVersion:
    """Return which version the caller has seen.

    Raises:
        PreconditionRequired: they do not say.
    """
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return SeenVersion(None)
    # A weak ETag never matches here (RFC 9110, 8.8.3.2), nor does one that we did not make.
    return SeenVersion(_versions(if_match))


SeenVersionDep = Annotated[SeenVersion, Depends(seen_version)]


def _versions(header: str) -> frozenset[int]:
    found = (_ETAG.fullmatch(part.strip()) for part in header.split(","))
    return frozenset(int(match[1]) for match in found if match)
