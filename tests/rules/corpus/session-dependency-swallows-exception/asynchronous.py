"""An asynchronous session, and a handler for database errors only."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

app = FastAPI()
new_session = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        try:
            yield session
            await session.commit()
        except SQLAlchemyError:  # finding: session-dependency-swallows-exception
            await session.rollback()


@app.get("/books")
async def count(session: Annotated[AsyncSession, Depends(get_session)]) -> int:
    return await session.scalar(text("select count(*) from books")) or 0
