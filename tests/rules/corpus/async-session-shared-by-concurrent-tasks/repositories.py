"""Sessions that travel in objects, closures, lists of tasks, groups and threads."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import anyio
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
engine = create_async_engine("postgresql+asyncpg:///shop")
factory = async_sessionmaker(engine)
plain_factory = sessionmaker(create_engine("postgresql:///shop"))


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


class Orders:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def count(self) -> int:
        return await self.session.scalar(text("select count(*) from orders"))


class Books:
    def __init__(self, db: AsyncSession) -> None:
        self.db = db

    async def count(self) -> int:
        return await self._one("select count(*) from books")

    async def _one(self, statement: str) -> int:
        return await self.db.scalar(text(statement))


class Shop:
    def __init__(self, session: AsyncSession) -> None:
        self.orders = Orders(session)
        self.books = Books(session)
        self._lock = asyncio.Lock()

    async def totals(self) -> list[int]:
        return await asyncio.gather(self.orders.count(), self.orders.count())  # finding: async-session-shared-by-concurrent-tasks

    async def locked(self, statement: str) -> int:
        async with self._lock:
            return await self.orders.count()

    async def one_by_one(self) -> list[int]:
        return await asyncio.gather(self.locked("a"), self.locked("b"))


async def price(session: AsyncSession, book: int) -> int:
    return await session.scalar(text("select price from books where id = :id"), {"id": book})


async def fresh_price(book: int) -> int:
    async with factory() as session:
        return await price(session, book)


async def remember(session: AsyncSession, book: int) -> None:
    session.add(book)


@app.get("/two")
async def two_repositories(session: SessionDep) -> list[int]:
    orders, books = Orders(session), Books(session)
    o = Orders(session)
    b = Books(session)
    return await asyncio.gather(o.count(), b.count())  # finding: async-session-shared-by-concurrent-tasks


@app.get("/own")
async def own_repositories() -> list[int]:
    async with factory() as first, factory() as second:
        o = Orders(first)
        b = Books(second)
        return await asyncio.gather(o.count(), b.count())


@app.get("/shop")
async def shop(session: SessionDep) -> list[int]:
    return await Shop(session).totals()


@app.get("/prices")
async def prices(session: SessionDep, books: list[int]) -> list[int]:
    return await asyncio.gather(*[price(session, book) for book in books])  # finding: async-session-shared-by-concurrent-tasks


@app.get("/fresh")
async def fresh_prices(books: list[int]) -> list[int]:
    return await asyncio.gather(*(fresh_price(book) for book in books))


@app.get("/listed")
async def listed(session: SessionDep, books: list[int]) -> list[int]:
    tasks = []
    for book in books:
        tasks.append(asyncio.create_task(price(session, book)))
    return await asyncio.gather(*tasks)  # finding: async-session-shared-by-concurrent-tasks


@app.get("/each-its-own")
async def each_its_own(books: list[int]) -> None:
    async with asyncio.TaskGroup() as group:
        for book in books:
            session = factory()
            group.create_task(price(session, book))


@app.get("/group")
async def group_of_tasks(session: SessionDep) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(price(session, 1))  # finding: async-session-shared-by-concurrent-tasks
        group.create_task(price(session, 2))


@app.get("/anyio")
async def anyio_group(session: SessionDep) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(price, session, 1)  # finding: async-session-shared-by-concurrent-tasks
        group.start_soon(price, session, 2)


@app.get("/closure")
async def closure(session: SessionDep, books: list[int]) -> list[int]:
    async def of(book: int) -> int:
        return await price(session, book)

    return await asyncio.gather(*map_to(of, books), *[of(book) for book in books])  # finding: async-session-shared-by-concurrent-tasks


def map_to(function, books):
    return []


@app.get("/closure-with-lock")
async def closure_with_lock(session: SessionDep, books: list[int]) -> list[int]:
    lock = asyncio.Lock()

    async def of(book: int) -> int:
        async with lock:
            return await price(session, book)

    return await asyncio.gather(*[of(book) for book in books])


@app.get("/direct")
async def direct(session: SessionDep) -> None:
    await asyncio.gather(session.execute(select(1)), session.execute(select(2)))  # finding: async-session-shared-by-concurrent-tasks


@app.get("/one-of-two")
async def only_one_asks(session: SessionDep, books: list[int]) -> None:
    await asyncio.gather(price(session, 1), asyncio.sleep(1), *[remember(session, b) for b in books])


@app.get("/sequential")
async def sequential(session: SessionDep, books: list[int]) -> list[int]:
    return [await price(session, book) for book in books]


def total(session: Session, book: int) -> int:
    return session.scalar(text("select 1"))


@app.get("/threads")
def threads(books: list[int]) -> list[int]:
    with plain_factory() as session, ThreadPoolExecutor() as pool:
        futures = [pool.submit(total, session, book) for book in books]  # finding: async-session-shared-by-concurrent-tasks
        return [future.result() for future in futures]


@app.get("/two-threads")
async def two_threads(books: list[int]) -> None:
    with plain_factory() as session:
        await asyncio.gather(  # finding: async-session-shared-by-concurrent-tasks
            asyncio.to_thread(total, session, 1), asyncio.to_thread(total, session, 2)
        )


@app.get("/pool-map")
def pool_map(books: list[int]) -> list[int]:
    with plain_factory() as session, ThreadPoolExecutor() as pool:
        return list(pool.map(lambda book: total(session, book), books))  # finding: async-session-shared-by-concurrent-tasks
