"""Why does a rule matter?"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from fastapi_architect.findings.cvss import score
from fastapi_architect.report import explain
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.workbench.answer import Answer
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.workspace import shown


@dataclass(frozen=True)
class RulePage(Answer):
    """A rule: what it is about and how much it weighs, and the whole page as Markdown."""

    rule: str
    title: str
    category: str
    severity: str
    cwe: str | None
    cvss_vector: str | None
    cvss_score: float | None
    page: str
    references: tuple[str, ...]


def explain_rule(rule: str) -> RulePage:
    """What goes wrong, how it is exploited, bad and good code, how to silence it.

    Args:
        rule: its name, such as sql-injection-raw-statement.

    Raises:
        WorkbenchError: no rule is called so; the message names near ones.
    """
    rules = all_rules()
    found = rules.get(rule)
    if found is None:
        near = difflib.get_close_matches(rule, rules, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "findings of `review` carry the names"
        message = f"there is no rule {shown(rule)}; {hint}"
        raise WorkbenchError(message)
    info = found.info
    return RulePage(
        rule=info.name,
        title=info.title,
        category=info.category.value,
        severity=info.severity.value,
        cwe=f"CWE-{info.cwe}" if info.cwe else None,
        cvss_vector=info.cvss_vector,
        cvss_score=score(info.cvss_vector) if info.cvss_vector else None,
        page=explain.render(info),
        references=tuple(info.references),
    )
