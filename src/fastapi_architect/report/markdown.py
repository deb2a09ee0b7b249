"""The review as Markdown for the comment of a pull request and the summary of a job.

Reviewed code is hostile. What is quoted from it stands in `<code>` or in a fenced block, where GitHub and GitLab look for no
mentions, links, references and quick actions; every sign that means something in Markdown or HTML is a numeric reference,
which never does. The text keeps below the size that GitHub accepts of a comment, and says what it left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review
from fastapi_architect.source.lazy_pattern import lazy_pattern

#: UTF-16 units; GitHub refuses a comment of more than 65,536 characters.
MOST = 64_000
#: By which a bot finds its own comment, to replace it.
MARK = "<!-- fastapi-architect -->"

_ROWS = 40
_SENTENCE, _PARAGRAPH, _CODE, _NAME = 300, 1200, 2400, 160
_NOTES = 10
#: Kept for what was left out, and for closing what is open.
_RESERVE = 1500
#: Signs that mean something in Markdown or HTML where they stand.
_IN_CODE = r"[&<>`*\[\]\\|~!$]|(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])|:(?=//)|(?<=www)\."
_CODE_SIGNS = lazy_pattern(_IN_CODE, re.IGNORECASE)
_SIGNS = lazy_pattern(rf"{_IN_CODE}|[@#]|:(?=\S)", re.IGNORECASE)
_SPAN = lazy_pattern(r"(`+)(?P<code>.+?)(?<!`)\1(?!`)", re.DOTALL)
_FENCE = lazy_pattern(
    r"^(?P<fence>`{3,})(?P<language>\w*)[^\n`]*\n(?P<code>.*?)\n(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)
#: Where platforms find links and mentions in text that is HTML already; addresses of mail in code, too.
_LINKED = lazy_pattern(
    r"(?<=[@#!$%&~^])(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\bGH)(?=-\d)",
    re.IGNORECASE,
)
_COMMIT = lazy_pattern(r"\b[0-9a-f]{7,}\b", re.IGNORECASE)
_MAILED = lazy_pattern(r"(?<=@)(?=\w)")
_WORD_JOINER = "\u2060"
_SEVERITY = {Severity.CRITICAL: "🔴", Severity.IMPORTANT: "🟠", Severity.MINOR: "🟡", Severity.INFO: "⚪"}


def render(review: Review, *, prefix: str = "", most: int = MOST) -> str:
    """The report, the gravest first.

    Args:
        review: what to render.
        prefix: path from the repository's root to the reviewed folder, "" when they are the same.
        most: its greatest length, in UTF-16 units.
    """
    page = _Page(most - _RESERVE)
    for line in _head(review):
        page.add(line)
    rows = _tables(page, review, prefix)
    details = sum(page.add(_details(finding, prefix)) for finding in review.findings[:rows])
    page.add(_beside(review))
    return f"{page.text()}{_left_out(review, rows, details)}"


class _Page:
    """Pieces in order, as many as there is room for; a piece is whole or absent."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._pieces: list[str] = []

    def add(self, piece: str) -> bool:
        """Add a piece; False where there is no room for it."""
        size = len(piece.encode("utf-16-le")) // 2
        if size > self._room:
            return False
        self._room -= size
        self._pieces.append(piece)
        return True

    def text(self) -> str:
        return "".join(self._pieces)


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


def _head(review: Review) -> Iterator[str]:
    score = review.score
    verdict = "" if review.gate == "none" else f" · gate {'failed ❌' if review.failed else 'passed ✅'}"
    yield f"{MARK}\n### 🏛️ fastapi-architect\n\n"
    if not review.files and not review.findings:
        yield "Nothing was found to review.\n"
        return
    if review.partial:
        # The score of some lines would read like that of the project.
        yield f"**{wording.severities(review)}** in what was changed{verdict}\n"
    else:
        yield f"**Score {score.value}/100 ({score.grade})** · {wording.severities(review)}{verdict}\n"
    known = sum(each.by == "baseline" for each in review.suppressed)
    if known:
        verb = "is" if known == 1 else "are"
        yield f"\nOnly what is new is listed: {wording.counted(known, 'finding')} more {verb} known since the baseline.\n"


def _tables(page: _Page, review: Review, prefix: str) -> int:
    """Security first, then the rest; how many findings have a row."""
    rows = 0
    security = [f for f in review.findings if f.rule.category is Category.SECURITY]
    others = [f for f in review.findings if f.rule.category is not Category.SECURITY]
    for title, group in ((f"{Category.SECURITY.emoji} Security", security), ("🏗️ Everything else", others)):
        shown = group[: _ROWS - rows]
        if not shown or not page.add(f"\n#### {title} ({len(group)})\n\n| | Where | What |\n|---|---|---|\n"):
            continue
        for finding in shown:
            if not page.add(_row(finding, prefix)):
                return rows
            rows += 1
    return rows


