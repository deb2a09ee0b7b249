"""Findings silenced in place: `# architect: allow(rule-name[, rule-name]): reason`.

The comment stands behind the line, on the line above, or above, behind or between the decorators and the
first line of a `def` or `class`, and then counts for that whole block. The reason is required. A suppression
without reason, with a name that no rule has, or that silences nothing is a problem of its own: a value for
the report, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

import msgspec

from fastapi_architect.findings.finding import Finding
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location

_DIRECTIVE = lazy_pattern(r"#\s*architect:\s*allow\b(?P<rest>.*)", re.IGNORECASE)
_LOOKALIKE = lazy_pattern(
    r"#\s*architect:\s*(?:\w+\s*[(:\[]|(?:ignore|disable|skip|suppress|silence|noqa|off)\b)", re.IGNORECASE
)
_ALLOW = lazy_pattern(r"\s*\((?P<names>[^()]*)\)\s*(?P<tail>.*)")
_FORM = "# architect: allow(rule-name): reason"


class Comment(msgspec.Struct, frozen=True):
    """One comment as written, with its `#`; `own_line` when nothing but space stands before it."""

    path: str
    line: int
    text: str
    own_line: bool


class Block(msgspec.Struct, frozen=True):
    """The lines of one `def` or `class`.

    Attributes:
        start: its first decorator, or `name_line` where there is none.
        name_line: the line of `def` or `class`.
        end: its last line.
    """

    path: str
    start: int
    name_line: int
    end: int


class Suppression(msgspec.Struct, frozen=True):
    """One well-formed suppression: which rules, why, and the lines of `path` it covers."""

    path: str
    line: int
    rules: tuple[str, ...]
    reason: str
    first: int
    last: int


class SuppressionProblem(msgspec.Struct, frozen=True):
    """A suppression that does not do what its writer hoped; `text` names the next step."""

    location: Location
    text: str


class Suppressed(msgspec.Struct, frozen=True):
    """A finding that a comment, the configuration or the baseline silenced, and by which reason."""

    finding: Finding
    by: str
    reason: str


class Suppressions(msgspec.Struct, frozen=True):
    """What the comments of a tree ask for."""

    suppressions: tuple[Suppression, ...]
    problems: tuple[SuppressionProblem, ...]


class Applied(msgspec.Struct, frozen=True):
    """Findings divided by suppressions: still active, silenced, and suppressions that silenced nothing."""

    active: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    problems: tuple[SuppressionProblem, ...]


def read(comments: Iterable[Comment], blocks: Iterable[Block], known: Collection[str]) -> Suppressions:
    """Read the suppressions among the comments of any number of files.

    Args:
        comments: every comment of the files, in any order.
        blocks: every function and class of the files.
        known: the names of all rules there are.
    """
    found = list(comments)
    own_lines = {(comment.path, comment.line) for comment in found if comment.own_line}
    headers = {
        (block.path, line): block
        for block in sorted(blocks, key=lambda block: (block.path, block.start, -block.end))
        for line in range(block.start, block.name_line + 1)
    }
    suppressions, problems = [], []
    for comment in sorted(found, key=lambda comment: (comment.path, comment.line)):
        rules, reason, mistakes = _parse(comment.text, known)
        place = Location(comment.path, comment.line)
        problems += [SuppressionProblem(place, mistake) for mistake in mistakes]
        if not rules:
            continue
        target = comment.line
        while comment.own_line and (comment.path, target) in own_lines:
            target += 1
        block = headers.get((comment.path, target))
        first, last = (block.start, block.end) if block else (target, target)
        suppressions.append(Suppression(comment.path, comment.line, rules, reason, first, last))
    return Suppressions(tuple(suppressions), tuple(problems))


def apply(findings: Sequence[Finding], suppressions: Iterable[Suppression], ran: Collection[str]) -> Applied:
    """Divide findings, order kept.

    Args:
        findings: all findings of the tree.
        suppressions: as `read` returned them.
        ran: names of the rules that ran; a suppression of another rule is not called useless.
    """
    by_file: dict[str, list[Suppression]] = {}
    for suppression in suppressions:
        by_file.setdefault(suppression.path, []).append(suppression)
    active, silenced, used = [], [], set()
    for finding in findings:
        covering = [each for each in by_file.get(finding.location.path, ()) if _covers(each, finding)]
        if covering:
            # The narrowest explains best; the others are of use as well.
            reason = min(covering, key=lambda each: (each.last - each.first, each.line)).reason
            silenced.append(Suppressed(finding, "comment", reason))
            used |= {(each, finding.rule.name) for each in covering}
        else:
            active.append(finding)
    problems = [
        SuppressionProblem(
            Location(each.path, each.line),
            f"{name} is not reported here any more; remove it from `# architect: allow(...)`",
        )
        for path in sorted(by_file)
        for each in by_file[path]
        for name in each.rules
        if name in ran and (each, name) not in used
    ]
    return Applied(tuple(active), tuple(silenced), tuple(problems))


def _covers(suppression: Suppression, finding: Finding) -> bool:
    place = finding.location
    return (
        finding.rule.name in suppression.rules
        and suppression.first <= max(place.line, place.end_line)
        and place.line <= suppression.last
        # A block is silenced by its own comment, not by that of a block inside it.
        and (suppression.first <= place.line or suppression.first == suppression.last)
    )


def _parse(text: str, known: Collection[str]) -> tuple[tuple[str, ...], str, list[str]]:
    """Rules to silence, the reason, and what is wrong; no rules where nothing is to be silenced."""
    directive = _DIRECTIVE.search(text)
    if directive is None:
        wrong = [f"not understood; write {_FORM}"] if _LOOKALIKE.search(text) else []
        return (), "", wrong
    allow = _ALLOW.match(directive["rest"])
    if allow is None:
        return (), "", [f"not understood; write {_FORM}"]
    names = list(dict.fromkeys(name.strip() for name in allow["names"].split(",") if name.strip()))
    if not names:
        return (), "", [f"names no rule; write {_FORM}"]
    reason = allow["tail"].removeprefix(":").strip() if allow["tail"].startswith(":") else ""
    mistakes = [unknown_rule(name, known) for name in names if name not in known]
    if not reason:
        listed = ", ".join(names)
        mistakes.append(
            f"silences nothing without a reason; write # architect: allow({listed}): why it is safe"
        )
        return (), "", mistakes
    return tuple(name for name in names if name in known), reason, mistakes


def unknown_rule(name: str, known: Collection[str]) -> str:
    """One line that says that no rule has this name, with the nearest name that one has."""
    import difflib

    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f"there is no rule {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
