"""Code of the years before: one use of each kind, the second of the same kind in a file only counted."""

import redis.asyncio as redis
from fastapi import FastAPI, Query
from pydantic import BaseModel, Field, validator
from sqlalchemy.ext.declarative import declarative_base

app = FastAPI()
Base = declarative_base()  # finding: deprecated-or-removed-api-use


class Book(BaseModel):
    title: str = Field(regex="^[A-Z]")  # finding: deprecated-or-removed-api-use
    tags: list[str] = Field(default_factory=list, max_items=5)  # finding: deprecated-or-removed-api-use

    class Config:  # finding: deprecated-or-removed-api-use
        orm_mode = True

    @validator("title")  # finding: deprecated-or-removed-api-use
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip()


class Shelf(BaseModel):
    books: list[Book]

    class Config:  # silent: counted with the first in this file
        frozen = True


@app.on_event("startup")  # finding: deprecated-or-removed-api-use
async def start() -> None:
    client = redis.Redis()
    await client.close()  # finding: deprecated-or-removed-api-use


@app.get("/books")
def search(title: str = Query("", regex="^[a-z]*$")) -> str:  # finding: deprecated-or-removed-api-use
    return title


@app.post("/books")
def add(book: Book) -> dict[str, object]:
    other = Book.parse_obj({"title": "Emma"})  # finding: deprecated-or-removed-api-use
    first = book.dict()  # finding: deprecated-or-removed-api-use
    return first | other.dict()  # silent: counted
