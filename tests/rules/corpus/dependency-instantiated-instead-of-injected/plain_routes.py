"""Starlette injects nothing: a route of it that opens a session has no other way."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@app.get("/orders")
def list_orders(session: Annotated[Session, Depends(get_session)]) -> int:
    return session.execute(text("select 1")).scalar_one()


@app.get("/orders/count")
def count_orders() -> int:
    with SessionLocal() as session:  # finding: dependency-instantiated-instead-of-injected
        return session.execute(text("select 1")).scalar_one()


def health(request) -> JSONResponse:
    with SessionLocal() as session:
        session.execute(text("select 1"))
    return JSONResponse({"ready": True})


app.mount("/probe", Starlette(routes=[Route("/", health)]))
