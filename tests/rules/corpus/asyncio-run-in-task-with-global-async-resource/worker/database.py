"""Engines of the module: pooled, without a pool, of a driver that fails later."""

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

engine = create_async_engine("postgresql+asyncpg:///shop")
unpooled_engine = create_async_engine("postgresql+asyncpg:///shop", poolclass=NullPool)
free_engine = create_async_engine("postgresql+psycopg:///shop")

factory = async_sessionmaker(bind=engine)
unpooled_factory = async_sessionmaker(unpooled_engine)
free_factory = async_sessionmaker(free_engine)
