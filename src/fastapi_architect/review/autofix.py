"""Fixes that are made together, analysed again, and undone where they do not help.

Nothing is written here: the result holds the new bytes of each file. A candidate is read *instead of* the files, by the same
review that found the findings.

1. *Choose*: fixes in order of places; one that overlaps an earlier one, or whose file would no longer parse, waits or is
   given up.
2. *Review* the files as they would be. A fix whose finding is still there is given up, and the choice made again without it.
3. Fixes that had to wait for others, and those that only show now, follow in the next round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.review.pipeline import Request, project_of, review
from fastapi_architect.review.result import Review
from fastapi_architect.review.selection import fails_gate
from fastapi_architect.source.edit import CannotEdit, Edit, OverlappingEdits, edit_file
from fastapi_architect.source.location import Location
from fastapi_architect.source.replace_files import Replacement
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_file

_MAX_ROUNDS = 10


class Wanted(msgspec.Struct, frozen=True):
    """Which fixes may be made.

    Attributes:
        unsafe: those that want a person's eye as well, and those of tentative findings.
        contract: those after which clients see another interface as well.
    """

    unsafe: bool = False
    contract: bool = False

    def lacks(self, finding: Finding) -> str:
        """The option without which the finding's fix is not made; "" when it is made."""
        fix = finding.fix
        if fix is None or not fix.edits:
            return "nothing"
        if not self.unsafe and (not fix.safe or finding.confidence is Confidence.TENTATIVE):
            return "--unsafe"
        return "--allow-contract-change" if fix.changes_contract and not self.contract else ""


class Undone(msgspec.Struct, frozen=True):
    """A fix that was tried and given up."""

    finding: Finding
    reason: str


class Fixes(msgspec.Struct, frozen=True):
    """What was fixed, and what is left.

    Attributes:
        root: the folder that paths are relative to.
        made: findings whose fixes were made, in order of rounds and places.
        undone: tried and given up.
        left: findings that are left, those of `undone` among them.
        lacking: option to the number of findings whose fix it would allow.
        files: path to its old and new bytes.
        failed: what is left fails the gate.
        faults: faults of this tool.
    """

    root: Path
    made: tuple[Finding, ...]
    undone: tuple[Undone, ...]
    left: tuple[Finding, ...]
    lacking: Mapping[str, int]
    files: Mapping[str, Replacement]
    failed: bool
    faults: tuple[Exception, ...] = ()


def fix(request: Request, wanted: Wanted) -> Fixes:
    """Review a backend and work out its fixes; nothing is written.

    Raises:
        NoSuchPath, ConfigError: as a review does.
    """
    root, only = project_of(request.path, within=request.within)
    work = _Work(request, wanted, root, only)
    work.run()
    return work.result()


class _Work:
    """The rounds of one run.

    Attributes:
        state: path to bytes, of the files that are changed by now.
        given_up: fingerprints of findings whose fixes are not tried again.
    """

    def __init__(self, request: Request, wanted: Wanted, root: Path, only: str | None) -> None:
        self._request = request
        self._wanted = wanted
        self._root = root
        self._only = only
        self._before: dict[str, bytes] = {}
        self.state: dict[str, bytes] = {}
        self.given_up: set[str] = set()
        self.made: list[Finding] = []
        self.undone: list[Undone] = []
        self.found: Review = review(request)

    def run(self) -> None:
        """Rounds until there is nothing left to do."""
        for _ in range(_MAX_ROUNDS):
            candidate = self._settled()
            if candidate is None:
                return

    def _settled(self) -> Candidate | None:
        """The next set of fixes, all of which hold; None when there is none."""
        while True:
            candidate = self._candidate()
            if not candidate.findings:
                return None
            again = review(replace(self._request, instead={**self.state, **candidate.files}))
            unhelpful = still_reported(_open(self.found), _open(again), candidate)
            if not unhelpful:
                self.state.update(candidate.files)
                self.made += candidate.findings
                self.found = again
                return candidate
            for finding in unhelpful:
                self._give_up(finding, "the finding is still reported behind it")

    def _candidate(self) -> Candidate:
        chosen = Candidate()
        for finding in sorted(_open(self.found), key=_place):
            if finding.fingerprint in self.given_up or self._wanted.lacks(finding):
                continue
            problem = self._add(chosen, finding)
            if problem:
                self._give_up(finding, problem)
        return chosen

    def _add(self, chosen: Candidate, finding: Finding) -> str:
        """Add a finding's fix to a candidate, or say why it never can be; one that overlaps others waits."""
        assert finding.fix is not None
        edits = _by_file(finding.fix.edits)
        if self._only is not None and set(edits) != {self._only}:
            return "it changes other files than the one that was given"
        files: dict[str, bytes] = {}
        for path, own in edits.items():
            try:
                files[path] = edit_file(self._bytes(path), (*chosen.edits[path], *own))
            except OverlappingEdits:
                return "" if chosen.edits[path] else "its own edits overlap"
            except (CannotEdit, IndexError, OSError) as error:
                return f"{path} cannot be edited: {error}"
            parsed = parse_file(files[path], path)
            if isinstance(parsed, ir.Unparsed):
                return f"{path} would not parse: {parsed.reason}"
        chosen.findings.append(finding)
        chosen.files.update(files)
        for path, own in edits.items():
            chosen.edits[path] = list(dict.fromkeys((*chosen.edits[path], *own)))
        return ""

    def _bytes(self, path: str) -> bytes:
        """The bytes of a file as they are by now; what lies outside of the tree is nobody's to edit."""
        if path in self.state:
            return self.state[path]
        if path not in self._before:
            file = self._root / path
            if ".." in Path(path).parts or file.is_symlink():
                message = "it is no file of the project"
                raise CannotEdit(message)
            self._before[path] = file.read_bytes()
        return self._before[path]

    def _give_up(self, finding: Finding, reason: str) -> None:
        self.given_up.add(finding.fingerprint)
        self.undone.append(Undone(finding, reason))

    def result(self) -> Fixes:
        """What came out."""
        lacking: dict[str, int] = defaultdict(int)
        for finding in _open(self.found):
            option = self._wanted.lacks(finding)
            if option:
                lacking[option] += 1
        changed = {path: data for path, data in sorted(self.state.items()) if data != self._before[path]}
        return Fixes(
            self._root,
            tuple(self.made),
            tuple(self.undone),
            self.found.findings,
            dict(sorted(lacking.items())),
            {path: Replacement(self._before[path], data) for path, data in changed.items()},
            any(fails_gate(finding, self._request.config) for finding in self.found.findings),
            self.found.faults,
        )


