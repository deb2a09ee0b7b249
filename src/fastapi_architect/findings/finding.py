"""A finding: one place where a rule says that something is wrong, with everything a reader needs to believe it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from fastapi_architect.findings.severity import Category, Confidence, Severity
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.location import Location


class Step(msgspec.Struct, frozen=True):
    """One line of evidence: a hop of a path from source to sink, or a sibling that the rule learned from."""

    location: Location
    text: str


class Fix(msgspec.Struct, frozen=True):
    """How the finding is mended.

    Attributes:
        title: what is done, as an imperative.
        edits: the smallest change; empty when only a person can make it.
        safe: the behaviour stays as intended without review.
        changes_contract: clients see another interface: a path, a parameter, a status, what is required.
    """

    title: str
    edits: tuple[Edit, ...] = ()
    safe: bool = False
    changes_contract: bool = False


class Selectable(Protocol):
    """A rule or its description: what a configuration picks rules by."""

    @property
    def name(self) -> str:
        """The rule's only identity, in kebab case."""

    @property
    def category(self) -> Category:
        """One of seven."""

    @property
    def topic(self) -> str:
        """The sub-folder, such as `injection`."""


class RuleInfo(msgspec.Struct, frozen=True):
    """What a report says about the rule behind a finding; made once a rule.

    Attributes:
        name: the rule's only identity, in kebab case.
        title: one line in the reader's words.
        category: one of seven.
        topic: the sub-folder, such as `injection`; the category's value where there is none.
        severity: default and cap.
        cwe: number of the weakness, None where no CWE describes it honestly.
        cvss_vector: CVSS 3.1 vector of the unknown, weakest context; None for what is not a weakness.
        references: addresses of standards and documentation (the first is the most useful).
        why: the rule's docstring: what goes wrong, in the reader's words.
        bad: source of the bad example.
        good: source of the good example.
        exploit: how it is attacked or observed, in one or two sentences.
    """

    name: str
    title: str
    category: Category
    topic: str
    severity: Severity
    cwe: int | None = None
    cvss_vector: str | None = None
    references: tuple[str, ...] = ()
    why: str = ""
    bad: str = ""
    good: str = ""
    exploit: str = ""


class Context(msgspec.Struct, frozen=True):
    """Facts about a finding's surroundings from which CVSS and severity are computed, never typed by hand.

    Attributes:
        reached: False when no entry point leads to the place (None: not asked).
        access: weakest authentication level over all entry paths: none, optional, user, scoped, admin, internal;
            None when it does not matter.
        network: "network", "adjacent" or "local".
        data: class of the data at stake: secret, personal, internal, public; None when not known.
        writes: True when the flaw writes, False when it only reads, None when not known.
        reads: False when the flaw discloses nothing (a DELETE), None when not known.
        hard: the attack needs a race, a guess or a position (AC:H).
        stops_process: one request can stop a process (A:H).
        missing_check: the rule's essence is a missing check on an authenticated route (PR stays L at least).
        test_code: the place is in test-only code.
    """

    reached: bool | None = None
    access: str | None = None
    network: str = "network"
    data: str | None = None
    writes: bool | None = None
    reads: bool | None = None
    hard: bool = False
    stops_process: bool | None = None
    missing_check: bool = False
    test_code: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One finding. Built by `Rule.at(...)`, completed by the review (severity, CVSS, fingerprint, routes).

    Attributes:
        rule: the rule's description.
        location: the sink, or the definition that lacks the check.
        issue: what is wrong here, in the reader's own names.
        suggestion: the next step, with code that parses.
        reasoning: why it is so, with the facts of this place.
        exploit: how this place is attacked; the rule's own sentence where empty.
        confidence: how sure.
        severity: never above the rule's.
        trace: evidence in order; a flow's steps, or siblings.
        fix: how to mend it by machine, or None.
        routes: operations concerned, as "GET /users/{id}", sorted.
        context: facts for the CVSS adjustment.
        impact: for performance: a number to sort by (queries or seconds saved per request); 0 elsewhere.
        symbol: qualified name of the function, class or module that the place belongs to (for the fingerprint).
        cvss_score: computed; None when the rule has no vector.
        cvss_vector: computed.
        cvss_notes: one line per changed metric.
        fingerprint: computed; identity across scans.
        application: root and name of the application root it belongs to, "" when shared.
    """

    rule: RuleInfo
    location: Location
    issue: str
    suggestion: str = ""
    reasoning: str = ""
    exploit: str = ""
    confidence: Confidence = Confidence.FIRM
    severity: Severity = Severity.INFO
    trace: tuple[Step, ...] = ()
    fix: Fix | None = None
    routes: tuple[str, ...] = ()
    context: Context = msgspec.field(default_factory=Context)
    impact: float = 0.0
    symbol: str = ""
    cvss_score: float | None = None
    cvss_vector: str | None = None
    cvss_notes: tuple[str, ...] = ()
    fingerprint: str = ""
    application: str = ""
