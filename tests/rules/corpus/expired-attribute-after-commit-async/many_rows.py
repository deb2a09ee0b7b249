"""Lists of rows that are read one by one, or answered, behind the commit."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
new_session = async_sessionmaker(create_async_engine("sqlite+aiosqlite://"))


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class NoteOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.post("/made")
async def make(texts: list[str], session: SessionDep) -> list[int]:
    notes = [Note(text=text) for text in texts]
    session.add_all(notes)
    await session.commit()
    return [note.id for note in notes]  # finding: expired-attribute-after-commit-async


@app.post("/read")
async def read(session: SessionDep) -> list[NoteOut]:
    notes = (await session.scalars(select(Note))).all()
    for note in notes:
        note.text = "read"
    await session.commit()
    return [NoteOut.model_validate(note) for note in notes]  # finding: expired-attribute-after-commit-async


@app.post("/answered", response_model=list[NoteOut])
async def answer(session: SessionDep):
    notes = (await session.scalars(select(Note))).all()
    await session.commit()
    return notes  # finding: expired-attribute-after-commit-async


@app.post("/flushed")
async def flush(texts: list[str], session: SessionDep) -> list[int]:
    notes = [Note(text=text) for text in texts]
    session.add_all(notes)
    await session.flush()
    found = [note.id for note in notes]
    await session.commit()
    return found


@app.post("/refreshed")
async def refresh(texts: list[str], session: SessionDep) -> list[int]:
    notes = [Note(text=text) for text in texts]
    session.add_all(notes)
    await session.commit()
    for note in notes:
        await session.refresh(note)
    return [note.id for note in notes]


@app.post("/again")
async def read_again(session: SessionDep) -> list[str]:
    notes = (await session.scalars(select(Note))).all()
    for note in notes:
        note.text = "read"
    await session.commit()
    again = (await session.scalars(select(Note))).all()
    return [note.text for note in again]


@app.post("/not-added")
async def not_added(texts: list[str], session: SessionDep) -> list[str]:
    notes = [Note(text=text) for text in texts]
    await session.commit()
    return [note.text for note in notes]


@app.post("/counted")
async def count(session: SessionDep) -> int:
    notes = (await session.scalars(select(Note))).all()
    await session.commit()
    return len(notes)
