"""The tool `explain_rule`."""

from __future__ import annotations

import difflib
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from fastapi_architect.findings.cvss import score
from fastapi_architect.mcp.workspace import Workspace
from fastapi_architect.report import explain
from fastapi_architect.rules.catalog import all_rules


class RulePage(BaseModel):
    """A rule: what it is about and how much it weighs, and the whole page as Markdown."""

    rule: str
    title: str
    category: str
    severity: str
    cwe: str | None
    cvss_vector: str | None
    cvss_score: float | None
    page: str
    references: list[str]


def register(server: MCPServer, workspace: Workspace) -> None:  # noqa: ARG001 - the same for every tool
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def explain_rule(
        rule: Annotated[str, Field(description="its name, such as sql-injection-raw-statement")],
    ) -> RulePage:
        """Why a rule matters: what goes wrong, how it is exploited, bad and good code, how to silence it."""
        rules = all_rules()
        found = rules.get(rule)
        if found is None:
            near = difflib.get_close_matches(rule, rules, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else "findings of `review` carry the names"
            message = f"there is no rule {rule!r}; {hint}"
            raise ToolError(message)
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
            references=list(info.references),
        )
