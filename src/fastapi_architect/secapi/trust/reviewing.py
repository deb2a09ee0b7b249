"""The review of code whose authors are not believed about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.findings.suppression import Suppressed
from fastapi_architect.review.config import Config, ConfigError, ProjectFacts
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.reading import Progress
from fastapi_architect.review.result import Review
from fastapi_architect.review.selection import fails_gate
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.secapi.archives.unpacked import Unpacked
from fastapi_architect.secapi.trust import claims
from fastapi_architect.secapi.trust.archive_words import ArchiveWords
from fastapi_architect.secapi.trust.claims import Claim, Proposal, proposals_of
from fastapi_architect.secapi.trust.disguises import disguised
from fastapi_architect.secapi.trust.facts import joined, silencing_parts, strict_part
from fastapi_architect.secapi.trust.policy import Policy
from fastapi_architect.source.tree import SourceTree

#: Fingerprints of findings by the claim that is about them.
_Hidden = dict[Claim, set[str]]
#: A finding wherever it stands among equal ones: rule, path, line, column.
_Place = tuple[str, str, int, int]


class Judged(msgspec.Struct, frozen=True):
    """A review, and what the code asked to be silent about.

    Attributes:
        review: in which nothing is silenced that the policy does not accept; its gate is the stricter one.
        proposals: claims of the archive, whether they count, and the findings they are about.
        proposed: fingerprints of all reported findings that some claim would silence.
    """

    review: Review
    proposals: tuple[Proposal, ...]
    proposed: frozenset[str]


def review_untrusted(
    unpacked: Unpacked,
    root: str,
    tree: SourceTree,
    policy: Policy,
    *,
    progress: Progress | None = None,
    at_file: Callable[[str], None] | None = None,
) -> Judged:
    """Review one application root of an archive.

    Args:
        unpacked: the archive.
        root: the folder of the root in it, "" for the top.
        tree: the files of the root.
        policy: what counts besides the code.
        progress: called with (stage, done, total).
        at_file: told each file before it is parsed.

    Raises:
        ConfigError: the policy's settings have no meaning.
    """
    trusted = policy.config(all_rules().values())
    words = ArchiveWords(unpacked, root)
    facts = list(silencing_parts(words.config.project, words.file))
    believed = joined(trusted.project, strict_part(words.config.project))
    for claim, fact in facts:
        if policy.accepts(claim):
            believed = joined(believed, fact)
    places = {
        path: place
        for path, place in disguised(tree).items()
        if not policy.accepts(Claim(claims.FOLDER, place, file=place))
    }
    tree = replace(tree, own=frozenset(places))
    silencer = _PolicySilencer(words, policy)
    request = Request(
        path=Path(f"/{unpacked.top}/{root}" if root else f"/{unpacked.top}"),
        config=replace(trusted, project=believed, baseline=None),
        cache=False,
        tree=tree,
        silencer=silencer,
        progress=progress,
        at_file=at_file,
    )
    result, notes = _reviewed(request, trusted)
    hidden: _Hidden = defaultdict(set)
    active = {finding.fingerprint for finding in result.findings}
    for each in result.contested:
        if each.finding.fingerprint in active:
            hidden[_comment(each)].add(each.finding.fingerprint)
    for finding in result.findings:
        for claim in words.silencers(finding):
            hidden[claim].add(finding.fingerprint)
        place = places.get(finding.location.path)
        if place is not None:
            hidden[Claim(claims.FOLDER, place, file=place)].add(finding.fingerprint)
    proposed = [(claim, fact) for claim, fact in facts if not policy.accepts(claim)]
    if proposed:
        notes += _hidden_by_facts(request, result, proposed, hidden)
    gate = _Gate(words, policy, trusted)
    failed = any([gate.fails(finding, hidden) for finding in result.findings])  # noqa: C419 - all are asked
    return Judged(
        replace(
            result,
            failed=failed,
            gate=gate.name,
            notes=(*result.notes, *words.notes, *notes),
        ),
        proposals_of(hidden, silencer.accepted),
        frozenset(fingerprint for found in hidden.values() for fingerprint in found),
    )


def _comment(suppressed: Suppressed) -> Claim:
    finding = suppressed.finding
    what = f"{finding.rule.name} {finding.fingerprint}"
    return Claim(claims.COMMENT, what, suppressed.reason, finding.location.path)


class _PolicySilencer:
    """Lets those claims count that the policy accepts.

    Attributes:
        accepted: fingerprints that were silenced, by claim.
    """

    def __init__(self, words: ArchiveWords, policy: Policy) -> None:
        self._words = words
        self._policy = policy
        self.accepted: _Hidden = defaultdict(set)

    def honours(self, suppressed: Suppressed) -> bool:
        """Whether a comment counts."""
        claim = _comment(suppressed)
        if not self._policy.accepts(claim):
            return False
        self.accepted[claim].add(suppressed.finding.fingerprint)
        return True

    def silences(self, finding: Finding) -> Suppressed | None:
        """The first accepted claim that is about the finding."""
        for claim in self._words.silencers(finding):
            if self._policy.accepts(claim):
                self.accepted[claim].add(finding.fingerprint)
                return Suppressed(finding, claim.kind, claim.reason or f"accepted: {claim.name}")
        return None


class _Gate:
    """The gate of the policy and that of the archive together."""

    def __init__(self, words: ArchiveWords, policy: Policy, trusted: Config) -> None:
        self._words = words
        self._policy = policy
        self._trusted = trusted

    @property
    def name(self) -> str:
        """The stricter of the two, for the report's head."""
        names = [self._trusted.gate, self._words.config.gate if self._words.sets_gate else "none"]
        return min(names, key=lambda each: 99 if each == "none" else Severity(each).rank)

    def fails(self, finding: Finding, hidden: _Hidden) -> bool:
        """Whether a finding closes the gate; a claim that it does not is added to `hidden`."""
        if not fails_gate(finding, self._trusted):
            return self._words.fails_own_gate(finding)
        claim = self._words.opens_gate(finding)
        if claim is None:
            return True
        if self._policy.accepts(claim):
            return False
        hidden[claim].add(finding.fingerprint)
        return True


