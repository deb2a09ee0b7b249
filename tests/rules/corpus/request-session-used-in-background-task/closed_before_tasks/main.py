"""FastAPI 0.110 leaves dependencies, and closes uploads, before background tasks run."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, UploadFile
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse

app = FastAPI()
factory = async_sessionmaker(create_async_engine("postgresql+asyncpg:///shop"))


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


class AuditLog:
    def __init__(self, session: SessionDep) -> None:
        self.session = session

    async def write(self, line: str) -> None:
        await self.session.execute(text("insert into log values (:line)"), {"line": line})

    def write_later(self, tasks: BackgroundTasks, line: str) -> None:
        tasks.add_task(self.write, line)  # finding: request-session-used-in-background-task


async def touch(session: AsyncSession, book: int) -> None:
    await session.execute(text("update books set seen = now() where id = :id"), {"id": book})


async def touch_alone(book: int) -> None:
    async with factory() as session:
        await touch(session, book)


async def touch_with(make, book: int) -> None:
    async with make() as session:
        await touch(session, book)


def store(upload: UploadFile) -> None:
    upload.file.read()


def store_bytes(content: bytes) -> None:
    print(len(content))


@app.get("/books/{book}")
async def get_book(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    tasks.add_task(touch, session, book)  # finding: request-session-used-in-background-task


@app.get("/own/{book}")
async def own(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    tasks.add_task(touch_alone, book)
    tasks.add_task(touch_with, factory, book)


@app.get("/log")
async def log(log: Annotated[AuditLog, Depends()], tasks: BackgroundTasks) -> None:
    log.write_later(tasks, "seen")


@app.get("/closure/{book}")
async def closure(book: int, session: SessionDep, tasks: BackgroundTasks) -> None:
    async def later() -> None:
        await touch(session, book)

    tasks.add_task(later)  # finding: request-session-used-in-background-task


@app.get("/response/{book}")
async def response(book: int, session: SessionDep) -> JSONResponse:
    return JSONResponse({}, background=BackgroundTask(touch, session, book=book))  # finding: request-session-used-in-background-task


@app.post("/upload")
async def upload(file: UploadFile, tasks: BackgroundTasks) -> None:
    tasks.add_task(store, file)  # finding: request-session-used-in-background-task


@app.post("/upload-bytes")
async def upload_bytes(file: UploadFile, tasks: BackgroundTasks) -> None:
    tasks.add_task(store_bytes, await file.read())
