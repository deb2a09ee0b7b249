"""Quotes that are doubled hold, as long as nobody forgets one: reported, but no more than tentative."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/books")
def search(title: str) -> list[str]:
    escaped = title.replace("'", "''")
    with engine.connect() as connection:
        return list(connection.scalars(text(f"SELECT title FROM books WHERE title = '{escaped}'")))  # finding: sql-injection-raw-statement (tentative)
