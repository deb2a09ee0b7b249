from pathlib import Path

from tests.rules.kit import write

from fastapi_architect.analyses.http_errors import http_raises, swallowed
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.review.config import Config
from fastapi_architect.review.reading import read
from fastapi_architect.source.tree import SourceTree

APP = """
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, status

app = FastAPI()


class Gone(HTTPException):
    def __init__(self):
        super().__init__(status_code=410)


class Busy(Exception):
    status_code = 503


@app.exception_handler(Busy)
def answer(request, error): ...


@app.get("/{n}")
def f(n: int):
    try:
        if n == 1:
            raise HTTPException(status.HTTP_404_NOT_FOUND)
        if n == 2:
            raise HTTPException(status_code=HTTPStatus.CONFLICT)
        if n == 3:
            raise Gone
        if n == 4:
            raise Gone()
        if n == 5:
            raise Busy()
        raise ValueError
    except HTTPException:
        raise
    except Exception:
        return None
"""


def graph_of(text: str, folder: Path) -> AppGraph:
    return read(SourceTree.open(write({"main.py": text}, folder)), Config(), cache=False).graph


def test_statuses_are_read_from_arguments_constructors_and_class_attributes(tmp_path: Path) -> None:
    graph = graph_of(APP, tmp_path)
    assert sorted((r.name, r.status) for r in http_raises(graph)) == [
        ("Busy", 503),
        ("Gone", 410),
        ("HTTPException", 404),
        ("HTTPException", 409),
    ]


def test_only_what_no_clause_before_lets_pass_is_swallowed(tmp_path: Path) -> None:
    graph = graph_of(APP, tmp_path)
    assert [found.raised.name for found in swallowed(graph)] == ["Busy"]
