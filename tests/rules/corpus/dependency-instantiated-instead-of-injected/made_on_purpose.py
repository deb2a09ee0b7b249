"""A task, a stream and a websocket outlive the request; a cached provider; one dependency builds on another."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


@lru_cache
def get_settings() -> dict[str, str]:
    return {"title": "Books"}


def tenant() -> str:
    return "alice"


def quota() -> int:
    return len(tenant())  # silent: called by a function like any other


def count() -> None:
    with SessionLocal() as session:
        session.execute(text("select 1"))


@app.get("/a")
def a(
    session: Annotated[Session, Depends(get_session)],
    settings: Annotated[dict[str, str], Depends(get_settings)],
    name: Annotated[str, Depends(tenant)],
) -> str:
    session.execute(text("select 1"))
    return settings["title"] + name


@app.get("/b")
def b(tasks: BackgroundTasks, limit: Annotated[int, Depends(quota)]) -> str:
    tasks.add_task(count)
    return get_settings()["title"] + str(limit) + tenant()  # silent: cached, and a function that others call


@app.get("/c")
def c() -> StreamingResponse:
    def rows() -> Iterator[str]:
        with SessionLocal() as session:
            yield str(session.scalar(text("select 1")))

    return StreamingResponse(rows())


@app.websocket("/w")
async def w(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        name = await websocket.receive_text()
        with SessionLocal() as session:  # silent: one for each message
            await websocket.send_text(name + str(session.scalar(text("select 1"))))
