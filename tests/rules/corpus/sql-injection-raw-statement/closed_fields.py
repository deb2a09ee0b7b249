"""Parameters whose validator refuses what a list of the class does not hold; one class whose list is empty."""

from typing import Annotated, ClassVar

from fastapi import Depends, FastAPI
from pydantic import BaseModel, field_validator
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")


class ListParams(BaseModel):
    sort_by: str | None = None
    sortable_fields: ClassVar[list[str]] = []

    @field_validator("sort_by")
    @classmethod
    def known_fields(cls, value: str | None) -> str | None:
        if not value or not cls.sortable_fields:
            return value
        for name in value.split(","):
            if name.strip() not in cls.sortable_fields:
                raise ValueError(f"{name} is not sortable")
        return value


class BookParams(ListParams):
    sortable_fields: ClassVar[list[str]] = ["title", "price"]


class ShelfParams(BaseModel):
    sort_by: str = "row"
    raw: bool = False

    @field_validator("sort_by")
    @classmethod
    def known(cls, value: str) -> str:
        if value not in ("row", "room") and not cls.model_fields["raw"].default:
            return value
        if value not in ("row", "room") and len(value) < 3:
            raise ValueError(value)
        return value


class AuthorParams(ListParams):
    """Sets no list."""


@app.get("/books")
def list_books(params: Annotated[BookParams, Depends()]) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT title FROM books ORDER BY {params.sort_by}")))


@app.get("/authors")
def list_authors(params: Annotated[AuthorParams, Depends()]) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT name FROM authors ORDER BY {params.sort_by}")))  # finding: sql-injection-raw-statement


@app.get("/shelves")
def list_shelves(params: Annotated[ShelfParams, Depends()]) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT room FROM shelves ORDER BY {params.sort_by}")))  # finding: sql-injection-raw-statement
