"""What looks like another type and fits all the same, or is not validated."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

app = FastAPI()


class Book(BaseModel):
    title: str


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return {"items": function(*args, **kwargs)}

    return inner


@app.get("/a")
def a() -> Book:
    return {"title": "Emma"}  # type: ignore[return-value]  # silent: validated into a Book


@app.get("/b")
def b(title: str) -> Book | None:
    return Book(title=title) if title else None


@app.get("/c", response_model=list[Book])
def c() -> Book:
    return []  # type: ignore[return-value]  # silent: `response_model` counts


@app.get("/d")
def d() -> Response:
    return JSONResponse({})


@app.get("/e")
def e(number: int) -> int:
    return "3"  # type: ignore[return-value]  # silent: becomes 3


@app.delete("/f", status_code=204)
def f() -> None:
    return


@app.get("/g")
@wrapped
def g() -> dict[str, Any]:
    return []  # type: ignore[return-value]  # silent: the decorator answers
