"""What a project's README says of its components."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fastapi_architect.builder.catalog import ComponentSpec

FILE = "README.md"
_COMPONENTS = re.compile(
    r"^\| component \| what it does \|\n\|[-| :]+\|\n(?P<rows>(?:\|.*\n)*)", re.MULTILINE
)
_COMPONENT = re.compile(r"\]\(app/components/(\w+)/?\)")
_VARIABLES = re.compile(
    r"^\| variable of components \| what it is \|\n\|[-| :]+\|\n(?P<rows>(?:\|.*\n)*)", re.MULTILINE
)


def with_components(text: str, specs: Iterable[ComponentSpec]) -> str:
    """The README of a project that `architect new` made with a row for each of these components that its table lacks.

    It stays as it is where there is no such table.
    """
    found = _COMPONENTS.search(text)
    if found is None:
        return text
    known = set(_COMPONENT.findall(found["rows"]))
    return _with_rows(
        text,
        found,
        [
            f"| [{spec.title}](app/components/{spec.name}) | {spec.summary} |"
            for spec in specs
            if spec.name not in known
        ],
    )


def with_variables(text: str, specs: Iterable[ComponentSpec], folder: str) -> str:
    """The README with the variables that these components do not start without, below a heading of their own at its end.

    Args:
        text: the README of somebody's project.
        specs: the components.
        folder: where they lie.
    """
    rows = [
        f"| `{each.variable}` | {each.help}"
        + (f" For example `{each.example}`" if each.example else "")
        + " |"
        for spec in specs
        for each in spec.settings
        if each.required and not re.search(rf"\b{each.variable}\b", text)
    ]
    if not rows:
        return text
    found = _VARIABLES.search(text)
    if found is not None:
        return _with_rows(text, found, rows)
    head = text if not text or text.endswith("\n") else f"{text}\n"
    section = (
        "## Components\n\n"
        f"`{folder}` holds components; each has a README of its own. The service and its tests do not start without:\n\n"
        "| variable of components | what it is |\n|---|---|\n"
    )
    return f"{head}\n{section}" + "".join(f"{row}\n" for row in rows)


def _with_rows(text: str, table: re.Match[str], rows: Sequence[str]) -> str:
    end = table.end("rows")
    return text[:end] + "".join(f"{row}\n" for row in rows) + text[end:]
