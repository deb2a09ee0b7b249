"""Before 0.110 FastAPI answered although the dependency had swallowed the exception."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

app = FastAPI()
engine = create_engine("sqlite://")


def get_session() -> Iterator[Session]:
    session = Session(engine)
    try:
        yield session
    except Exception:
        session.rollback()


@app.get("/books")
def count(session: Annotated[Session, Depends(get_session)]) -> int:
    return session.scalar(text("select count(*) from books")) or 0
