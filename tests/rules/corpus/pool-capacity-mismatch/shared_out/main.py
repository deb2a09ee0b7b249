"""The same processes, and a server that was told to expect them."""

from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
engine = create_async_engine("postgresql+asyncpg://db/shop", pool_size=20, max_overflow=10)
factory = async_sessionmaker(engine)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with factory() as session:
        yield session


@app.get("/books")
async def books(session: AsyncSession = Depends(get_session)) -> int:
    return await session.scalar(text("select 1")) or 0
