"""A dependency and the helper below it run for each request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
URL = "sqlite:///shop.db"


def new_session() -> Session:
    factory = sessionmaker(bind=create_engine(URL))  # finding: engine-created-per-call
    return factory()


def get_session() -> Iterator[Session]:
    session = new_session()
    try:
        yield session
    finally:
        session.close()


@app.get("/orders")
def count(session: Annotated[Session, Depends(get_session)]) -> int:
    return session.scalar(text("select count(*) from orders")) or 0


@app.get("/books")
async def count_books() -> int:
    engine = create_async_engine("sqlite+aiosqlite:///shop.db")  # finding: engine-created-per-call
    async with engine.connect() as connection:
        return await connection.scalar(text("select count(*) from books")) or 0
