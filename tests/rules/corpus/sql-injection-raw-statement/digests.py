"""A digest holds hexadecimal digits only; whose address an engine has is no text of its statements."""

import hashlib

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


@app.get("/search")
def search(term: str) -> list[str]:
    name = f"term_{hashlib.blake2s(term.encode(), digest_size=4).hexdigest()}"
    with Session(engine) as session:
        return list(session.scalars(text(f"SELECT title FROM books WHERE title = :{name}"), {name: term}))


@app.get("/tables")
def tables(address: str) -> list[str]:
    other = create_engine(address)
    with other.connect() as connection:
        names = [row[0] for row in connection.execute(text("SELECT name FROM sqlite_master"))]
        return [str(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar()) for name in names]