class Candidate(msgspec.Struct):
    """Fixes that go together, with the edits and the new bytes of each file."""

    findings: list[Finding] = msgspec.field(default_factory=list)
    edits: defaultdict[str, list[Edit]] = msgspec.field(default_factory=lambda: defaultdict(list))
    files: dict[str, bytes] = msgspec.field(default_factory=dict)


def _open(found: Review) -> list[Finding]:
    """Findings that may be fixed; a baseline only says that they are known."""
    return [*found.findings, *(each.finding for each in found.suppressed if each.by == "baseline")]


def _place(finding: Finding) -> tuple[Location, str, str]:
    return finding.location, finding.rule.name, finding.issue


def _by_file(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        found.setdefault(edit.location.path, []).append(edit)
    return found


# ── is it still there? ───────────────────────────────────────────────────────────────────────────────────────────


def still_reported(before: Iterable[Finding], after: Iterable[Finding], made: Candidate) -> list[Finding]:
    """Findings of a candidate that its edits have not silenced.

    Places are followed through the edits. Where a rule says several things of one place, as many have to go as were fixed.
    """
    old, new = list(before), list(after)
    found: list[Finding] = []
    for place, those in _at_places(made.findings).items():
        rule, path, line = place
        end = max(each.location.end_line or line for each in those)
        first, last = moved(line, end, made.edits[path])
        left = [each for each in new if _stands(each, rule, path, first, last)]
        allowed = sum(_stands(each, rule, path, line, end) for each in old)
        allowed -= sum(_stands(each, rule, path, line, end) for each in made.findings)
        if len(left) > allowed:
            found += _same(those, left)
    return found


def _stands(finding: Finding, rule: str, path: str, first: int, last: int) -> bool:
    place = finding.location
    return finding.rule.name == rule and place.path == path and first <= place.line <= last


def _same(fixed: list[Finding], left: list[Finding]) -> Iterator[Finding]:
    """Those of the fixed ones that say what is still said; all where the words have changed."""
    issues = {finding.issue for finding in left}
    same = [finding for finding in fixed if finding.issue in issues]
    yield from same or fixed


def _at_places(findings: Iterable[Finding]) -> dict[tuple[str, str, int], list[Finding]]:
    found: dict[tuple[str, str, int], list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.rule.name, finding.location.path, finding.location.line].append(finding)
    return found


def moved(first: int, last: int, edits: Iterable[Edit]) -> tuple[int, int]:
    """Where lines `first` to `last` are after edits to their file."""
    before = within = 0
    for edit in edits:
        place = edit.location
        end = place.end_line or place.line
        added = edit.text.count("\n") - (end - place.line)
        if end < first or (end == first and place.column == 0 and not place.end_line):
            before += added
        elif place.line <= last:
            within += added
    return first + before, max(first, last + within) + before
