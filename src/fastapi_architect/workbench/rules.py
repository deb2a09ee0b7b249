"""Which rules are there?"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.workbench.answer import Answer


@dataclass(frozen=True)
class RuleLine(Answer):
    """A rule in one line."""

    rule: str
    title: str
    category: str
    topic: str
    severity: str
    cwe: str | None


def rules() -> tuple[RuleLine, ...]:
    """All of them, by category and name."""
    infos = sorted(
        (each.info for each in all_rules().values()), key=lambda i: (i.category.value, i.topic, i.name)
    )
    return tuple(
        RuleLine(
            info.name,
            info.title,
            info.category.value,
            info.topic,
            info.severity.value,
            f"CWE-{info.cwe}" if info.cwe else None,
        )
        for info in infos
    )
