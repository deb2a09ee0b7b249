"""Values that the framework has parsed, or that come from a closed set."""

from datetime import date
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")
TABLE = "books"


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Filters(BaseModel):
    limit: int
    day: date
    code: str = Field(pattern=r"^[A-Z]{3}$")


@app.get("/number")
def number(limit: int, offset: int | None = None, exact: bool = False):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books LIMIT {limit} OFFSET {offset} -- {exact}")).all()


@app.get("/identifier/{key}")
def identifier(key: UUID, day: date):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE id = '{key}' AND day = '{day}'")).all()


@app.get("/closed")
def closed(color: Color, direction: Literal["asc", "desc"]):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE color = '{color.value}' ORDER BY id {direction}")).all()


@app.get("/constant")
def constant(title: str):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM {TABLE} WHERE title = :title"), {"title": title}).all()


@app.get("/pattern/{code}")
def pattern(code: Annotated[str, Path(pattern=r"^\w+$")], kind: Annotated[str, Query(pattern=r"^[a-z_]{1,20}$")]):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE code = '{code}' AND kind = '{kind}'")).all()


@app.get("/open-pattern/{code}")
def open_pattern(code: Annotated[str, Path(pattern=r"^\w+")]):
    with engine.connect() as connection:
        return connection.execute(
            text(f"SELECT * FROM books WHERE code = '{code}'")  # finding: sql-injection-raw-statement
        ).all()


@app.post("/model")
def model(filters: Filters):
    with engine.connect() as connection:
        return connection.execute(
            text(f"SELECT * FROM books WHERE day = '{filters.day}' AND code = '{filters.code}' LIMIT {filters.limit}")
        ).all()


@app.get("/converted")
def converted(year: str, ratio: str):
    whole = int(year)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE year = {whole} AND r > {ratio:.2f}")).all()


@app.get("/checked-by-conversion")
def checked_by_conversion(key: str):
    try:
        UUID(key)
    except ValueError:
        return []
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE id = '{key}'")).all()


@app.get("/caught-conversion")
def caught_conversion(key: str):
    try:
        UUID(key)
    except ValueError:
        pass
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE id = '{key}'")).all()  # finding: sql-injection-raw-statement


@app.get("/words")
def words(words: list[int]):
    joined = ",".join(str(word) for word in words)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE id IN ({joined})")).all()


@app.get("/length")
def length(name: str):
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE length = {len(name)}")).all()
