"""The review for people who read a terminal: security first, what matters most, and what to type next."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.order import Selection, select
from fastapi_architect.findings.severity import Severity
from fastapi_architect.report import wording
from fastapi_architect.review.result import Review

_WIDTH = 100
_LEAST_WIDTH = 60
_LABEL = 9
_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.IMPORTANT: "yellow",
    Severity.MINOR: "cyan",
    Severity.INFO: "dim",
}
_VERDICTS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "not-assessed": ("?", "dim")}
_LOSSES = 10
#: Kinds of files as people name them; kinds that are not here are names already.
_PLACES = {
    "example": "examples",
    "generated": "generated code",
    "test": "tests",
    "vendored": "vendored code",
}


class Line(msgspec.Struct, frozen=True):
    """One line of the report and how a terminal shows it."""

    text: str = ""
    style: str = ""


def render(review: Review, *, everything: bool = False) -> str:
    """The report as plain text, the same in any pipe.

    Args:
        review: what to render.
        everything: show all findings; otherwise see `findings.order.select`.
    """
    return "".join(f"{line.text}\n" for line in lines(review, everything=everything))


def show(review: Review, stream: TextIO, *, everything: bool = False) -> None:
    """Write the report to a stream, in colour where it is a terminal."""
    if not stream.isatty():
        stream.write(render(review, everything=everything))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, soft_wrap=True, highlight=False, emoji=False, markup=False)
    width = max(_LEAST_WIDTH, min(_WIDTH, console.width))
    for line in lines(review, everything=everything, width=width):
        console.print(Text(line.text, style=line.style))


def lines(review: Review, *, everything: bool = False, width: int = _WIDTH) -> Iterator[Line]:
    """The report line by line; whatever the reviewed tree contains, no line steers the terminal."""
    yield from map(_shown, _lines(review, everything=everything, width=width))


def of_finding(finding: Finding, *, width: int = _WIDTH) -> Iterator[Line]:
    """One finding alone, as the report shows it."""
    yield from map(_shown, _finding(finding, width))


def _shown(line: Line) -> Line:
    return Line(wording.printable(line.text).replace("\n", "\\n"), line.style)


def _lines(review: Review, *, everything: bool, width: int) -> Iterator[Line]:
    selection = select(review.findings, everything=everything)
    yield from _head(review)
    if not review.files and not review.findings:
        # A score of nothing would read like praise.
        yield from _not_shown(review, selection)
        return
    for finding in selection.shown:
        yield Line()
        yield from _finding(finding, width)
    yield Line()
    yield from _score(review)
    yield from _checklist(review)
    yield from _strengths(review)
    yield from _not_shown(review, selection)
    yield from _next(review, selection)


def _head(review: Review) -> Iterator[Line]:
    size = f"{wording.counted(review.files, 'file')}, {wording.counted(review.lines, 'line')}"
    yield Line(f"Review of {review.root}: {size}", "bold")
    for each in review.applications:
        parts = [wording.counted(each.operations, "operation")]
        if each.websockets:
            parts.append(wording.counted(each.websockets, "websocket"))
        parts.append(f"{each.authenticated} behind a sign-in, {each.public} public")
        yield Line(f"  {each.name} ({each.root}): {', '.join(parts)}")


def _finding(finding: Finding, width: int) -> Iterator[Line]:
    rule = finding.rule
    title = f"{rule.category.emoji} {finding.severity.value.upper()} {rule.name}  {finding.location}"
    yield Line(title, _STYLES[finding.severity])
    yield from _wrapped("", finding.issue, width, "bold")
    yield from _wrapped("Why", wording.reasoning(finding), width)
    yield from _wrapped("Exploit" if rule.cvss_vector else "Shows", wording.exploit(finding), width)
    yield from _wrapped("Routes", ", ".join(finding.routes), width)
    for number, step in enumerate(finding.trace):
        yield from _wrapped("Path" if number == 0 else " ", f"{step.location}  {step.text}", width)
    yield from _fix(finding, width)
    yield from _wrapped("Rated", _rating(finding), width, "dim")


def _fix(finding: Finding, width: int) -> Iterator[Line]:
    """The suggestion: prose is wrapped, code stays as it is."""
    label = "Fix"
    suggestion = wording.suggestion(finding).strip("\n")
    in_code, has_fences = False, "```" in suggestion
    says_what = has_fences and not suggestion.lstrip().startswith("```")
    if finding.fix is not None and not says_what:
        yield from _wrapped(label, finding.fix.title, width)
        label = " "
    for line in suggestion.split("\n") if suggestion else []:
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif has_fences and not in_code:
            yield from _wrapped(label, line, width)
            label = " "
        else:
            yield Line(f"   {label:<{_LABEL}}{line}".rstrip(), "green")
            label = " "


def _rating(finding: Finding) -> str:
    parts = [wording.cwe_name(finding.rule)]
    if finding.cvss_score is not None:
        parts.append(f"CVSS {finding.cvss_score} ({finding.cvss_vector})")
    elif finding.rule.cvss_vector:
        parts.append("not scored")
    parts.append(finding.confidence.value)
    return ", ".join(part for part in (*parts, *finding.cvss_notes) if part)


def _wrapped(label: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    if not text:
        return
    pieces = []
    room = width - 3 - (_LABEL if label else 0)
    for line in text.split("\n"):
        pieces += textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False) or [""]
    for number, piece in enumerate(pieces):
        start = f"   {label:<{_LABEL}}" if label and number == 0 else "   " + (" " * _LABEL if label else "")
        yield Line(f"{start}{piece}".rstrip(), style)


def _score(review: Review) -> Iterator[Line]:
    score = review.score
    style = "bold green" if score.value >= 75 else "bold yellow" if score.value >= 40 else "bold red"
    yield Line(f"Score {score.value}/100 ({score.grade}): {wording.severities(review)}", style)
    if score.losses:
        yield Line("Fix these next:")
    width = max((len(loss.rule.name) for loss in score.losses[:_LOSSES]), default=0)
    for loss in score.losses[:_LOSSES]:
        count = wording.counted(loss.findings, "finding")
        # Under a ceiling, or far below zero, one rule alone moves nothing: then there is nothing to promise.
        gain = f"; fixed, the score is {loss.score_after}" if loss.score_after > score.value else ""
        yield Line(f"  {-loss.points:6.1f}  {loss.rule.name:<{width}}  {count}{gain}")
    rest = score.losses[_LOSSES:]
    if rest:
        points = sum(loss.points for loss in rest)
        yield Line(f"  {-points:6.1f}  {wording.counted(len(rest), 'more rule')}")
    if score.ceiling < score.raw:
        count = wording.counted(score.criticals, "critical finding")
        yield Line(f"  {score.ceiling - score.raw:6.1f}  ceiling: {count}")
    if review.gate != "none":
        verdict = "failed" if review.failed else "passed"
        yield Line(f"Gate ({review.gate} and worse): {verdict}", "red" if review.failed else "green")


def _checklist(review: Review) -> Iterator[Line]:
    if not review.checklist:
        return
    counts = Counter(item.verdict for item in review.checklist)
    yield Line()
    yield Line(
        f"Checklist: {counts['pass']} pass, {counts['fail']} fail, {counts['not-assessed']} not assessed",
        "bold",
    )
    section = ""
    for item in review.checklist:
        if item.section != section:
            section = item.section
            yield Line(f"  {section}")
        sign, style = _VERDICTS[item.verdict]
        note = f" ({_shortened(item.note)})" if item.verdict != "pass" else ""
        yield Line(f"    {sign} {item.title}{note}", style)


def _shortened(note: str) -> str:
    """At most two of the names that a note lists; the JSON report has them all."""
    names = note.split(", ")
    return note if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _strengths(review: Review) -> Iterator[Line]:
    if review.strengths:
        yield Line()
        yield Line("Strengths", "bold")
    for strength in review.strengths:
        yield Line(f"  + {strength.text}", "green")


def _not_shown(review: Review, selection: Selection) -> Iterator[Line]:
    """What a reader would otherwise take for silence."""
    if review.not_analysed:
        yield Line()
        yield Line(f"Not analysed ({len(review.not_analysed)})", "bold yellow")
    for each in review.not_analysed:
        place = f"{each.file}:{each.line}" if each.line else each.file
        yield Line(f"  {place}: {each.reason}")
    if review.notes:
        yield Line()
        yield Line("Notes", "bold")
    for note in review.notes:
        yield Line(f"  {note}")
    left_out = [
        f"{count} in {_PLACES.get(kind, kind)}" for kind, count in sorted(review.left_out.items()) if count
    ]
    by = Counter(each.by for each in review.suppressed)
    left_out += [f"{count} silenced by {name}" for name, count in sorted(by.items())]
    if left_out or selection.hidden:
        yield Line()
    if left_out:
        yield Line(f"Left out: {', '.join(left_out)}")
    if selection.hidden:
        kept_back = [f"{count} in {category.title}" for category, count in selection.hidden.items()]
        yield Line(f"Not shown: {', '.join(kept_back)}; the score counts them")


def _next(review: Review, selection: Selection) -> Iterator[Line]:
    root = shlex.quote(review.root)
    if selection.hidden:
        command, what = f"architect review {root} --all", "shows every finding"
    elif review.findings:
        worst = review.findings[0].rule.name
        command, what = f"architect explain {worst}", "says more about the gravest finding"
    else:
        command, what = f"architect map {root}", "shows every route and what guards it"
    yield Line()
    yield Line(f"Next: {command}   ({what})", "bold")
