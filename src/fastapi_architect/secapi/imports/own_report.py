"""A report that our engine wrote elsewhere, such as in CI: `architect review --format json`.

It counts as a scan of the engine: the same source, the same fingerprints. Whoever may submit scans can write one by hand, and close
all findings with an empty one; but so they can with an empty archive. What was submitted stands beside the scan (`kind`).

What the report says that it suppressed is a finding here, and the suppression a proposal: its comments and configuration are words
of the reviewed code, which cannot silence the gate.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from packaging.version import InvalidVersion, Version

from fastapi_architect import __version__
from fastapi_architect.findings.fingerprint import VERSION, FingerprintError, check
from fastapi_architect.report import wording
from fastapi_architect.secapi.imports.document import FindingDocument, Imported, ReportDocument
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused, Refusal, at_most
from fastapi_architect.secapi.imports.reading import decoded
from fastapi_architect.secapi.imports.sources import ENGINE

_AGENT = "backend-reviewer"


class _Head(msgspec.Struct, frozen=True):
    """What tells a report of ours from other JSON, and of which version it is."""

    agent: str | None = None
    model: str | None = None
    partial: bool = False


class _Whole(ReportDocument, frozen=True, kw_only=True):
    """The rest of it."""

    score: Annotated[int, Meta(ge=0, le=100)]
    suppressed: list[FindingDocument]


def source_in(data: bytes, limits: ImportLimits) -> Imported:
    """What a report says.

    Args:
        data: its text.
        limits: how much is taken.

    Raises:
        ImportRefused: it is no report of ours, of a version that is not known here, or of a part of the code.
    """
    head = decoded(data, _Head)
    _check(head)
    whole = decoded(data, _Whole)
    findings = [*whole.findings, *whole.suppressed]
    at_most(
        limits.findings, len(findings), Refusal.TOO_MANY_RESULTS, "findings in the report",
        "Review the applications of the repository one by one.",
    )  # fmt: skip
    for each in findings:
        _check_fingerprint(each)
    names = [each for each in ReportDocument.__struct_fields__ if each not in ("findings", "suppressed")]
    report = ReportDocument(findings=findings, **{name: getattr(whole, name) for name in names})
    return Imported(ENGINE, report, frozenset(each.fingerprint for each in whole.suppressed))


def _check(head: _Head) -> None:
    tool, _, version = (head.model or "").partition("/")
    if head.agent != _AGENT or tool != wording.TOOL:
        raise ImportRefused(
            Refusal.NOT_A_REPORT,
            "This is no report of our engine. Send what `architect review --format json` writes; what other tools write is SARIF.",
        )
    try:
        known = Version(version) <= Version(__version__)
    except InvalidVersion as error:
        raise ImportRefused(
            Refusal.REPORT_VERSION,
            "The report does not say which version of the engine wrote it. Send what `architect review --format json` writes.",
        ) from error
    if not known:
        raise ImportRefused(
            Refusal.REPORT_VERSION,
            f"The report is of version {version[:40]}, and this server of {__version__}. Install fastapi-architect=={__version__} "
            "where the review runs, or let an operator update the server.",
        )
    if head.partial:
        raise ImportRefused(
            Refusal.REPORT_PARTIAL,
            "The report is of some files or lines alone, so that nobody can tell what is fixed elsewhere. Review the whole "
            "folder: without --changed-since, and without naming files.",
        )


def _check_fingerprint(finding: FindingDocument) -> None:
    try:
        check(finding.fingerprint)
    except FingerprintError as error:
        raise ImportRefused(
            Refusal.REPORT_VERSION,
            f"The fingerprints of the report are not of version {VERSION}, by which findings are recognised here. Install "
            f"fastapi-architect=={__version__} where the review runs.",
        ) from error
