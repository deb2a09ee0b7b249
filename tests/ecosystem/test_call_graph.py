"""The recorder writes down calls of a project's functions, and the comparison finds them in the call graph."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

from fastapi_architect.review import reading
from fastapi_architect.review.config import Config
from fastapi_architect.source.tree import SourceTree

ECOSYSTEM = Path(__file__).parents[2] / "ecosystem"
PROJECT = """
    from fastapi import FastAPI

    app = FastAPI()


    class Prices:
        def __init__(self, currency: str) -> None:
            self.currency = currency

        @property
        def symbol(self) -> str:
            return sign(self.currency)

        def of(self, book: int) -> str:
            return f"{rounded(book)} {self.symbol}"


    def sign(currency: str) -> str:
        return currency[:1]


    def rounded(book: int) -> int:
        return book


    def key(text: str) -> str:
        return text


    def unknown(name: str):
        return globals()[name]


    @app.get("/prices")
    def prices() -> list[str]:
        found = sorted([Prices("EUR").of(book) for book in range(2)], key=key)
        return [unknown("sign")(text) for text in found]
"""


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("call_graph", ECOSYSTEM / "call_graph.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _recorded(root: Path) -> list[list[str]]:
    (root / "main.py").write_text(textwrap.dedent(PROJECT), encoding="utf-8")
    calls = root.parent / "calls.json"
    env = {
        **os.environ,
        "CALLS_ROOT": str(root),
        "CALLS_FILE": str(calls),
        "PYTHONPATH": f"{ECOSYSTEM}{os.pathsep}{root}",
    }
    code = "import call_recorder, main; main.prices()"
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=root)
    pairs: list[list[str]] = json.loads(calls.read_text(encoding="utf-8"))
    return pairs


def test_calls_seen_at_run_time_are_compared_with_the_call_graph(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    pairs = _recorded(root)
    graph = reading.read(SourceTree.open(root), Config(), cache=False).graph
    found = _tool().compare(graph, pairs)
    assert not any(called == "key" for *_, called in pairs), "sorted() calls it, no function of the project"
    assert [(caller.name, called.name) for caller, called in found.missed] == [("prices", "sign")]
    assert found.implicit == 1
    assert found.seen == 4, "a property is read, not called: what it calls is not counted"
    assert found.mean == 1.0
    assert found.percentile == 1
