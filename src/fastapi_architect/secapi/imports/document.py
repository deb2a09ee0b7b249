"""What is known of imported findings: as the sandboxed child writes it, and as the service checks it again.

The documents have the keys of the engine's JSON report, so that matching, lists and reports need not know where a finding came
from. Nothing beside these keys is kept: the columns and pages of the service have room for exactly this.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fastapi_architect.secapi.imports.limits import Refusal

_Line = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Text = Annotated[str, Meta(max_length=20_000)]
_Title = Annotated[str, Meta(max_length=500)]
_Name = Annotated[str, Meta(max_length=200)]
_Path = Annotated[str, Meta(max_length=1_024)]
_Link = Annotated[str, Meta(max_length=2_000)]
_Word = Annotated[str, Meta(max_length=60)]
#: Longest texts, by what they are: what makes a document cuts at them, visibly.
TEXT, TITLE, NAME, PATH, LINK = 20_000, 500, 200, 1_024, 2_000
#: Steps of a path through the code that are kept.
STEPS = 1_000


class StepDocument(msgspec.Struct, frozen=True):
    """One hop of a trace."""

    file: _Path
    line: _Line
    text: _Text


class EditDocument(msgspec.Struct, frozen=True):
    """One replacement of a fix."""

    file: _Path
    line: _Line
    text: _Text
    column: _Line = 0
    end_line: _Line = 0
    end_column: _Line = 0


class FixDocument(msgspec.Struct, frozen=True):
    """A fix."""

    title: _Title
    safe: bool = False
    changes_contract: bool = False
    edits: Annotated[list[EditDocument], Meta(max_length=1_000)] = []


class FindingDocument(msgspec.Struct, frozen=True):
    """One finding, by the keys of `fastapi_architect.report.json`."""

    file: _Path
    line: _Line
    end_line: _Line
    rule: Annotated[str, Meta(min_length=1, max_length=NAME)]
    severity: Literal["critical", "important", "minor", "info"]
    confidence: Literal["certain", "firm", "tentative"]
    fingerprint: Annotated[
        str, Meta(min_length=1, max_length=200, pattern=r"^v1:[^:\x00]+:[^:\x00]*:[0-9]{1,9}$")
    ]
    title: _Title
    category: Literal[
        "security", "async_patterns", "database", "api_design", "validation", "performance", "code_quality"
    ]
    issue: _Text
    impact: _Word
    emoji: _Word
    column: _Line = 0
    topic: _Word = ""
    reasoning: _Text = ""
    exploit: _Text = ""
    suggestion: _Text = ""
    cost: float | None = None
    cwe: Annotated[str, Meta(pattern=r"^CWE-[0-9]{1,5}$")] | None = None
    cvss_score: Annotated[float, Meta(ge=0, le=10)] | None = None
    cvss_vector: _Name | None = None
    cvss_notes: Annotated[list[_Title], Meta(max_length=100)] = []
    routes: Annotated[list[_Link], Meta(max_length=1_000)] = []
    trace: Annotated[list[StepDocument], Meta(max_length=STEPS)] = []
    fix: FixDocument | None = None
    application: _Title = ""
    symbol: _Title = ""
    docs: _Link | None = None
    references: Annotated[list[_Link], Meta(max_length=100)] = []


class NotAnalysed(msgspec.Struct, frozen=True):
    """A file that could not be looked at."""

    file: _Path
    reason: _Text
    line: _Line | None = None


class ReportDocument(msgspec.Struct, frozen=True):
    """What one source says, by the keys of a report of the engine.

    Attributes:
        model: the tool and its version.
        score: of our engine; None: other tools have none.
    """

    model: _Name
    score: Annotated[int, Meta(ge=0, le=100)] | None
    findings: Annotated[list[FindingDocument], Meta(max_length=500_000)]
    not_analysed: Annotated[list[NotAnalysed], Meta(max_length=100_000)] = []
    strengths: Annotated[list[_Text], Meta(max_length=1_000)] = []
    left_out: dict[_Name, _Line] = {}
    files: _Line = 0
    lines: _Line = 0
    notes: Annotated[list[_Text], Meta(max_length=1_000)] = []
    suppressed: Annotated[list[FindingDocument], Meta(max_length=0)] = []


class Imported(msgspec.Struct, frozen=True):
    """What one source found.

    Attributes:
        source: who found it; see `sources.py`.
        report: the findings.
        proposed: fingerprints of those that the file wants to be ignored.
        closes: what is not among the findings is fixed; otherwise the tool did not come to its end.
    """

    source: Annotated[str, Meta(min_length=1, max_length=200)]
    report: ReportDocument
    proposed: frozenset[str] = frozenset()
    closes: bool = True


class Everything(msgspec.Struct, frozen=True, tag="everything"):
    """All that a file says; at least one source, none of them twice."""

    imported: Annotated[list[Imported], Meta(min_length=1, max_length=1_000)]


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why a file is not taken."""

    code: Refusal
    message: Annotated[str, Meta(max_length=2_000)]
