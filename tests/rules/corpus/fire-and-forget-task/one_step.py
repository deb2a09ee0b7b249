"""Coroutines that end in one step of the loop and raise nothing of their own; others that may be collected or lose one."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)
stopped: list[int] = []


class Settings:
    fails_loudly = False


settings = Settings()


async def stop(number: int) -> None:
    try:
        stopped.append(number)
    except Exception:
        logger.exception("could not stop %s", number)


async def stop_loudly(number: int) -> None:
    stopped.append(number)


async def stop_or_tell(number: int) -> None:
    try:
        stopped.append(number)
    except Exception as error:
        if settings.fails_loudly:
            raise error


def slowly(function: Callable[[int], Awaitable[None]]) -> Callable[[int], Coroutine[None, None, None]]:
    @wraps(function)
    async def wait(number: int) -> None:
        await asyncio.sleep(1)
        await function(number)

    return wait


@slowly
async def stop_slowly(number: int) -> None:
    stopped.append(number)


async def stop_positive(number: int) -> None:
    if number < 1:
        raise ValueError(number)
    stopped.append(number)


async def stop_and_raise(number: int) -> None:
    try:
        stopped.append(number)
    except Exception:
        raise RuntimeError(number) from None


async def stop_later(number: int) -> None:
    try:
        await asyncio.sleep(1)
        stopped.append(number)
    except Exception:
        logger.exception("could not stop %s", number)


@app.post("/stop/{number}")
async def stop_soon(number: int) -> None:
    asyncio.create_task(stop(number))
    asyncio.create_task(stop_loudly(number))
    asyncio.create_task(stop_or_tell(number))
    asyncio.create_task(stop_slowly(number))  # finding: fire-and-forget-task
    asyncio.create_task(stop_positive(number))  # finding: fire-and-forget-task
    asyncio.create_task(stop_and_raise(number))  # finding: fire-and-forget-task
    asyncio.create_task(stop_later(number))  # finding: fire-and-forget-task
