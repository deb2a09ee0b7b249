"""The tool `review`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.mcp.paging import Cursor, Limit, Next, page
from fastapi_architect.mcp.workspace import Workspace
from fastapi_architect.report import json as report
from fastapi_architect.review import pipeline

Select = Annotated[tuple[str, ...], Field(description="only these categories, topics or rules")]

#: What a short entry leaves out; `explain_rule` and `detail="full"` say it.
_LONG = (
    "reasoning", "exploit", "references", "docs", "emoji", "impact", "category", "topic", "column", "cvss_vector",
    "cvss_notes", "application", "symbol", "trace", "fix", "title",
)  # fmt: skip
_SHOWN_NOTES = 20


class ReviewPage(BaseModel):
    """Some findings of a review, most severe first; `total` counts all that were asked for."""

    folder: Annotated[
        str, Field(description="what was read, relative to the served folder; files are relative to it")
    ]
    score: Annotated[int, Field(description="0 to 100, of the whole project")]
    failed: Annotated[bool, Field(description="findings at or above the project's gate")]
    files: int
    lines: int
    by_severity: Annotated[dict[str, int], Field(description="of all findings that were asked for")]
    total: int
    findings: list[dict[str, Any]]
    not_analysed: Annotated[list[str], Field(description="what could not be read, and why")]
    notes: list[str]
    next: Next


def register(server: MCPServer, workspace: Workspace) -> None:
    """Offer the tool."""

    @server.tool(annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False))
    def review(
        path: Annotated[
            str, Field(description="folder, or one Python file, relative to the served folder")
        ] = ".",
        select: Annotated[tuple[str, ...], Field(description="only these categories, topics or rules")] = (),
        severity: Annotated[
            Literal["critical", "important", "minor", "info"], Field(description="lowest severity to list")
        ] = "minor",
        confidence: Annotated[
            Literal["certain", "firm", "tentative"], Field(description="lowest confidence to list")
        ] = "firm",
        changed_since: Annotated[
            str | None, Field(description="a git revision: list findings on lines changed since it only")
        ] = None,
        detail: Annotated[
            Literal["short", "full"], Field(description="full: with reasoning, exploit, trace and fix")
        ] = "short",
        cursor: Cursor = 0,
        limit: Limit = 10,
    ) -> ReviewPage:
        """Review a FastAPI backend without running it: what is wrong, where, and how to fix it, most severe first."""
        place = workspace.path(path)
        with workspace.reading():
            found = pipeline.review(workspace.request(place, select, changed_since=changed_since))
        listed = [
            each
            for each in found.findings
            if each.severity.rank >= Severity(severity).rank
            and each.confidence.rank >= Confidence(confidence).rank
        ]
        shown, following = page(listed, cursor, limit)
        entries = [report.finding_document(each) for each in shown]
        if detail == "short":
            entries = [{k: v for k, v in entry.items() if k not in _LONG} for entry in entries]
        counted = Counter(each.severity.value for each in listed)
        return ReviewPage(
            folder=workspace.name_of(pipeline.project_of(place, within=workspace.root)[0]),
            score=found.score.value,
            failed=found.failed,
            files=found.files,
            lines=found.lines,
            by_severity={each.value: counted[each.value] for each in Severity},
            total=len(listed),
            findings=entries,
            not_analysed=_first([f"{each.file}: {each.reason}" for each in found.not_analysed]),
            notes=_first([*found.notes, *(f"a fault of fastapi-architect: {each}" for each in found.faults)]),
            next=following,
        )


def _first(lines: list[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - _SHOWN_NOTES
    return lines if more <= 0 else [*lines[:_SHOWN_NOTES], f"... and {more} more"]
