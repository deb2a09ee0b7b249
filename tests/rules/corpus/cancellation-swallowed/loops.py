"""Loops that go on when they are told to stop, and those that do not."""

import asyncio
import contextlib
import logging

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger(__name__)
queue: asyncio.Queue[str] = asyncio.Queue()


async def work() -> None:
    await asyncio.sleep(1)


async def bare() -> None:
    while True:
        try:
            await work()
        except:  # finding: cancellation-swallowed
            logger.exception("a round failed")


async def base() -> None:
    while True:
        try:
            await work()
        except BaseException as error:  # finding: cancellation-swallowed
            logger.error("a round failed: %s", error)


async def named() -> None:
    while True:
        try:
            await work()
        except (asyncio.CancelledError, TimeoutError):  # finding: cancellation-swallowed
            continue


async def of_messages(messages) -> None:
    async for message in messages:
        try:
            await work()
        except asyncio.CancelledError:  # finding: cancellation-swallowed
            pass


async def narrow() -> None:
    while True:
        try:
            await work()
        except Exception:
            logger.exception("a round failed")


async def raised_again() -> None:
    while True:
        try:
            await work()
        except BaseException:
            logger.exception("a round failed")
            raise


async def let_through() -> None:
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except BaseException:
            logger.exception("a round failed")


async def left() -> None:
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            logger.info("stopped")
            break


async def left_behind_the_clause() -> None:
    while True:
        try:
            await work()
        except asyncio.CancelledError:
            pass
        except Exception:
            continue
        break


async def around_the_loop() -> None:
    try:
        while True:
            await work()
    except asyncio.CancelledError:
        logger.info("stopped")


async def supervisor() -> None:
    while True:
        task = asyncio.create_task(work())
        await asyncio.sleep(1)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


async def drained(task: asyncio.Task[None]) -> None:
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            continue


async def kept() -> None:
    told: BaseException | None = None
    while told is None:
        try:
            await work()
        except asyncio.CancelledError as error:
            told = error
    raise told


async def nothing_waits() -> None:
    while True:
        try:
            queue.get_nowait()
        except BaseException:
            await asyncio.sleep(1)


async def suppressed_once() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await work()
