"""`docs/reference/report-json.md`: every key of the JSON report, held against a report that was really written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi_architect.cli.reports import FORMATS
from fastapi_architect.report import json as report
from fastapi_architect.review.config import Config
from fastapi_architect.review.pipeline import Request, review

_EXAMPLE = Path(__file__).parents[2] / "examples" / "bookshop_vulnerable"

#: Keys of the first contract: none of these may go or change its meaning; others may come.
_CONTRACT = frozenset(
    (
        *(
            "agent",
            "color",
            "model",
            "category",
            "severity",
            "score",
            "review_time_ms",
            "strengths",
            "findings",
        ),
        *("findings.file", "findings.line", "findings.end_line", "findings.rule", "findings.severity"),
        *(
            "findings.confidence",
            "findings.issue",
            "findings.reasoning",
            "findings.exploit",
            "findings.suggestion",
        ),
        *("findings.impact", "findings.cwe", "findings.cvss_score", "findings.cvss_vector", "findings.emoji"),
        *("findings.routes", "findings.trace", "findings.fix", "findings.fingerprint", "findings.docs"),
        *("not_analysed", "not_analysed.file", "not_analysed.reason"),
    )
)

_SAYS = {
    "agent": "always `backend-reviewer`",
    "color": "a colour for a user interface",
    "model": "the tool and its version",
    "category": "always `Backend`",
    "severity": "the worst severity of an active finding; `info` when there is none",
    "score": "0 to 100 for the whole project",
    "review_time_ms": "wall time; the only value that differs between two equal runs",
    "strengths": "sentences about what is done throughout, with counts",
    "findings": "all active findings, most severe first",
    "findings.file": "path below the reviewed folder, with `/`",
    "findings.line": "first line, from 1",
    "findings.end_line": "last line",
    "findings.column": "first column, from 0",
    "findings.rule": "the rule's name, its only identity",
    "findings.title": "what the rule is about",
    "findings.category": "one of the seven categories",
    "findings.topic": "the category's part, or the category",
    "findings.severity": "`critical`, `important`, `minor` or `info`, from the facts of the place",
    "findings.confidence": "`certain`, `firm` or `tentative`",
    "findings.issue": "what is wrong here, in the names of the reviewed code",
    "findings.reasoning": "why it is wrong",
    "findings.exploit": "how it is used, or how it shows",
    "findings.suggestion": "how to fix it, with code",
    "findings.impact": "the category, to be read by people",
    "findings.cost": "an estimate for performance findings, such as queries a request; null where none is made",
    "findings.cwe": "such as `CWE-89`, or null",
    "findings.cvss_score": "0.0 to 10.0, or null for what is no vulnerability",
    "findings.cvss_vector": "CVSS 3.1, adjusted by the facts of the place, or null",
    "findings.cvss_notes": "what was adjusted, and why",
    "findings.emoji": "the category's sign",
    "findings.routes": "method and path of the operations that reach it",
    "findings.trace": "the way to the place, step by step: `file`, `line`, `text`",
    "findings.trace.file": "path of the step",
    "findings.trace.line": "line of the step",
    "findings.trace.text": "what happens there",
    "findings.fix": "edits that `architect fix` would make, or null",
    "findings.fix.title": "what they do",
    "findings.fix.safe": "the behaviour stays the same but for the flaw",
    "findings.fix.changes_contract": "clients would notice",
    "findings.fix.edits": "replacements in files, by line and column",
    "findings.fingerprint": "the identity of the finding from one run to the next, whatever lines moved; versioned",
    "findings.application": "file and name of the application it belongs to",
    "findings.symbol": "dotted name of the function or class around it",
    "findings.docs": "the rule's page below the repository",
    "findings.references": "addresses to read on",
    "not_analysed": "what could not be analysed; never left out silently",
    "not_analysed.file": "path",
    "not_analysed.line": "line, or null for the whole file",
    "not_analysed.reason": "why",
    "root": "the reviewed folder as it was given",
    "files": "files read",
    "lines": "lines of Python read",
    "gate": "lowest severity that fails the run",
    "failed": "whether an active, certain or firm finding reaches the gate",
    "grade": "`A` to `E`",
    "score_details": "how the score came about",
    "score_details.raw": "before the ceiling and rounding",
    "score_details.ceiling": "what critical findings leave at most",
    "score_details.criticals": "certain and firm critical findings",
    "score_details.by_category": "the same formula over each category alone",
    "score_details.losses": "points by rule, dearest first: `rule`, `findings`, `points`, `score_after`",
    "applications": "each application found: `name`, `root`, `operations`, `websockets`, `authenticated`, `public`",
    "checklist": "quality and security items: `section`, `title`, `verdict` (`pass`, `fail`, `not-assessed`), `rules`, `findings`, `note`",
    "suppressed": "silenced findings, with `by` and `reason` beside the keys of a finding",
    "left_out": "number of findings in tests, vendored and generated code, by kind",
    "partial": "whether files or lines alone were asked for: SecAPI does not import such a report",
    "notes": "what a reader should know besides, such as comments that silence nothing any more",
}
#: Who reads each format; one without a line stops the generator.
_READERS = {
    "text": "people at a terminal (the default)",
    "concise": "people and editors: a line a finding",
    "json": "programs: this page",
    "sarif": "code scanning (SARIF 2.1.0)",
    "github": "annotations of a GitHub workflow",
    "gitlab": "GitLab's code quality report",
    "markdown": "a comment of a pull request",
    "html": "people elsewhere: one page to forward",
}
_TOO_DEEP = ("findings.fix.edits.", "score_details.by_category.", "score_details.losses.")
_NAMED_BY_PARENT = ("applications.", "checklist.", "suppressed.", "left_out.")


def pages() -> dict[str, str]:
    """Path below `docs/` to text.

    Raises:
        ValueError: a key of a real report is not described, or one that is described does not exist.
    """
    written = report.document(review(Request(_EXAMPLE, Config(), cache=False)))
    # The example parses throughout, so that this list is empty there.
    written["not_analysed"] = [{"file": "", "line": None, "reason": ""}]
    keys = {
        key: value
        for key, value in _keys(written).items()
        if not key.startswith((*_TOO_DEEP, *_NAMED_BY_PARENT))
    }
    if set(keys) != set(_SAYS):
        raise ValueError(f"docs/pages/report.py: {sorted(set(keys) ^ set(_SAYS))}")
    lines = [
        "# JSON report",
        "",
        "`architect review --format json` writes one document. The keys marked with * are a contract: they stay, with their meaning;",
        "others may join them. Equal input gives equal bytes, but for `review_time_ms`.",
        "",
        "| key | type | what it says |",
        "|---|---|---|",
    ]
    for key, said in _SAYS.items():
        mark = " *" if key in _CONTRACT else ""
        lines.append(f"| `{key}`{mark} | {keys[key]} | {said} |")
    lines += [
        "",
        "## Other formats",
        "",
        "| format | for whom |",
        "|---|---|",
        *(f"| `{name}` | {_READERS[name]} |" for name in FORMATS),
        "",
    ]
    return {"reference/report-json.md": "\n".join(lines)}


def _keys(value: Mapping[str, Any], above: str = "") -> dict[str, str]:
    """Dotted key to the types seen; lists of objects are looked into."""
    seen: dict[str, set[str]] = {}
    for key, each in value.items():
        seen.setdefault(f"{above}{key}", set()).add(_type(each))
        inner = [each] if isinstance(each, Mapping) else each if isinstance(each, list) else []
        for item in inner:
            if isinstance(item, Mapping):
                for name, types in _keys(item, f"{above}{key}.").items():
                    seen.setdefault(name, set()).update(types.split(" or "))
    return {key: " or ".join(sorted(types, key=lambda t: (t == "null", t))) for key, types in seen.items()}


def _type(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "true/false", int: "number", float: "number", str: "text", list: "list"}
    return names.get(type(value), "object")
