"""Tasks of a worker, each with a loop of its own or not."""

import asyncio

import httpx
from asgiref.sync import async_to_sync
from celery import Celery
from database import engine, factory, free_factory, unpooled_factory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

worker = Celery("shop")
client = httpx.AsyncClient()
loop = asyncio.new_event_loop()


async def count(make) -> int:
    async with make() as session:
        return await session.scalar(text("select 1"))


async def count_books() -> int:
    async with factory() as session:
        return await session.scalar(text("select 1"))


async def count_unpooled() -> int:
    async with unpooled_factory() as session:
        return await session.scalar(text("select 1"))


async def count_free() -> int:
    async with free_factory() as session:
        return await session.scalar(text("select 1"))


async def count_and_dispose() -> int:
    try:
        return await count_books()
    finally:
        await engine.dispose()


async def count_alone() -> int:
    own = create_async_engine("postgresql+asyncpg:///shop")
    async with async_sessionmaker(own)() as session:
        return await session.scalar(text("select 1"))


async def do_nothing() -> None:
    async with factory() as session:
        await session.commit()


async def fetch() -> str:
    return (await client.get("https://example.org")).text


def run(coroutine):
    return asyncio.run(coroutine)


def run_here(coroutine):
    own = asyncio.new_event_loop()
    try:
        return own.run_until_complete(coroutine)
    finally:
        own.close()


@worker.task
def pooled() -> int:
    return asyncio.run(count_books())  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def through_helper() -> int:
    return run(count_books())  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def through_new_loop() -> int:
    return run_here(count_books())  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def bridged() -> int:
    return async_to_sync(count_books)()  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def fetched() -> str:
    return asyncio.run(fetch())  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def unpooled() -> int:
    return asyncio.run(count_unpooled())


@worker.task
def free() -> int:
    return asyncio.run(count_free())  # finding: asyncio-run-in-task-with-global-async-resource


@worker.task
def disposed() -> int:
    return asyncio.run(count_and_dispose())


@worker.task
def alone() -> int:
    return asyncio.run(count_alone())


@worker.task
def nothing() -> None:
    asyncio.run(do_nothing())


@worker.task
def one_loop() -> int:
    return loop.run_until_complete(count_books())


def main() -> None:
    """A script runs once."""
    print(asyncio.run(count_books()))


if __name__ == "__main__":
    main()
