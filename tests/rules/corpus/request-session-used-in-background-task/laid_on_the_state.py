"""A middleware lays the session on the state of the request, and closes it when the response begins."""

import asyncio

from fastapi import BackgroundTasks, Depends, FastAPI, Request
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
new_session = sessionmaker(create_engine("postgresql:///shop"))


@app.middleware("http")
async def with_session(request: Request, call_next):
    request.state.db = new_session()
    try:
        return await call_next(request)
    finally:
        request.state.db.close()


@app.middleware("http")
async def with_settings(request: Request, call_next):
    request.state.currency = "EUR"
    return await call_next(request)


def get_session(request: Request) -> Session:
    return request.state.db


def touch(session: Session, book: int) -> None:
    session.execute(text("update books set seen = now() where id = :id"), {"id": book})


def touch_alone(book: int) -> None:
    with new_session() as session:
        touch(session, book)


async def touch_soon(session: Session, book: int) -> None:
    await asyncio.to_thread(touch, session, book)


@app.get("/injected/{book}")
def injected(book: int, tasks: BackgroundTasks, session: Session = Depends(get_session)) -> None:
    tasks.add_task(touch, session, book)  # finding: request-session-used-in-background-task


@app.get("/state/{book}")
def from_state(book: int, request: Request, tasks: BackgroundTasks) -> None:
    db = request.state.db
    tasks.add_task(touch, db, book)  # finding: request-session-used-in-background-task


@app.get("/task/{book}")
async def spawned(book: int, request: Request) -> None:
    asyncio.create_task(touch_soon(request.state.db, book))  # finding: request-session-used-in-background-task


@app.get("/own/{book}")
def own(book: int, tasks: BackgroundTasks, session: Session = Depends(get_session)) -> None:
    touch(session, book)
    tasks.add_task(touch_alone, book)


@app.get("/other/{book}")
def other(book: int, request: Request, tasks: BackgroundTasks) -> None:
    tasks.add_task(print, request.state.currency, book)
