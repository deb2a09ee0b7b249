"""Which components are there?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import refusing


@dataclass(frozen=True)
class ComponentLine(Answer):
    """A component in one line."""

    name: str
    summary: str
    group: str
    resolves: tuple[str, ...]
    """rules whose findings it answers"""


def components() -> tuple[ComponentLine, ...]:
    """All of them, by name."""
    with refusing():
        return tuple(
            ComponentLine(spec.name, spec.summary, spec.group, spec.resolves)
            for spec in sorted(load_catalog(), key=lambda spec: spec.name)
        )


def component(name: str) -> str:
    """The page of one: use, settings, threat model, what it does not do. Markdown.

    Raises:
        WorkbenchError: there is none of that name; the message names the nearest one.
    """
    with refusing():
        page = load_catalog()[name].folder / "README.md"
    try:
        return page.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{name} has no page; plan_component says what adding it would change"
        raise WorkbenchError(message) from error
