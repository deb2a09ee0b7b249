"""A model of filters in a dependency's signature, a dictionary, and DELETEs by lists of numbers."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()


class Filters(BaseModel):
    author: str = ""


def filtered(
    filters: Filters,  # finding: body-inferred-on-get-or-query-model-misread
) -> Filters:
    return filters


@app.get("/books")
def list_books(filters: Annotated[Filters, Depends(filtered)]) -> str:
    return filters.author


@app.delete("/books")
def delete_books(
    ids: list[int],  # finding: body-inferred-on-get-or-query-model-misread
) -> int:
    return len(ids)


@app.delete("/authors")
def delete_authors(author_ids: list[int]) -> int:  # silent: it may well be sent in the body
    return len(author_ids)


def check() -> None:
    client = TestClient(app)
    client.delete("/books", params={"ids": [1, 2]})
    client.request("DELETE", "/authors", json=[1, 2])
