"""A report for code scanning: SARIF 2.1.0, one run a root, as the command line makes it, with the decisions of people."""

import json
from typing import Any

from fastapi_architect import __version__
from fastapi_architect.report import wording
from fastapi_architect.report.sarif import SCHEMA, run_of

from .material import Decision, Material, RootMaterial
from .rebuilding import rebuilt

#: SARIF compares with the run before: what is back was not in it.
_STATES = {"new": "new", "kept": "unchanged", "reopened": "new"}


def sarif_of(material: Material) -> str:
    """Return the report as one SARIF log.

    Raises:
        UnreadableReport: the document of a root is none.
    """
    runs = [_run(material, each) for each in material.roots]
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _run(material: Material, root: RootMaterial) -> dict[str, Any]:
    run = _not_reviewed(root) if root.report is None else run_of(rebuilt(root.report, root.path), root.path)
    # The decisions are those of the findings, which come first; what the tree itself silenced follows.
    for result, decision in zip(run["results"], root.decisions, strict=False):
        if decision is not None:
            _decide(result, decision)
    scan = material.scan
    run["automationDetails"] = {"id": "/".join(["secapi", scan["branch"], root.path or "."]) + "/"}
    run["properties"] = {
        **run.get("properties", {}),
        "root": root.path,
        "project": material.project,
        "scan": scan["id"],
        "commit": scan["commit"],
        "gate": material.gate,
    }
    return run


def _decide(result: dict[str, Any], decision: Decision) -> None:
    result["properties"] |= {"finding": str(decision.finding_id), "triage": decision.triage}
    if decision.change is not None:
        result["baselineState"] = _STATES[decision.change]
    if decision.is_silenced:
        suppression = {"kind": "external", "status": "accepted", "justification": decision.reason or ""}
        result["suppressions"] = [suppression]


def _not_reviewed(root: RootMaterial) -> dict[str, Any]:
    """A run that says why there is no result."""
    told = {
        "level": "error",
        "message": {"text": f"not reviewed: {root.error or 'no word'}"},
        "descriptor": {"id": root.error_code or "not-reviewed"},
    }
    driver = {"name": wording.TOOL, "version": __version__, "semanticVersion": __version__}
    return {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [told]}],
        "results": [],
    }