def _row(finding: Finding, prefix: str) -> str:
    rating = [
        wording.cwe_name(finding.rule),
        f"CVSS {finding.cvss_score}" if finding.cvss_score is not None else "",
    ]
    unsure = "tentative" if finding.confidence is Confidence.TENTATIVE else ""
    facts = ", ".join(each for each in (*rating, unsure) if each)
    what = _inline(_clipped(finding.issue, _SENTENCE)) + (f" ({facts})" if facts else "")
    return (
        f"| {_SEVERITY[finding.severity]} {finding.severity.value} | {_place(finding, prefix)} | {what} |\n"
    )


def _details(finding: Finding, prefix: str) -> str:
    label = "Exploit" if finding.rule.cvss_vector else "Shows"
    said = (
        ("Why", wording.reasoning(finding)),
        (label, wording.exploit(finding)),
        ("Routes", ", ".join(f"`{route}`" for route in finding.routes)),
    )
    paragraphs = [f"**{name}**: {_inline(_clipped(text, _PARAGRAPH))}\n\n" for name, text in said if text]
    hint = f"`architect explain {finding.rule.name}`"  # a rule's name is ours
    return (
        f"\n<details><summary>{_SEVERITY[finding.severity]} {_code(finding.rule.name)} {_place(finding, prefix)}</summary>\n\n"
        f"{_inline(_clipped(finding.issue, _PARAGRAPH))}\n\n{''.join(paragraphs)}{_fix(finding)}{hint}\n\n</details>\n"
    )


def _fix(finding: Finding) -> str:
    """The suggestion: prose as text, code as code."""
    suggestion = wording.suggestion(finding).strip("\n")
    if not suggestion:
        return ""
    if "```" not in suggestion:
        return f"**Fix**\n\n{_block(suggestion)}"
    first = _FENCE.search(suggestion)
    says_what = first is None or bool(suggestion[: first.start()].strip())
    pieces, at = ["**Fix**: " if says_what else "**Fix**\n\n"], 0
    for found in _FENCE.finditer(suggestion):
        pieces += [_prose(suggestion[at : found.start()]), _block(found["code"], found["language"])]
        at = found.end()
    return "".join([*pieces, _prose(suggestion[at:])])


def _prose(text: str) -> str:
    return f"{_inline(_clipped(text, _PARAGRAPH))}\n\n" if text.strip() else ""


def _beside(review: Review) -> str:
    """What a reader would otherwise take for silence."""
    lines = [
        f"{_code(f'{each.file}:{each.line or 1}')} was not analysed: {_inline(each.reason)}"
        for each in review.not_analysed
    ]
    lines += [_inline(_clipped(note, _SENTENCE)) for note in review.notes]
    if not lines:
        return ""
    more = f"- ... and {len(lines) - _NOTES} more\n" if len(lines) > _NOTES else ""
    listed = "".join(f"- {line}\n" for line in lines[:_NOTES])
    return f"\n<details><summary>Notes ({len(lines)})</summary>\n\n{listed}{more}\n</details>\n"


def _left_out(review: Review, rows: int, details: int) -> str:
    """Said of every finding that has no row or no details."""
    total = len(review.findings)
    parts = [f"{wording.counted(total - rows, 'finding')}"] if rows < total else []
    parts += [f"details of {wording.counted(rows - details, 'finding')}"] if details < rows else []
    if not parts:
        return ""
    return f"\n**Left out here, for its length**: {' and '.join(parts)}. `architect review --all` shows everything.\n"


# ── text that may be hostile ─────────────────────────────────────────────────────────────────────────────────────


def _clipped(text: str, longest: int) -> str:
    text = " ".join(wording.printable(text).split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    return f"{cut}…" + ("`" if cut.count("`") % 2 else "")


def _inline(text: str) -> str:
    """One line of prose; what it quotes in backticks becomes code."""
    text = " ".join(wording.printable(text).split())
    pieces, at = [], 0
    for found in _SPAN.finditer(text):
        pieces += [_escaped(text[at : found.start()]), _code(found["code"])]
        at = found.end()
    return "".join([*pieces, _escaped(text[at:])])


def _escaped(text: str) -> str:
    """Text that is nothing but text: no markup, no mention, no link."""
    parted = _COMMIT.sub(lambda match: _WORD_JOINER.join(re.findall(r".{1,6}", match[0])), text)
    return _referenced(_SIGNS, _LINKED.sub(_WORD_JOINER, parted))


def _referenced(signs: re.Pattern[str], text: str) -> str:
    return signs.sub(lambda match: f"&#{ord(match[0])};", text)


def _code(text: str) -> str:
    """Code inside a line, whatever it holds."""
    flat = " ".join(_clipped(text, _NAME).split())
    return f"<code>{_referenced(_CODE_SIGNS, _MAILED.sub(_WORD_JOINER, flat))}</code>"


def _place(finding: Finding, prefix: str) -> str:
    path = f"{prefix.rstrip('/')}/{finding.location.path}" if prefix else finding.location.path
    return _code(f"{path}:{finding.location.line}")


def _block(code: str, language: str = "") -> str:
    """A fenced block that nothing in it can end."""
    text = wording.printable(code).strip("\n")
    if len(text) > _CODE:
        text = f"{text[:_CODE]}\n# ... cut here"
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language or 'python'}\n{text}\n{fence}\n\n"
