"""What the analysis of sessions could not follow is said."""

from __future__ import annotations

from pathlib import Path

from tests.appgraph.sample import program_of

from fastapi_architect.analyses.session_flow import session_flow, sessions_not_fully_followed
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.libraries.registry import all_libraries
from fastapi_architect.source.tree import SourceTree

HEAD = """
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
class Base(DeclarativeBase): pass
class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
def fill(session: Session):
"""


def filling(rows: int) -> AppGraph:
    """A function that adds so many rows and leaves the commit to its caller."""
    program = program_of(HEAD + "    session.add(Book())\n" * rows)
    return AppGraph(program, all_libraries(), SourceTree(Path("/nowhere"), ()))


def test_a_function_that_writes_more_than_is_kept_is_named():
    graph = filling(65)
    session_flow(graph)
    assert [function.name for function in sessions_not_fully_followed(graph)] == ["fill"]


def test_a_function_that_writes_what_can_be_kept_is_followed_to_its_end():
    graph = filling(64)
    session_flow(graph)
    assert sessions_not_fully_followed(graph) == ()


def test_nothing_is_said_when_no_rule_asked_for_sessions():
    assert sessions_not_fully_followed(filling(65)) == ()
