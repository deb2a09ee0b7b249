"""Functions that the configuration names are sources and sinks like those that the tool knows itself."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fastapi_architect.libraries.taught import SINK_KINDS
from fastapi_architect.review.config import Config, NamedKinds, ProjectFacts
from fastapi_architect.review.pipeline import Request, review

#: The rule that speaks of each kind of sink.
RULES = {
    "code": "code-execution-from-request",
    "command": "os-command-injection",
    "deserialization": "unsafe-deserialization",
    "html": "html-response-xss",
    "nosql": "nosql-operator-injection",
    "path": "path-traversal-read-or-delete",
    "redirect": "open-redirect",
    "sql": "sql-injection-raw-statement",
    "template": "server-side-template-injection",
    "url": "ssrf-user-controlled-url",
}

APP = """
from typing import Any
from fastapi import FastAPI
from own import legacy
app = FastAPI()

@app.post("/run")
def run(given: {of}):
    legacy.take(given{more})
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))


def lines_reported(folder: Path, files: dict[str, str], rule: str, facts: ProjectFacts) -> list[int]:
    """Lines of `main.py` where the rule speaks."""
    for path, text in {"own/__init__.py": "", **files}.items():
        target = folder / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(textwrap.dedent(text))
    found = review(Request(folder, Config(select=(rule,), project=facts))).findings
    return [finding.location.line for finding in found if finding.location.path == "main.py"]


def test_every_kind_that_a_configuration_may_name_has_a_rule_that_speaks_of_it():
    assert RULES.keys() == SINK_KINDS


@pytest.mark.parametrize("kind", sorted(SINK_KINDS))
def test_the_first_argument_of_a_named_sink_is_dangerous(kind: str, tmp_path: Path):
    of = "dict[str, Any]" if kind == "nosql" else "str"
    app = APP.format(of=of, more="")
    files = {"main.py": app, "own/legacy.py": "def take(text):\n    ...\n"}
    facts = ProjectFacts(sinks=(NamedKinds("own.legacy.take", (kind,)),))
    assert lines_reported(tmp_path, files, RULES[kind], facts) == [9]


@pytest.mark.parametrize("kind", sorted(SINK_KINDS))
def test_a_function_that_is_not_named_is_none(kind: str, tmp_path: Path):
    of = "dict[str, Any]" if kind == "nosql" else "str"
    files = {"main.py": APP.format(of=of, more=""), "own/legacy.py": "def take(text):\n    ...\n"}
    assert lines_reported(tmp_path, files, RULES[kind], ProjectFacts()) == []


QUEUE = """
import subprocess
from fastapi import FastAPI
from own import queue
app = FastAPI()

@app.post("/next")
def work():
    order = queue.receive()
    subprocess.run(f"print {order.title}", shell=True)
"""


def test_what_a_named_source_returns_is_a_stranger_s_text(tmp_path: Path):
    files = {"main.py": QUEUE, "own/queue.py": "def receive():\n    return connection.take()\n"}
    facts = ProjectFacts(sources=("own.queue.receive",))
    assert lines_reported(tmp_path, files, "os-command-injection", facts) == [10]
    assert lines_reported(tmp_path, files, "os-command-injection", ProjectFacts()) == []
