"""Which dependency keeps strangers out, and what it asks of the caller; written on the dependency itself."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

Dependency = TypeVar("Dependency", bound=Callable[..., Any])
_MARK = "__keeps_out__"


class Guard(StrEnum):
    """Whom a dependency keeps out."""

    #: Everybody who has not proved who they are.
    STRANGERS = "strangers"
    #: The same, unless the operation is marked `@public`.
    STRANGERS_BY_DEFAULT = "strangers by default"
    #: Nobody, but it looks who is asking.
    NOBODY = "nobody"


def guard(kind: Guard) -> Callable[[Dependency], Dependency]:
    """Mark a dependency as a guard, so that the check at start-up and OpenAPI know it."""

    def mark(dependency: Dependency) -> Dependency:
        setattr(dependency, _MARK, kind)
        return dependency

    return mark


def kind_of(dependency: object) -> Guard | None:
    """Return whom the dependency keeps out, or None if it is no guard."""
    found: Guard | None = getattr(dependency, _MARK, None)
    return found
