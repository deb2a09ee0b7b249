"""Handlers that open a session, make a service and call a provider although other routes have them injected."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


def clock() -> int:
    return 12


class Prices:
    def __init__(self, session: Annotated[Session, Depends(get_session)]) -> None:
        self.session = session

    def total(self) -> int:
        return 1


@app.get("/a")
def a(prices: Annotated[Prices, Depends()], session: Annotated[Session, Depends(get_session)]) -> int:
    session.execute(text("select 1"))
    return prices.total()


@app.get("/b")
def b(session: Annotated[Session, Depends(get_session)]) -> int:
    return Prices(session).total()  # finding: dependency-instantiated-instead-of-injected


@app.get("/c")
def c() -> None:
    with SessionLocal() as session:  # finding: dependency-instantiated-instead-of-injected
        session.execute(text("select 1"))


@app.get("/d")
def d(now: Annotated[int, Depends(clock)]) -> int:
    return now


@app.get("/e")
def e(now: Annotated[int, Depends(clock)]) -> int:
    return now


@app.get("/f")
def f() -> int:
    return clock()  # finding: dependency-instantiated-instead-of-injected
