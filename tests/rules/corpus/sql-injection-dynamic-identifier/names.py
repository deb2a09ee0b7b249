"""Names, operators and keywords from requests."""

from enum import Enum
from typing import Annotated, Literal

from fastapi import FastAPI, Query
from pydantic import AfterValidator
from sqlalchemy import DDL, Column, Integer, MetaData, String, Table, column, create_engine, literal_column, select, table, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
books = Table("books", MetaData(), Column("id", Integer), Column("title", String))
COLUMNS = {"title": books.c.title, "id": books.c.id}
NAMES = {"title": "books.title", "id": "books.id"}


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)


class Sort(str, Enum):
    TITLE = "title"


def run(statement):
    with engine.connect() as connection:
        return connection.execute(statement).all()


@app.get("/order")
def order(sort: str):
    return run(select(books).order_by(text(sort)))  # finding: sql-injection-dynamic-identifier


@app.get("/group")
def group(by: str):
    return run(select(books).group_by(text(f"books.{by}")))  # finding: sql-injection-dynamic-identifier


@app.get("/direction")
def direction(direction: str = "asc"):
    return run(select(books).order_by(text("title " + direction)))  # finding: sql-injection-dynamic-identifier


@app.get("/column")
def named(name: str):
    return run(select(literal_column(name)).select_from(books))  # finding: sql-injection-dynamic-identifier


@app.get("/operator")
def operator(op: str, value: int):
    return run(select(Book).where(Book.id.op(op)(value)))  # finding: sql-injection-dynamic-identifier


@app.get("/prefix")
def prefix(word: str):
    return run(select(books).prefix_with(word))  # finding: sql-injection-dynamic-identifier


@app.post("/schema")
def schema(name: str):
    return run(DDL(f"CREATE SCHEMA {name}"))  # finding: sql-injection-dynamic-identifier


@app.get("/quoted")
def quoted(name: str):
    return run(select(column(name)).select_from(table(name)))  # silent: SQLAlchemy quotes both


@app.get("/label")
def label(sort: str):
    return run(select(books).order_by(sort))  # silent: a plain string is looked up, or refused


@app.get("/looked-up")
def looked_up(sort: str):
    return run(select(books).order_by(COLUMNS[sort], text(NAMES[sort])))  # silent: values of the program


@app.get("/enum")
def enumeration(sort: Sort, way: Literal["asc", "desc"]):
    return run(select(books).order_by(text(f"{sort.value} {way}")))  # silent: closed


@app.get("/pattern")
def pattern(sort: Annotated[str, Query(pattern=r"^[a-z_]+$")]):
    return run(select(books).order_by(text(sort)))  # silent: letters


@app.get("/listed")
def listed(sort: str):
    if sort not in NAMES:
        sort = "title"
    return run(select(books).order_by(text(sort)))  # silent: a closed list


@app.get("/asked-twice")
def asked_twice(options: dict):
    way = options.get("way") if options.get("way") in ["asc", "desc"] else "asc"
    return run(select(books).order_by(text(f"title {way}")))  # silent: checked as it is read
