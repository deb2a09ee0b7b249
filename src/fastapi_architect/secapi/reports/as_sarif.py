"""A report for code scanning: SARIF 2.1.0, one run a root and source, with the decisions of people.

A run of our engine is as the command line makes it. A run of another tool has that tool's name, so that nobody takes it for ours.
"""

import json
from collections.abc import Mapping
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
    run = _not_reviewed(root) if root.report is None else _reviewed(root, root.report)
    # The decisions are those of the findings, which come first; what the tree itself silenced follows.
    for result, decision in zip(run["results"], root.decisions, strict=False):
        if decision is not None:
            _decide(result, decision)
    scan = material.scan
    run["automationDetails"] = {
        "id": "/".join(["secapi", scan["branch"], root.path or ".", *_parts(root)]) + "/"
    }
    run["properties"] = {
        **run.get("properties", {}),
        "root": root.path,
        "source": root.source,
        "project": material.project,
        "scan": scan["id"],
        "commit": scan["commit"],
        "gate": material.gate,
    }
    return run


def _reviewed(root: RootMaterial, report: Mapping[str, Any]) -> dict[str, Any]:
    run = run_of(rebuilt(report, root.path, is_imported=root.is_imported), root.path)
    if root.is_imported:
        name, _, version = str(report["model"]).rpartition("/")
        rules = [_of_another_tool(each) for each in run["tool"]["driver"]["rules"]]
        driver = {"name": name or version, "rules": rules}
        run["tool"]["driver"] = driver | ({"version": version} if name else {})
        # Of our engine alone.
        del run["properties"]
    return run


def _of_another_tool(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule without what only ours have: a page, and how they are silenced."""
    kept = {name: value for name, value in rule.items() if name != "help"}
    return kept | {"properties": {"tags": rule["properties"]["tags"]}}


def _parts(root: RootMaterial) -> list[str]:
    return [root.source] if root.is_imported else []


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
