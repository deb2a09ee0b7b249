"""A process that reviews again and again (an editor's server, a worker) keeps nothing of what it has reviewed."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.program import Program
from fastapi_architect.review.pipeline import Request, review

EXAMPLE = Path(__file__).parents[2] / "examples" / "bookshop_vulnerable"


def test_nothing_of_a_reviewed_tree_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path))
    assert review(Request(EXAMPLE, matrix=True)).findings
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, AppGraph | Program)] == []
