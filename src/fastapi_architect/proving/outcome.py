"""What is asked of a child, and what came of it: plain values that travel as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["passed", "failed", "error", "missing", "unsuitable", "killed", "timeout"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one proof may use.

    Attributes:
        address_space: bytes of virtual memory (RLIMIT_AS; not enforced on macOS).
        cpu_seconds: CPU time; the kernel ends the child after it.
        file_size: bytes of the largest file that it may write.
        open_files: descriptors.
        wall_seconds: real time, watched from outside.
    """

    address_space: int = 4 << 30
    cpu_seconds: int = 20
    file_size: int = 64 << 20
    open_files: int = 256
    wall_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Job:
    """One proof to run.

    Attributes:
        module: the rule file's dotted name.
        path: the rule file; it is loaded from there.
        files: the example: path to text.
        limits: what it may use.
        postgres: address of a real PostgreSQL server, "" when there is none.
    """

    module: str
    path: str
    files: dict[str, str]
    limits: Limits = field(default_factory=Limits)
    postgres: str = ""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` wrote."""
        data = json.loads(text)
        data["limits"] = Limits(**data["limits"])
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a proof.

    Attributes:
        kind: passed: the demonstration observed the effect;
            failed: one of its own assertions failed, so the effect is not there;
            error: anything else was raised, in the example or in the demonstration;
            missing: a package is not installed;
            unsuitable: installed versions, or this platform, are not those the example is about;
            killed: the child was ended by a signal (a limit, a crash);
            timeout: it did not finish in time.
        message: one line for people.
        details: traceback or output, "" when there is nothing to add.
        seconds: how long it took, for information only.
    """

    kind: Kind
    message: str = ""
    details: str = ""
    seconds: float = 0.0

    @property
    def worked(self) -> bool:
        """The attack succeeded, the symptom was seen."""
        return self.kind == "passed"

    @property
    def refused(self) -> bool:
        """The demonstration ran and its own assertion failed: the example withstands it."""
        return self.kind == "failed"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind
