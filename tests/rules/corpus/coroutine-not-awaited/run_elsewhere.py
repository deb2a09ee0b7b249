"""Coroutines that somebody else runs, and calls that only look like coroutines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps

from fastapi import BackgroundTasks, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

app = FastAPI()


async def work(number: int = 1) -> int:
    return number


async def numbers() -> AsyncIterator[int]:
    yield 1


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[int]:
    yield 1


def blocking(function: Callable[[], Awaitable[int]]) -> Callable[[], int]:
    @wraps(function)
    def wrapper() -> int:
        return asyncio.run(function())

    return wrapper


@blocking
async def command() -> int:
    return 1


def later() -> Awaitable[int]:
    return work()


async def use(session: AsyncSession, tasks: BackgroundTasks) -> list[int]:
    session.add(object())
    session.expunge_all()
    tasks.add_task(work, 1)
    first = work(1)
    second = work(2)
    both = await asyncio.gather(first, second)
    task = asyncio.create_task(work(3))
    third = await asyncio.wait_for(work(4), timeout=1)
    pending = [work(n) for n in range(3)]
    rest = await asyncio.gather(*pending)
    async with asyncio.TaskGroup() as group:
        group.create_task(work(5))
    async with opened() as value:
        rest.append(value)
    async for number in numbers():
        rest.append(number)
    delayed = work(6) if rest else work(7)
    maybe = work(8)
    if maybe is not None:
        await maybe
    return [*both, await task, third, await delayed, await later(), *rest]


@app.get("/")
def plain() -> int:
    command()
    return asyncio.run(work())
