"""What the service tells a child, and how a child speaks: both are JSON, and neither is believed more than it has to be."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import msgspec

from fastapi_architect.secapi.archives.unpacked import Unpacked
from fastapi_architect.secapi.imports.limits import ImportLimits
from fastapi_architect.secapi.imports.options import ImportKind, ImportOptions
from fastapi_architect.secapi.sandbox.roots import Root
from fastapi_architect.secapi.trust.claims import Proposal
from fastapi_architect.secapi.trust.policy import Policy

#: A message: its kind, the length of its payload, the payload.
HEAD = struct.Struct("<cI")
WALLS, PROGRESS, RESULT = b"W", b"P", b"R"
#: Where the child says, in a file that both have open, which Python file it is at: its number, or `NOWHERE`.
AT = struct.Struct("<q")
NOWHERE = -1

#: How the child ends when it noticed itself what happened.
OUT_OF_MEMORY, REFUSED = 77, 78

JOB_FILE = "job.json"
STATUS_FILE = "status"


class ReviewOrder(msgspec.Struct, frozen=True, tag="review"):
    """Review code.

    Attributes:
        unpacked: the archive.
        root: which of its roots.
        policy: what counts besides the code.
        excluded: files that are not to be analysed, and why.
    """

    unpacked: Unpacked
    root: Root
    policy: Policy
    excluded: Mapping[str, str]

    @property
    def place(self) -> str:
        """The file that is read."""
        return self.unpacked.place


class ImportOrder(msgspec.Struct, frozen=True, tag="import"):
    """Read what another tool found.

    Attributes:
        place: the file, as it was uploaded.
        kind: what it claims to be.
        options: of the submission.
        limits: how much of it is taken.
        result_bytes: of what was read, at most.
    """

    place: str
    kind: ImportKind
    options: ImportOptions
    limits: ImportLimits
    result_bytes: int


class Job(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        order: what is to be done.
        memory, cpu: limits, in bytes and seconds.
        imports: folders that the engine is imported from.
        output, status: descriptors to write to.
        parent: number of the process that waits.
    """

    order: ReviewOrder | ImportOrder
    memory: int
    cpu: int
    imports: tuple[str, ...]
    output: int
    status: int
    parent: int


class Walls(msgspec.Struct, frozen=True):
    """What keeps a child in.

    Attributes:
        standing: names of the walls that stand.
        missing: names of the others, and why they do not.
    """

    standing: tuple[str, ...] = ()
    missing: Mapping[str, str] = msgspec.field(default_factory=dict)


class Progress(msgspec.Struct, frozen=True):
    """How far a child is."""

    stage: str
    done: int
    total: int


class Result(msgspec.Struct, frozen=True):
    """What a child found: the report, encoded, what the archive proposed, and the findings that this is about.

    Of an import `report` is all of it: `imports.document.Everything`, or why the file is refused.
    """

    report: msgspec.Raw
    proposals: tuple[Proposal, ...] = ()
    proposed: frozenset[str] = frozenset()
