"""What speaks for the code is measured: claimed of three things or more, and only when it holds for all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.kit import write

from fastapi_architect.analyses.strengths import Measured, measure, subjects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.review.config import Config
from fastapi_architect.review.reading import read
from fastapi_architect.source.tree import SourceTree

HEAD = """
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite:///shop.db")


class New(BaseModel):
    name: str


class Base(DeclarativeBase): ...


def current_user(authorization: Annotated[str, Header()]) -> str:
    if authorization != "secret":
        raise HTTPException(401)
    return "alice"


"""


def graph_of(body: str, folder: Path) -> AppGraph:
    return read(SourceTree.open(write({"main.py": HEAD + body}, folder)), Config(), cache=False).graph


def strengths_of(body: str, folder: Path) -> dict[str, Measured]:
    """By their texts, `all 3` left out."""
    return {each.text.split(" ", 2)[2]: each for each in measure(graph_of(body, folder))}


GOOD = {
    "operations declare a response model or a return type": [
        '\n@app.get("/0")\ndef f0() -> int: ...\n',
        '\n@app.get("/1", response_model=New)\ndef f1(): ...\n',
        '\n@app.delete("/2", status_code=204)\ndef f2(): ...\n',
    ],
    "operations that change state require authentication": [
        f'\n@app.{method}("/{number}", dependencies=[Depends(current_user)])\ndef f{number}(): ...\n'
        for number, method in enumerate(("post", "put", "delete"))
    ],
    "operations carry tags": [
        f'\n@app.get("/{number}", tags=["books"])\ndef f{number}(): ...\n' for number in range(3)
    ],
    "request bodies are validated by a declared type": [
        f'\n@app.post("/{number}")\ndef f{number}(new: New): ...\n' for number in range(3)
    ],
    "operations have a summary or a docstring": [
        '\n@app.get("/0", summary="Books")\ndef f0(): ...\n',
        '\n@app.get("/1", description="All of them")\ndef f1(): ...\n',
        '\n@app.get("/2")\ndef f2():\n    """Books."""\n',
    ],
    "executed statements are expressions or carry bound parameters": [
        f'\n@app.get("/{number}")\ndef f{number}(name: str):\n    with Session(engine) as session:\n'
        f'        return session.execute(text("SELECT {number} WHERE :name = 1"), {{"name": name}}).all()\n'
        for number in range(3)
    ],
    "outbound requests are limited in time": [
        f'\n@app.get("/{number}")\ndef f{number}():\n    return httpx.get("https://example.com", timeout=2).text\n'
        for number in range(3)
    ],
    "foreign keys are indexed": [
        f'\nclass T{number}(Base):\n    __tablename__ = "t{number}"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        f'    parent: Mapped[int] = mapped_column(ForeignKey("t0.id"), index=True)\n'
        for number in range(3)
    ],
}
#: One more thing of the same kind, without the property.
SPOILT = {
    "operations declare a response model or a return type": '\n@app.get("/bad")\ndef bad(): ...\n',
    "operations that change state require authentication": '\n@app.post("/bad")\ndef bad(): ...\n',
    "operations carry tags": '\n@app.get("/bad")\ndef bad(): ...\n',
    "request bodies are validated by a declared type": (
        '\nfrom fastapi import Body\n@app.post("/bad")\ndef bad(new=Body()): ...\n'
    ),
    "operations have a summary or a docstring": '\n@app.get("/bad")\ndef bad(): ...\n',
    "executed statements are expressions or carry bound parameters": (
        '\nNAME = "books"\ndef bad():\n    with Session(engine) as session:\n'
        '        return session.execute(f"SELECT * FROM {NAME}").all()\n'
    ),
    "outbound requests are limited in time": (
        '\nimport requests\n@app.get("/bad")\ndef bad():\n    return requests.get("https://example.com").text\n'
    ),
    "foreign keys are indexed": (
        '\nclass Bad(Base):\n    __tablename__ = "bad"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
        '    parent: Mapped[int] = mapped_column(ForeignKey("t0.id"))\n'
    ),
}


@pytest.mark.parametrize("claim", GOOD)
def test_what_holds_for_all_of_three_is_claimed_with_the_number(claim: str, tmp_path: Path) -> None:
    found = strengths_of("".join(GOOD[claim]), tmp_path)[claim]

    assert (found.measured, found.total) == (3, 3)
    assert found.text == f"all 3 {claim}"


@pytest.mark.parametrize("claim", GOOD)
def test_one_exception_ends_the_claim(claim: str, tmp_path: Path) -> None:
    assert claim not in strengths_of("".join(GOOD[claim]) + SPOILT[claim], tmp_path)


@pytest.mark.parametrize("claim", GOOD)
def test_nothing_is_claimed_of_two(claim: str, tmp_path: Path) -> None:
    assert claim not in strengths_of("".join(GOOD[claim][:2]), tmp_path)


def test_statements_are_not_praised_where_input_reaches_one(tmp_path: Path) -> None:
    claim = "executed statements are expressions or carry bound parameters"
    injected = (
        '\n@app.get("/bad")\ndef bad(name: str):\n    statement = "SELECT 1 WHERE n = \'{}\'".format(name)\n'
        "    with Session(engine) as session:\n        return session.execute(text(statement)).all()\n"
    )

    assert claim not in strengths_of("".join(GOOD[claim]) + injected, tmp_path)


def test_operations_outside_the_schema_do_not_count(tmp_path: Path) -> None:
    claim = "operations carry tags"
    hidden = '\n@app.get("/probe", include_in_schema=False)\ndef probe(): ...\n'

    assert strengths_of("".join(GOOD[claim]) + hidden, tmp_path)[claim].total == 3


def test_an_empty_project_has_no_strengths(tmp_path: Path) -> None:
    assert strengths_of("", tmp_path) == {}


@pytest.mark.parametrize(
    ("body", "subject", "count"),
    [
        ('@app.get("/")\ndef f(): ...\n', "operations", 1),
        ("def f(session: Session):\n    session.execute(select(1))\n    session.commit()\n", "queries", 2),
        ("async def f(): ...\nasync def g(): ...\ndef h(): ...\n", "async functions", 2),
        ("", "files", 1),
    ],
)
def test_subjects_are_counted(body: str, subject: str, count: int, tmp_path: Path) -> None:
    assert subjects(graph_of(body, tmp_path))[subject] == count
