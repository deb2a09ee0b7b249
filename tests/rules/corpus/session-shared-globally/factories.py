"""Engines, factories and registries are made once; each request gets a session of its own."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

app = FastAPI()
engine = create_engine("sqlite://")
SessionFactory = sessionmaker(bind=engine)
registry = scoped_session(SessionFactory)


class Orders:
    def __init__(self, session: Session | None = None) -> None:
        self.session = session or SessionFactory()

    def count(self) -> int:
        return self.session.scalar(text("select count(*) from orders"))


def get_session() -> Iterator[Session]:
    session = SessionFactory()
    try:
        yield session
    finally:
        session.close()


def get_orders(session: Annotated[Session, Depends(get_session)]) -> Orders:
    return Orders(session)


@app.get("/orders")
def count_orders(orders: Annotated[Orders, Depends(get_orders)]) -> int:
    return orders.count()


@app.get("/books")
def count_books() -> int:
    return registry.scalar(text("select count(*) from books"))
