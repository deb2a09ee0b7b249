"""Sessions from a dependency, made here, of SQLModel; only the first call of a coroutine is reported."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlmodel import Session as ModelSession

app = FastAPI()
engine = create_engine("sqlite://")
SessionLocal = sessionmaker(engine)


def get_session() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


@app.post("/books")
async def create_book(session: SessionDep) -> None:
    session.execute(text("insert into books values (1)"))  # finding: sync-db-session-in-async
    session.commit()


@app.get("/made-here")
async def made_here() -> int:
    with SessionLocal() as session:
        return session.scalar(text("select 1"))  # finding: sync-db-session-in-async


@app.get("/sqlmodel")
async def with_sqlmodel() -> list[int]:
    with ModelSession(engine) as session:
        return list(session.exec(text("select 1")))  # finding: sync-db-session-in-async


@app.websocket("/counts")
async def counts(socket: WebSocket, session: SessionDep) -> None:
    await socket.accept()
    while await socket.receive_text():
        await socket.send_text(str(session.scalar(text("select 1"))))  # finding: sync-db-session-in-async


async def current_user(session: SessionDep) -> int:
    return session.scalar(text("select 1"))  # finding: sync-db-session-in-async


@app.get("/me")
def me(user: Annotated[int, Depends(current_user)]) -> int:
    return user
