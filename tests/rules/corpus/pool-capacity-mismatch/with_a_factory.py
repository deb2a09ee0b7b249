"""Sessions of a factory draw from the same default pool."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop", pool_pre_ping=True)  # finding: pool-capacity-mismatch
SessionFactory = sessionmaker(bind=engine)


def get_session() -> Iterator[Session]:
    session = SessionFactory()
    try:
        yield session
    finally:
        session.close()


SessionDep = Annotated[Session, Depends(get_session)]


@app.get("/books")
def books(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0


@app.get("/orders")
def orders(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0


@app.get("/users")
def users(session: SessionDep) -> int:
    return session.scalar(text("select 1")) or 0
