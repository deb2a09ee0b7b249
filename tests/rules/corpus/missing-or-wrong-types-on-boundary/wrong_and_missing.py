# ruff: noqa: B008
"""Answers that do not fit what the handler promises, and parameters without a type, reported once."""

from fastapi import Depends, FastAPI
from pydantic import BaseModel

app = FastAPI()


class Book(BaseModel):
    title: str


def current_user():
    return "alice"


@app.get("/books")
def list_books(q: str = "") -> list[Book]:
    if not q:
        return {"items": []}  # finding: missing-or-wrong-types-on-boundary
    return [Book(title=q)]


@app.get("/books/{title}")
def read_book(title: str) -> Book:
    if title == "Emma":
        return Book(title=title)
    return None  # finding: missing-or-wrong-types-on-boundary


@app.delete("/books/{book_id}")
def delete_book(book_id, user=Depends(current_user)) -> None:  # finding: missing-or-wrong-types-on-boundary
    print(book_id, user)


@app.get("/me")
def me(user=Depends(current_user)) -> str:  # silent: named with the first
    return user
