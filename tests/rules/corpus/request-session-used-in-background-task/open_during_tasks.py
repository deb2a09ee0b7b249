"""A recent FastAPI leaves dependencies last: what is quick is fine, what waits holds a connection."""

import asyncio
import smtplib
from collections.abc import Iterator
from threading import Thread
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, UploadFile, WebSocket
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
factory = sessionmaker(create_engine("postgresql:///shop"))


def get_session() -> Iterator[Session]:
    session = factory()
    try:
        yield session
    finally:
        session.close()


def get_plain_session() -> Session:
    return factory()


SessionDep = Annotated[Session, Depends(get_session)]
ShortSession = Annotated[Session, Depends(get_session, scope="function")]


def touch(session: Session, book: int) -> None:
    session.execute(text("update books set seen = now() where id = :id"), {"id": book})


def mail(session: Session, book: int) -> None:
    address = session.scalar(text("select address from readers"))
    with smtplib.SMTP("mail") as server:
        server.sendmail("shop@example.org", [address], "read")


async def work(session: Session, book: int) -> None:
    session.execute(text("select 1"))
    await asyncio.sleep(10)


async def store(upload: UploadFile) -> None:
    await upload.read()


@app.get("/quick/{book}")
def quick(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    tasks.add_task(touch, session, book)


@app.get("/slow/{book}")
def slow(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    tasks.add_task(mail, session, book)  # finding: request-session-used-in-background-task


@app.get("/nobody-closes/{book}")
def nobody_closes(
    book: int, session: Annotated[Session, Depends(get_plain_session)], tasks: BackgroundTasks
) -> None:
    tasks.add_task(mail, session, book)


@app.get("/short/{book}")
def short(book: int, session: ShortSession, tasks: BackgroundTasks) -> None:
    tasks.add_task(touch, session, book)  # finding: request-session-used-in-background-task


@app.get("/block/{book}")
def block(book: int, tasks: BackgroundTasks) -> None:
    with factory() as session:
        tasks.add_task(touch, session, book)  # finding: request-session-used-in-background-task


def schedule(tasks: BackgroundTasks, session: Session, book: int) -> None:
    tasks.add_task(mail, session, book)  # finding: request-session-used-in-background-task


@app.get("/helper/{book}")
def helper(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    schedule(tasks, session, book)


@app.get("/task/{book}")
async def task(book: int, session: SessionDep) -> None:
    asyncio.create_task(work(session, book))  # finding: request-session-used-in-background-task


@app.get("/kept/{book}")
async def kept(book: int, session: SessionDep) -> None:
    running = asyncio.create_task(work(session, book))  # finding: request-session-used-in-background-task
    app.state.tasks.add(running)
    running.add_done_callback(app.state.tasks.discard)


@app.get("/awaited/{book}")
async def awaited(book: int, session: SessionDep) -> None:
    running = asyncio.create_task(work(session, book))
    await asyncio.sleep(1)
    await running


@app.get("/thread/{book}")
def thread(book: int, session: SessionDep) -> None:
    Thread(target=touch, args=(session, book)).start()  # finding: request-session-used-in-background-task


@app.get("/joined/{book}")
def joined(book: int, session: SessionDep) -> None:
    worker = Thread(target=touch, args=(session, book))
    worker.start()
    worker.join()


@app.post("/upload")
async def upload(file: UploadFile, tasks: BackgroundTasks) -> None:
    tasks.add_task(store, file)


@app.post("/upload-task")
async def upload_task(file: UploadFile) -> None:
    asyncio.create_task(store(file))  # finding: request-session-used-in-background-task


@app.websocket("/socket")
async def socket(socket: WebSocket, session: SessionDep) -> None:
    await socket.accept()
    asyncio.create_task(work(session, 1))
    await socket.receive_text()
