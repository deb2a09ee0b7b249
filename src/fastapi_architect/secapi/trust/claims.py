"""What an archive says that would silence findings, as values that people can accept one by one."""

from __future__ import annotations

import msgspec

#: Kinds of claims. The word stands in stored decisions, so that none is ever renamed.
COMMENT = "comment"
IGNORE = "ignore"
SELECT = "select"
EXCLUDE = "exclude"
GITIGNORE = "gitignore"
BASELINE = "baseline"
GENERATED = "generated"
FOLDER = "folder"
GATE = "gate"
FACT = "fact"

#: Fingerprints that one proposal names; the others are counted.
_NAMED = 200
#: Proposals of one review, those that hide most first.
_PROPOSALS = 1_000


class Claim(msgspec.Struct, frozen=True):
    """One thing that an archive says, and that would silence something.

    Attributes:
        kind: one of the words above.
        what: what is claimed, in a form that stays the same between scans.
        reason: the author's own words, where there are any.
        file: where it stands.
    """

    kind: str
    what: str
    reason: str = ""
    file: str = ""

    @property
    def name(self) -> str:
        """By which a claim is accepted."""
        return f"{self.kind}:{self.what}"


class Proposal(msgspec.Struct, frozen=True):
    """A claim and the findings that it is about.

    Attributes:
        name: by which it is accepted.
        kind, what, reason, file: of the claim.
        findings: fingerprints, the first two hundred, sorted; count: of all.
        is_accepted: it counts; otherwise its findings are reported.
    """

    name: str
    kind: str
    what: str
    reason: str
    file: str
    findings: tuple[str, ...]
    count: int
    is_accepted: bool


def proposals_of(claims: dict[Claim, set[str]], accepted: dict[Claim, set[str]]) -> tuple[Proposal, ...]:
    """Claims with the fingerprints of their findings, those that hide most first."""
    made = [
        Proposal(
            claim.name,
            claim.kind,
            claim.what,
            claim.reason,
            claim.file,
            tuple(sorted(found)[:_NAMED]),
            len(found),
            is_accepted,
        )
        for group, is_accepted in ((claims, False), (accepted, True))
        for claim, found in group.items()
    ]
    made.sort(key=lambda each: (each.is_accepted, -each.count, each.name, each.file))
    return tuple(made[:_PROPOSALS])
