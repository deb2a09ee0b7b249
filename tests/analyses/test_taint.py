"""From request data to statements: what is followed, what it says, and what it costs."""

import random
from pathlib import Path

from tests.appgraph.sample import program_of

from fastapi_architect.analyses import taint
from fastapi_architect.analyses.taint import not_fully_followed, taint_paths
from fastapi_architect.analyses.taint_sinks import find_sinks
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.dataflow.interprocedural import TaintSolver
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.source.tree import SourceTree

HEAD = """
from fastapi import FastAPI, Depends
from sqlalchemy import text
from sqlalchemy.orm import Session
app = FastAPI()
def get_session() -> Session: ...
"""


def graph_of(files: str | dict[str, str]) -> AppGraph:
    return AppGraph(program_of(files), all_libraries(), SourceTree(Path("/nowhere"), ()))


def told(path: TaintPath) -> list[str]:
    return [f"{step.location}: {step.text}" for step in path.steps()]


def test_steps_lead_from_the_request_through_every_hop():
    graph = graph_of(
        {
            "main.py": HEAD
            + """
from books import find
@app.get("/books")
def search(name: str, session: Session = Depends(get_session)):
    pattern = f"%{name}%"
    return find(session, pattern)
""",
            "books.py": """
from sqlalchemy import text
from queries import like
def find(session, wanted):
    statement = like("title", wanted)
    return session.execute(text(statement)).all()
""",
            "queries.py": """
def like(column, value):
    condition = f"{column} LIKE '{value}'"
    return "SELECT * FROM books WHERE " + condition
""",
        }
    )
    (path,) = taint_paths(graph, "sql")
    assert told(path) == [
        "main.py:11: it becomes part of `pattern`",
        "main.py:12: it is passed to `find` as `wanted`",
        "queries.py:3: it becomes part of `condition`",
        "books.py:5: `like` returns it",
        "books.py:5: it becomes part of `statement`",
    ]
    assert path.path == ("name",)
    assert path.source.fact.alias == "name"


def test_a_dependency_s_result_is_followed_to_its_own_parameters():
    graph = graph_of(
        HEAD
        + """
def term(q: str):
    return q.strip()
def wanted(found: str = Depends(term)):
    return {"term": found, "limit": 10}
@app.get("/books")
def search(session: Session = Depends(get_session), options: dict = Depends(wanted)):
    session.execute(text(f"SELECT 1 LIMIT {options['limit']}"))
    session.execute(text(f"SELECT '{options['term']}'"))
"""
    )
    (path,) = taint_paths(graph, "sql")
    assert path.source.function.name == "term"
    assert path.sink.scope.location(path.sink.node).line == 15
    assert [step.text for step in path.steps()] == [
        "`term` provides it as `found`",
        "`wanted` provides it as `options`",
    ]


def test_a_recursive_function_is_followed_to_its_end():
    graph = graph_of(
        HEAD
        + """
def even(value, depth, session):
    if depth == 0:
        return session.execute(text("SELECT '" + value + "'"))
    return odd(value, depth - 1, session)
def odd(value, depth, session):
    return even(value, depth - 1, session)
@app.get("/books")
def search(name: str, session: Session = Depends(get_session)):
    return odd(name, 4, session)
"""
    )
    assert [path.path for path in taint_paths(graph, "sql")] == [("name",)]
    assert not_fully_followed(graph) == ()


def test_attributes_of_self_carry_what_was_written_to_them():
    graph = graph_of(
        HEAD
        + """
class Search:
    def __init__(self, session, name, limit):
        self.session = session
        self.name = name
        self.limit = limit
    def rename(self, name):
        self.name = name
    def run(self):
        self.session.execute(text(f"SELECT '{self.name}'"))
    def first(self):
        self.session.execute(text(f"SELECT 1 LIMIT {self.limit}"))
@app.get("/constructed")
def constructed(a: str, session: Session = Depends(get_session)):
    search = Search(session, a, 10)
    search.run()
    search.first()
@app.get("/renamed")
def renamed(b: str, session: Session = Depends(get_session)):
    search = Search(session, "x", 10)
    search.rename(b)
    search.run()
@app.get("/renamed-back")
def renamed_back(c: str, session: Session = Depends(get_session)):
    search = Search(session, c, 10)
    search.rename("x")
    search.run()
"""
    )
    assert [path.path for path in taint_paths(graph, "sql")] == [("a",), ("b",)]


def test_without_a_sink_nothing_is_executed(monkeypatch):
    def refuse(self, *_):
        raise AssertionError("a solver was made")

    monkeypatch.setattr(TaintSolver, "__init__", refuse)
    graph = graph_of(HEAD + '@app.get("/")\ndef index(name: str):\n    return name.upper()\n')
    assert taint_paths(graph, "sql") == ()


def test_only_functions_between_source_and_sink_and_below_are_executed():
    graph = graph_of(
        HEAD
        + """
def run(session, query):
    return session.execute(text(query))
def unrelated(a, b):
    return a + b
def offline(session, name):
    return run(session, name)
@app.get("/books")
def search(name: str, session: Session = Depends(get_session)):
    return run(session, name)
@app.get("/other")
def other(name: str):
    return unrelated(name, name)
"""
    )
    solver = TaintSolver(graph.program, taint._query(graph, find_sinks(graph)))
    assert len(solver.solve()) == 1
    assert sorted(f.name for f in graph.program.functions if solver.is_summarised(f)) == [
        "get_session",
        "run",
        "search",
    ]
    assert solver.executed == 2


def test_what_leads_to_a_sink_but_brings_nothing_there_is_not_executed():
    graph = graph_of(
        HEAD
        + """
COLUMNS = configured()
@app.get("/books")
def search(name: str, session: Session = Depends(get_session)):
    return listed(session, measured(name))
def measured(name):
    return name.strip()
def listed(session, name):
    return counted(session)
def counted(session: Session):
    return session.execute(text(", ".join(column for column in COLUMNS))).all()
"""
    )
    solver = TaintSolver(graph.program, taint._query(graph, find_sinks(graph)))
    assert solver.solve() == ()
    assert solver.executed == 1


def test_answers_are_kept_and_in_order():
    body = "".join(
        f"""
@app.get("/{name}")
def f_{name}({name}: str, session: Session = Depends(get_session)):
    session.execute(text({name}))
"""
        for name in random.Random(1).sample("abcdefgh", 8)
    )
    graph = graph_of(HEAD + body)
    first = taint_paths(graph, "sql")
    assert [path.sink.scope.location(path.sink.node).line for path in first] == sorted(
        path.sink.scope.location(path.sink.node).line for path in first
    )
    assert len(first) == 8
    assert all(a is b for a, b in zip(first, taint_paths(graph, "sql"), strict=True))


def test_kinds_are_told_apart():
    graph = graph_of(
        HEAD
        + """
from sqlalchemy import select
@app.get("/books")
def search(column: str, name: str, session: Session = Depends(get_session)):
    session.execute(select(1).order_by(text(column)))
    session.execute(text(name))
"""
    )
    assert [path.path for path in taint_paths(graph, "sql")] == [("name",)]
    assert [path.path for path in taint_paths(graph, "sql-identifier")] == [("column",)]