def _reviewed(request: Request, trusted: Config) -> tuple[Review, list[str]]:
    """The review; where facts name functions or routes that nobody has, one without them, and why."""
    try:
        return review(request), []
    except ConfigError as error:
        without = replace(request.config, project=ProjectFacts())
        note = f"facts about the project do not count: {error}"
        if request.config.project != trusted.project:
            # Those of the archive may be to blame, and must not take the maintainers' own with them.
            try:
                return review(replace(request, config=replace(request.config, project=trusted.project))), [
                    note
                ]
            except ConfigError as own:
                note = f"facts about the project do not count: {own}"
        return review(replace(request, config=without)), [note]


def _hidden_by_facts(
    request: Request, result: Review, proposed: Collection[tuple[Claim, ProjectFacts]], hidden: _Hidden
) -> list[str]:
    """Add what facts of the archive would take away, found by a second review that believes all of them.

    What a public route explains is charged to it, and the rest to every other fact, as only more reviews could tell these
    apart.

    Returns:
        Notes.
    """
    facts = request.config.project
    for _, fact in proposed:
        facts = joined(facts, fact)
    believing = replace(request, config=replace(request.config, project=facts), silencer=None, progress=None)
    try:
        other = review(believing)
    except ConfigError as error:
        return [f"facts about the project, which the archive proposes, cannot count: {error}"]
    left: Mapping[_Place, Finding] = {
        _place(finding): finding
        for finding in (*other.findings, *(each.finding for each in other.suppressed))
    }
    for finding in result.findings:
        if _is_as_grave(left.get(_place(finding)), finding):
            continue
        routes = {f"public_routes {route}" for route in finding.routes}
        charged = [claim for claim, _ in proposed if claim.what in routes] or [
            claim for claim, _ in proposed if not claim.what.startswith("public_routes ")
        ]
        for claim in charged:
            hidden[claim].add(finding.fingerprint)
    return []


def _place(finding: Finding) -> _Place:
    place = finding.location
    return finding.rule.name, place.path, place.line, place.column


def _is_as_grave(other: Finding | None, finding: Finding) -> bool:
    if other is None or other.severity.rank < finding.severity.rank:
        return False
    return other.confidence is not Confidence.TENTATIVE or finding.confidence is Confidence.TENTATIVE
