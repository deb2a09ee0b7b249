"""What a request does, followed through every function that it reaches."""

from __future__ import annotations

from pathlib import Path

from tests.appgraph.sample import program_of

from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.source.tree import SourceTree

START = """
import httpx
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session

app = FastAPI()

def get_session() -> Session: ...
"""


def effects_of(tmp_path: Path, text: str) -> Effects:
    program = program_of(START + text)
    graph = AppGraph(program, all_libraries(), SourceTree.open(tmp_path))
    return effects(graph).of_operation(graph.operations[0])


def test_calls_of_calls_and_dependencies_are_followed(tmp_path: Path) -> None:
    found = effects_of(
        tmp_path,
        """
def current(session: Session = Depends(get_session)):
    return session.execute("SELECT 1")

def save(session: Session):
    session.add(object())
    notify()

def notify():
    httpx.post("https://example.com/hook", timeout=1)

@app.post("/", dependencies=[Depends(current)])
def create(session: Session = Depends(get_session)):
    save(session)
""",
    )
    assert {f.name for f in found.functions} == {"current", "get_session", "create", "save", "notify"}
    assert (len(found.round_trips), len(found.writes), len(found.outbound)) == (1, 1, 1)
    assert found.complete
    assert found.changes_state is not None


def test_functions_that_call_each_other_end(tmp_path: Path) -> None:
    found = effects_of(tmp_path, "def a(): b()\ndef b(): a()\n@app.get('/')\ndef read():\n    a()\n")
    assert [f.name for f in found.functions] == ["read", "a", "b"]
    assert found.changes_state is None


def test_a_request_that_reaches_too_much_says_that_it_was_cut_off(tmp_path: Path) -> None:
    lines = [f"def f{n}(): f{n + 1}()" for n in range(500)]
    found = effects_of(
        tmp_path, "\n".join([*lines, "def f500(): ...", "@app.get('/')", "def read(): f0()", ""])
    )
    assert (len(found.functions), found.complete) == (400, False)


def test_what_was_added_travels_with_the_commit(tmp_path: Path) -> None:
    found = effects_of(
        tmp_path,
        """
@app.post("/")
def create(session: Session = Depends(get_session)):
    session.add(object())
    session.commit()
""",
    )
    assert len(found.round_trips) == 1


def test_a_commit_after_queries_is_no_query_of_its_own(tmp_path: Path) -> None:
    found = effects_of(
        tmp_path,
        """
@app.get("/")
def read(session: Session = Depends(get_session)):
    session.execute("SELECT 1")
    session.commit()
""",
    )
    assert len(found.round_trips) == 1
