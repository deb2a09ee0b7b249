"""A coroutine that is thrown away, tested, read, formatted, unpacked, returned to the framework, or kept unawaited."""

from typing import Annotated

import httpx
from fastapi import Depends, FastAPI
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
new_session = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))
redis = Redis()


async def get_session() -> AsyncSession:
    return new_session()


SessionDep = Annotated[AsyncSession, Depends(get_session)]


class Mailer:
    async def send(self, to: str) -> int:
        return len(to)

    async def is_ready(self) -> bool:
        return True

    async def pair(self) -> tuple[int, int]:
        return 1, 2


mailer = Mailer()


async def greet(name: str) -> str:
    return f"Hello {name}"


@app.get("/read")
async def read(session: SessionDep) -> list[str]:
    return session.execute(text("select 1")).scalars().all()  # finding: coroutine-not-awaited


@app.post("/mail")
async def mail(to: str) -> None:
    mailer.send(to)  # finding: coroutine-not-awaited
    redis.set("last", to)  # finding: coroutine-not-awaited


@app.get("/test")
async def test() -> str:
    if mailer.is_ready():  # finding: coroutine-not-awaited
        return "ready"
    return "not ready"


@app.get("/text")
async def in_text(name: str) -> str:
    return f"{greet(name)}!"  # finding: coroutine-not-awaited


@app.get("/unpack")
async def unpack() -> int:
    first, second = mailer.pair()  # finding: coroutine-not-awaited
    return first + second


@app.get("/returned")
def returned(name: str) -> str:
    return greet(name)  # finding: coroutine-not-awaited


@app.get("/kept")
async def kept() -> int:
    async with httpx.AsyncClient() as client:
        answer = client.get("https://books.example")  # finding: coroutine-not-awaited
        return answer.status_code
