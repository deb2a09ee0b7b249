"""Checks that hold, and checks that do not."""

import re
from enum import StrEnum

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")
ALLOWED = {"title", "author"}
COLUMNS = {"t": "title", "a": "author"}
SLUG = re.compile(r"[a-z0-9_-]+")


class Kind(StrEnum):
    NEW = "new"
    OLD = "old"


KINDS = {kind.value for kind in Kind}


def run(query: str):
    with engine.connect() as connection:
        return connection.execute(text(query)).all()  # finding: sql-injection-raw-statement


@app.get("/allowed")
def allowed(column: str):
    if column not in ALLOWED:
        raise HTTPException(422)
    return run(f"SELECT {column} FROM books")


@app.get("/allowed-branch")
def allowed_branch(column: str):
    if column in ("title", "author"):
        return run(f"SELECT {column} FROM books")
    return []


@app.get("/replaced")
def replaced(column: str):
    if column not in ALLOWED:
        column = "title"
    return run(f"SELECT {column} FROM books")


@app.get("/looked-up")
def looked_up(column: str):
    return run(f"SELECT {COLUMNS[column]} FROM books ORDER BY {COLUMNS.get(column, 'title')}")


@app.get("/fullmatch")
def fullmatch(slug: str, other: str):
    if not re.fullmatch(r"\w+", slug):
        raise HTTPException(422)
    if SLUG.fullmatch(other) is None:
        raise HTTPException(422)
    return run(f"SELECT * FROM books WHERE slug = '{slug}' OR slug = '{other}'")


@app.get("/enumeration")
def enumeration(kind: str):
    if kind not in KINDS:
        raise HTTPException(422)
    return run(f"SELECT * FROM books WHERE kind = '{kind}'")


@app.get("/every")
def every(columns: list[str]):
    if any(column not in ALLOWED for column in columns):
        raise HTTPException(422)
    return run(f"SELECT {', '.join(columns)} FROM books")


@app.get("/subset")
def subset(columns: list[str]):
    if not set(columns) <= ALLOWED:
        raise HTTPException(422)
    return run(f"SELECT {', '.join(columns)} FROM books")


@app.get("/filtered")
def filtered(columns: list[str]):
    chosen = [column for column in columns if column in ALLOWED]
    return run(f"SELECT {', '.join(chosen)} FROM books")


def check(column: str) -> None:
    if column not in ALLOWED:
        raise HTTPException(422)


def is_allowed(column: str) -> bool:
    return column in ALLOWED


def cleaned(column: str) -> str:
    return column if column in ALLOWED else "title"


@app.get("/validator")
def validator(column: str):
    check(column)
    return run(f"SELECT {column} FROM books")


@app.get("/predicate")
def predicate(column: str):
    if not is_allowed(column):
        raise HTTPException(422)
    return run(f"SELECT {column} FROM books")


@app.get("/cleaner")
def cleaner(column: str):
    return run(f"SELECT {cleaned(column)} FROM books")


@app.get("/matched")
def matched(column: str):
    match column:
        case "title" | "author":
            return run(f"SELECT {column} FROM books")
    return []


@app.get("/variable")
def variable(column: str):
    ok = column in ALLOWED
    if not ok:
        raise HTTPException(422)
    return run(f"SELECT {column} FROM books")


@app.get("/digits")
def digits(number: str):
    if not number.isdigit():
        raise HTTPException(422)
    return run(f"SELECT * FROM books WHERE id = {number}")


@app.get("/asserted")
def asserted(column: str):
    assert column in ALLOWED
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/discarded")
def discarded(column: str):
    column in ALLOWED
    is_allowed(column)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/another")
def another(column: str, other: str):
    if other not in ALLOWED:
        raise HTTPException(422)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/substring")
def substring(column: str):
    if column not in "title author":
        raise HTTPException(422)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/loose")
def loose(slug: str):
    if not re.match(r"\w+", slug):
        raise HTTPException(422)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE slug = '{slug}'")).all()  # finding: sql-injection-raw-statement


@app.get("/quote-allowed")
def quote_allowed(name: str):
    if not re.fullmatch(r"[\w' ]+", name):
        raise HTTPException(422)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT * FROM books WHERE name = '{name}'")).all()  # finding: sql-injection-raw-statement


@app.get("/too-late")
def too_late(column: str):
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement
    if column not in ALLOWED:
        raise HTTPException(422)
    return rows


@app.get("/one-way")
def one_way(column: str, strict: bool):
    if strict:
        check(column)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/logged")
def logged(column: str):
    if column not in ALLOWED:
        print("suspicious", column)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT {column} FROM books")).all()  # finding: sql-injection-raw-statement


@app.get("/overwritten")
def overwritten(column: str, other: str):
    if column not in ALLOWED:
        raise HTTPException(422)
    column = other
    return run(f"SELECT {column} FROM books")
