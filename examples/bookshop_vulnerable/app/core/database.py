"""Engines, session factories and the session dependencies."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

from app.core.config import settings

engine = create_engine(
    settings.database_url,
    pool_size=30,
    max_overflow=15,
    pool_pre_ping=True,
    connect_args=settings.database_connect_args,
)
SessionFactory = sessionmaker(bind=engine)

async_engine = create_async_engine(
    settings.async_database_url,
    pool_size=20,
    max_overflow=10,
    pool_pre_ping=True,
    connect_args=settings.database_connect_args,
)
AsyncSessionFactory = async_sessionmaker(bind=async_engine, expire_on_commit=False)


def get_session() -> Iterator[Session]:
    """One session a request; whoever writes commits."""
    session = SessionFactory()
    try:
        yield session
    finally:
        session.close()


async def get_async_session() -> AsyncIterator[AsyncSession]:
    """One asynchronous session a request; whoever writes commits."""
    async with AsyncSessionFactory() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
AsyncSessionDep = Annotated[AsyncSession, Depends(get_async_session)]
