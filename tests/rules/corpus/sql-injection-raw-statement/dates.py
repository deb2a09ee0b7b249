"""A pattern of digits, separators and spaces lets no SQL through; one with letters and spaces does."""

import re

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/since")
def since(moment: str) -> list[str]:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2}", moment):
        raise HTTPException(422)
    with Session(engine) as session:
        return list(session.scalars(text(f"SELECT title FROM books WHERE added > '{moment}'")))


@app.get("/by")
def by(order: str) -> list[str]:
    if not re.fullmatch(r"[a-z ]+", order):
        raise HTTPException(422)
    with Session(engine) as session:
        return list(session.scalars(text(f"SELECT title FROM books ORDER BY {order}")))  # finding: sql-injection-raw-statement
