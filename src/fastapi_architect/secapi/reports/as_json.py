"""A report for programs: what the command line prints of each root, and beside it what people decided."""

from dataclasses import asdict
from typing import Any

import msgspec

from .material import Decision, Material, RootMaterial

#: Of this envelope; what is in `report` has the version of the engine, `model`.
VERSION = 1


def json_of(material: Material) -> str:
    """Return the report as one JSON document."""
    whole = {
        "version": VERSION,
        "made_at": material.made_at,
        "project": material.project,
        "scan": material.scan,
        "gate": material.gate,
        "roots": [_root(each) for each in material.roots],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode() + "\n"


def _root(root: RootMaterial) -> dict[str, Any]:
    return {
        "path": root.path,
        "source": root.source,
        "report": root.report,
        "error_code": root.error_code,
        "error": root.error,
        # In the order of the findings of the report, which stays as the engine wrote it.
        "decisions": [None if each is None else _decision(each) for each in root.decisions],
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return asdict(decision)
