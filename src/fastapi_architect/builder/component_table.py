"""The table of components in the README of a project that `architect new` made."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi_architect.builder.catalog import ComponentSpec

FILE = "README.md"
_TABLE = re.compile(r"^\| component \| what it does \|\n\|[-| :]+\|\n(?P<rows>(?:\|.*\n)*)", re.MULTILINE)
_NAMED = re.compile(r"\]\(app/components/(\w+)/?\)")


def with_rows(text: str, specs: Iterable[ComponentSpec]) -> str:
    """The README with a row for each of these components that its table does not have; as it is where there is no table."""
    found = _TABLE.search(text)
    if found is None:
        return text
    rows = found["rows"].splitlines()
    known = {name for row in rows for name in _NAMED.findall(row)}
    rows += [
        f"| [{spec.title}](app/components/{spec.name}) | {spec.summary} |"
        for spec in specs
        if spec.name not in known
    ]
    return text[: found.start("rows")] + "".join(f"{row}\n" for row in rows) + text[found.end("rows") :]
