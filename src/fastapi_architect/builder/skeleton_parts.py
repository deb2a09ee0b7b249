"""Parts of the skeleton that a project has only with a component, or only without it.

A file marks them by lines of their own, in the comment signs of its language; parts do not lie in each other:

    # [with tenancy]
    tenant_id: Mapped[UUID]
    # [without tenancy]
    owner_id: Mapped[UUID]
    # [end]

Each project is checked as the one that it becomes, with each component and without: tests/builder/test_generated.py.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from fastapi_architect.builder.errors import CatalogError

_MARK = re.compile(r"\s*(?:#|<!--) \[(?:(with|without) (\w+)|end)\](?: -->)?")
#: "with" or "without", and a component.
_Part = tuple[str | None, str | None]
_OUTSIDE: _Part = (None, None)


def chosen_parts(text: str, components: Collection[str]) -> str:
    """A file of the skeleton as a project with these components has it.

    Raises:
        CatalogError: the marks do not fit together.
    """
    kept: list[str] = []
    part = _OUTSIDE
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        mark = _MARK.fullmatch(line.rstrip("\n"))
        if mark is None:
            if _belongs(part, components):
                kept.append(line)
        elif _follows(part, (mark[1], mark[2])):
            part = (mark[1], mark[2])
        else:
            message = f"line {number} of a file of the skeleton: {line.strip()} does not belong there"
            raise CatalogError(message)
    if part != _OUTSIDE:
        message = f"a file of the skeleton ends inside of its part {part[0]} {part[1]}"
        raise CatalogError(message)
    return "".join(kept)


def _belongs(part: _Part, components: Collection[str]) -> bool:
    """Whether the project has that part."""
    word, component = part
    return word is None or (component in components) is (word == "with")


def _follows(before: _Part, after: _Part) -> bool:
    """A part begins outside of others; its opposite may follow it, and then its end."""
    if after == _OUTSIDE:
        return before != _OUTSIDE
    return before == _OUTSIDE or (before, after[0]) == (("with", after[1]), "without")


def marked_components(text: str) -> frozenset[str]:
    """The components that a file's marks name."""
    return frozenset(mark[2] for line in text.splitlines() if (mark := _MARK.fullmatch(line)) and mark[2])
