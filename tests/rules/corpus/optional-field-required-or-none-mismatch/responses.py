"""A response may hold null in a field that is always there; nobody fills these models in."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Author(BaseModel):
    name: str
    country: str | None


class Book(BaseModel):
    title: str
    author: Author | None


@app.get("/books")
def list_books() -> list[Book]:
    return []
