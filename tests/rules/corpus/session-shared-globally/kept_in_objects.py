"""A session on a class, on `app.state`, behind a cache, and in the one instance of a service."""

from functools import lru_cache

from fastapi import FastAPI, Request
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
engine = create_engine("sqlite://")
async_engine = create_async_engine("sqlite+aiosqlite://")
SessionFactory = sessionmaker(bind=engine)


class Books:
    session = SessionFactory()  # finding: session-shared-globally

    @classmethod
    def count(cls) -> int:
        return cls.session.scalar(text("select count(*) from books"))


class Orders:
    def __init__(self) -> None:
        self.session = Session(engine)  # finding: session-shared-globally

    def count(self) -> int:
        return self.session.scalar(text("select count(*) from orders"))


orders = Orders()


@app.on_event("startup")
async def start() -> None:
    app.state.session = AsyncSession(async_engine)  # finding: session-shared-globally


@lru_cache
def cached_session() -> Session:
    return SessionFactory()  # finding: session-shared-globally


@app.get("/books")
def count_books() -> int:
    return Books.count()


@app.get("/orders")
def count_orders() -> int:
    return orders.count()


@app.get("/authors")
async def count_authors(request: Request) -> int:
    return await request.app.state.session.scalar(text("select count(*) from authors"))


@app.get("/covers")
def count_covers() -> int:
    return cached_session().scalar(text("select count(*) from covers"))
