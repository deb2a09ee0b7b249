"""How findings, routes and code stand in an answer. Names of the project are data: on one line, and never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt

from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.replies.excerpts import excerpt, inline, patch
from fastapi_architect.persona.replies.migrations import index_migration
from fastapi_architect.report.explain import fenced
from fastapi_architect.report.wording import counted, printable

__all__ = [
    "cell",
    "code",
    "commands",
    "counted",
    "detail",
    "findings_table",
    "line",
    "place",
    "rated",
    "routes_table",
    "table",
]

_MAX_SENTENCE = 220


def line(text: str, limit: int = 0) -> str:
    """A text of the project or the engine on one line; nothing in it can begin a heading or a block."""
    flat = " ".join(printable(text).split())
    if limit and len(flat) > limit:
        flat = flat[: limit - 3].rstrip() + "..."
        flat += "`" if flat.count("`") % 2 else ""
    return flat


def cell(text: str, limit: int = 160) -> str:
    """A text for a cell of a table."""
    return line(text, limit).replace("|", "\\|")


def place(finding: Document) -> str:
    """`file:line rule` as every answer cites a finding."""
    return f"`{line(finding['file'])}:{finding['line']}` {finding['rule']}"


def rated(finding: Document) -> str:
    """Severity, weakness and score, as far as the finding has them."""
    score = f"CVSS {finding['cvss_score']}" if finding.get("cvss_score") is not None else ""
    weakness = (finding.get("cwe") or "") if finding["category"] == "security" else ""
    return ", ".join(each for each in (finding["severity"], weakness, score) if each)


def detail(finding: Document, hands: Hands, *, number: int = 0) -> str:
    """A finding with its reason, its exploit or symptom, and its fix as code that fits the file."""
    begin = f"**{number}.** " if number else ""
    parts = [f"{begin}{place(finding)} ({rated(finding)}): {line(finding['issue'], _MAX_SENTENCE)}"]
    if finding.get("exploit"):
        label = "Exploit" if finding["category"] == "security" else "Shows as"
        parts.append(f"{label}: {line(finding['exploit'], _MAX_SENTENCE)}")
    said = line(suggestion_text(finding), _MAX_SENTENCE)
    shown = fix_code(finding, hands)
    if not shown and (one_line := inline(finding)):
        said = f"{said.rstrip('.')}: `{one_line}`"
    if said:
        parts.append(f"Fix: {said}")
    if shown:
        parts.append(shown)
    elif "```" in (finding.get("suggestion") or "") and not inline(finding):
        parts.append(f"`architect explain {finding['rule']}` shows bad and good code.")
    return "\n\n".join(parts)


def fix_code(finding: Document, hands: Hands) -> str:
    """The fix as a block: a migration, a patch, else an excerpt of the file; "" where neither is whole, or it would show a secret."""
    root = hands.workspace.root
    migration = index_migration(hands, finding)
    if migration:
        return migration
    made = patch(finding, root)
    block = fenced(made, "diff") if made else ""
    if not block:
        shown = excerpt(finding, root, hands.imports)
        block = fenced(shown) if shown else ""
    return "" if hands.redaction.kinds_in(block) else block


def suggestion_text(finding: Document) -> str:
    """What a suggestion says before its first code."""
    text = finding.get("suggestion") or ""
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline":
            return str(token.content).rstrip(":").rstrip() + (
                "." if token.content.rstrip().endswith(":") else ""
            )
        if token.type == "fence":
            break
    return ""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown; cells have to be clean."""
    lines = [" | ".join(heads), " | ".join("---" for _ in heads), *(" | ".join(row) for row in rows)]
    return "\n".join(f"| {each} |" for each in lines)


def findings_table(findings: Sequence[Document]) -> str:
    """Findings as rows."""
    rows = ((place(f), cell(rated(f)), cell(f["issue"])) for f in findings)
    return table(("Where", "Rated", "What is wrong"), rows)


def routes_table(operations: Sequence[Document]) -> str:
    """The authorisation matrix of some routes."""
    heads = ("Route", "Access", "Guards", "Tables", "Queries", "Handler")
    return table(
        heads,
        (
            (
                f"`{cell(o['route'], 80)}`",
                cell(o["access"]),
                cell(", ".join(guard.rpartition(".")[2] for guard in o["guards"]) or "none"),
                cell(", ".join(o["tables"]) or "none", 60),
                str(o["queries"]),
                f"`{line(o['file'])}:{o['line']}`",
            )
            for o in operations
        ),
    )


def commands(*lines: str) -> str:
    """Commands to type."""
    return fenced("\n".join(f"$ {each}" if not each.startswith("#") else each for each in lines), "console")


def code(text: str, language: str = "python") -> str:
    """A block of code; its first line names the file."""
    return fenced(re.sub(r"\n{3,}", "\n\n\n", text), language)
