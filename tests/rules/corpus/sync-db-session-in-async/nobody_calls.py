"""A coroutine that no code names never runs; one that is looked up, overrides or is handed on may."""

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from starlette.endpoints import HTTPEndpoint

app = FastAPI()
SessionLocal = sessionmaker(create_engine("sqlite://"))


class Counts:
    async def of_nobody(self, session: Session) -> int:
        return session.execute(text("select 1")).scalar_one()

    async def count_books(self, session: Session) -> int:
        return session.execute(text("select 1")).scalar_one()  # finding: sync-db-session-in-async

    async def count(self, what: str) -> object:
        with SessionLocal() as session:
            return await getattr(self, f"count_{what}")(session)


counts = Counts()


class Plugin:
    async def run(self, session: Session) -> int:
        return session.execute(text("select 1")).scalar_one()  # finding: sync-db-session-in-async


class Page(HTTPEndpoint):
    async def render(self) -> int:
        with SessionLocal() as session:
            return session.execute(text("select 1")).scalar_one()  # finding: sync-db-session-in-async


async def refresh() -> None:
    with SessionLocal() as session:
        session.execute(text("select 1"))  # finding: sync-db-session-in-async


JOBS = {"refresh": refresh}


async def forgotten() -> None:
    with SessionLocal() as session:
        session.execute(text("select 1"))
