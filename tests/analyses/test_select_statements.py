from pathlib import Path

from tests.rules.kit import write

from fastapi_architect.analyses.select_statements import SelectStatement, selects
from fastapi_architect.review.config import Config
from fastapi_architect.review.reading import read
from fastapi_architect.source.tree import SourceTree

HEAD = """
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)


def f(session: Session, word: str, given):
"""


def statement_of(body: str, folder: Path) -> SelectStatement:
    text = HEAD + "\n".join(f"    {line}" for line in body.split("\n")) + "\n"
    graph = read(SourceTree.open(write({"main.py": text}, folder)), Config(), cache=False).graph
    (found,) = selects(graph, graph.program.functions[-1])
    return found


def test_steps_are_followed_through_variables_and_branches(tmp_path: Path) -> None:
    body = "s = select(Book)\nif word:\n    s = s.where(Book.id > 3)\ns = s.order_by(Book.id)\nreturn session.scalars(s).all()"
    found = statement_of(body, tmp_path)
    assert (sorted(step.kind for step in found.steps), found.is_open, found.single) == (
        ["order_by", "where"],
        False,
        False,
    )


def test_a_statement_from_elsewhere_is_open(tmp_path: Path) -> None:
    found = statement_of("return session.scalars(given.limit(3)).all()", tmp_path)
    assert (found.start, found.is_open) == (None, True)


def test_one_row_is_single(tmp_path: Path) -> None:
    found = statement_of("result = session.execute(select(Book))\nreturn result.scalars().first()", tmp_path)
    assert found.single


def test_a_query_of_the_older_kind_is_read_too(tmp_path: Path) -> None:
    found = statement_of("return session.query(Book).filter(Book.id > 3).limit(5).all()", tmp_path)
    assert (sorted(step.kind for step in found.steps), found.is_open) == (["limit", "where"], False)
