"""The report of a child, checked: the keys that a report always has, and nothing that a database cannot hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from fastapi_architect.secapi.imports.document import Everything, Refused

_Line = Annotated[int, Meta(ge=0, le=2**31 - 1)]
_Text = Annotated[str, Meta(max_length=1_000_000)]
_Name = Annotated[str, Meta(max_length=5_000)]
_Severity = Literal["critical", "important", "minor", "info"]


class _Finding(msgspec.Struct, frozen=True):
    """One finding as the contract has it; what else stands beside these keys is kept and not looked at."""

    file: _Name
    line: _Line
    end_line: _Line
    rule: _Name
    severity: _Severity
    confidence: Literal["certain", "firm", "tentative"]
    issue: _Text
    reasoning: _Text
    exploit: _Text
    suggestion: _Text
    impact: _Name
    cwe: _Name | None
    cvss_score: Annotated[float, Meta(ge=0, le=10)] | None
    cvss_vector: _Name | None
    emoji: _Name
    routes: list[_Name]
    trace: list[dict[str, Any]]
    fix: dict[str, Any] | None
    fingerprint: Annotated[str, Meta(min_length=1, max_length=200)]
    docs: _Name | None


class _NotAnalysed(msgspec.Struct, frozen=True):
    """One entry of what was not looked at."""

    file: _Name
    reason: _Text
    line: _Line | None = None


class _Report(msgspec.Struct, frozen=True):
    """The keys of the contract."""

    agent: Literal["backend-reviewer"]
    model: _Name
    category: _Name
    severity: _Severity
    score: Annotated[int, Meta(ge=0, le=100)]
    review_time_ms: Annotated[int, Meta(ge=0)]
    strengths: list[_Text]
    findings: list[_Finding]
    not_analysed: list[_NotAnalysed]
    gate: _Name
    failed: bool
    suppressed: list[_Finding]
    notes: list[_Text]


class ContractBroken(ValueError):
    """The report is none; the message says where."""


def checked(data: bytes) -> dict[str, Any]:
    """The report as plain values.

    Args:
        data: JSON, from a process that is not believed.

    Raises:
        ContractBroken: it is no report.
    """
    try:
        msgspec.json.decode(data, type=_Report)
        report = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContractBroken(str(error)) from error
    # PostgreSQL holds no NUL in a text, and code may well quote one.
    return _without_nul(report) if b"\\u0000" in data else report  # type: ignore[no-any-return]


def checked_import(data: bytes) -> Everything | Refused:
    """What a child read from an imported file, without NUL.

    Args:
        data: JSON, from a process that is not believed.

    Raises:
        ContractBroken: it is not that, or two of its sources are one.
    """
    try:
        if b"\\u0000" in data:
            data = msgspec.json.encode(_without_nul(msgspec.json.decode(data)))
        found = msgspec.json.decode(data, type=Everything | Refused)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ContractBroken(str(error)) from error
    if isinstance(found, Everything) and len({each.source for each in found.imported}) != len(found.imported):
        message = "a source stands twice in what was read"
        raise ContractBroken(message)
    return found


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    return value
