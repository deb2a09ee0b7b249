"""A route that an earlier one hides refuses nobody; one that is reached does."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Filters(BaseModel):
    author: str = ""


@app.get("/books/{name}")
def read(name: str) -> str:
    return name


@app.get("/books/search")
def hidden(filters: Filters) -> str:
    return filters.author


@app.get("/search")
def reached(filters: Filters) -> str:  # finding: body-inferred-on-get-or-query-model-misread
    return filters.author
