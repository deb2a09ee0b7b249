"""What an authenticated read costs without us: the same work written by hand, and applications that do less.

`hand` verifies the token, loads the user and selects the row, as the generated service does; nothing else.
"""

import os
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

KEY = os.environ.get("BENCH_KEY", "")
sessions: async_sessionmaker[AsyncSession] | None = None


class Base(DeclarativeBase):
    """Tables of the hand-written service."""


class User(Base):
    """Who signs in."""

    __tablename__ = "bench_users"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    active: Mapped[bool]


class Note(Base):
    """What is read."""

    __tablename__ = "bench_notes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    title: Mapped[str]
    text: Mapped[str]


class NoteRead(BaseModel):
    """A note as JSON."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    text: str


async def get_session() -> AsyncIterator[AsyncSession]:
    """One session a request."""
    global sessions  # noqa: PLW0603 - the engine belongs to the loop of the server
    if sessions is None:
        sessions = async_sessionmaker(
            create_async_engine(os.environ["BENCH_DATABASE_URL"], pool_pre_ping=True), expire_on_commit=False
        )
    async with sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
bearer = HTTPBearer()


async def current_user(
    session: SessionDep, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> User:
    """Verify the token and load its user."""
    try:
        claims = jwt.decode(credentials.credentials, KEY, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    user = await session.get(User, UUID(claims["sub"]))
    if user is None or not user.active:
        raise HTTPException(401)
    return user


hand = FastAPI()


@hand.get("/notes/{note_id}", response_model=NoteRead)
async def read(note_id: UUID, session: SessionDep, user: Annotated[User, Depends(current_user)]) -> Note:
    """Return a note of the caller's."""
    note = await session.scalar(select(Note).where(Note.id == note_id, Note.owner_id == user.id))
    if note is None:
        raise HTTPException(404)
    return note


fastapi_hello = FastAPI()


@fastapi_hello.get("/hello")
async def hello() -> dict[str, str]:
    """Return a constant."""
    return {"hello": "world"}


async def _hello(_: Request) -> JSONResponse:
    return JSONResponse({"hello": "world"})


starlette_hello = Starlette(routes=[Route("/hello", _hello)])
