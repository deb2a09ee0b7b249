"""Coroutines that end in one step of the loop and keep their errors; others that may be collected or lose one."""

import asyncio
import logging

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)
stopped: list[int] = []


async def stop(number: int) -> None:
    try:
        stopped.append(number)
    except Exception:
        logger.exception("could not stop %s", number)


async def stop_loudly(number: int) -> None:
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
    asyncio.create_task(stop_loudly(number))  # finding: fire-and-forget-task
    asyncio.create_task(stop_and_raise(number))  # finding: fire-and-forget-task
    asyncio.create_task(stop_later(number))  # finding: fire-and-forget-task
