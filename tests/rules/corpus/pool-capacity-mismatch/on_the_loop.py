"""Handlers on the event loop do not wait in threads for a connection."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")
SessionFactory = sessionmaker(bind=engine)


def get_session() -> Iterator[Session]:
    session = SessionFactory()
    try:
        yield session
    finally:
        session.close()


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/books")
async def books(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0


@app.get("/orders")
async def orders(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0


@app.get("/users")
async def users(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0
