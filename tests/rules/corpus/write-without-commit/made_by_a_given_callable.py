"""A factory hands out what a callable that it was given makes: where the callable is not known, neither is who commits."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite://")


class Base(DeclarativeBase):
    pass


class Token(Base):
    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    expired: Mapped[bool]


def committing(engine: AsyncEngine) -> Callable[[], AbstractAsyncContextManager[AsyncSession]]:
    maker = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def scope() -> AsyncIterator[AsyncSession]:
        async with maker.begin() as session:
            yield session

    return scope


class SessionFactory:
    def __init__(self, make: Callable[[], AbstractAsyncContextManager[AsyncSession]]) -> None:
        self._make = make

    def __call__(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self._make()


class PlainFactory:
    def __init__(self, engine: AsyncEngine) -> None:
        self._maker = async_sessionmaker(engine)

    def __call__(self) -> AsyncSession:
        return self._maker()


class Expiry:
    async def delete_from(self, session: AsyncSession) -> None:
        await session.execute(delete(Token).where(Token.expired))


class Store:
    def __init__(self, db: SessionFactory) -> None:
        self._db = db

    async def update(self) -> None:
        async with self._db() as session:
            async with session.begin_nested():
                await self._delete_expired(session)

    async def expire(self) -> None:
        async with self._db() as session:
            await Expiry().delete_from(session)

    async def _delete_expired(self, session: AsyncSession) -> None:
        await session.execute(delete(Token).where(Token.expired))


class LosingStore:
    def __init__(self, db: PlainFactory) -> None:
        self._db = db

    async def update(self) -> None:
        async with self._db() as session:
            await session.execute(delete(Token).where(Token.expired))  # finding: write-without-commit


app = FastAPI()
store = Store(SessionFactory(committing(engine)))
losing = LosingStore(PlainFactory(engine))


@app.post("/update")
async def update() -> None:
    await store.update()
    await store.expire()
    await losing.update()
