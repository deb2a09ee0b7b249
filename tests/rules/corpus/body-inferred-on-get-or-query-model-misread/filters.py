"""A model of filters in a dependency's signature, a dictionary, and a DELETE by a list of numbers."""

from typing import Annotated

from fastapi import Depends, FastAPI
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
