"""The factory keeps what is known of rows."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
engine = create_async_engine("sqlite+aiosqlite://")
new_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class NoteOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    text: str


async def get_session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.post("/answered", response_model=NoteOut)
async def answered(text: str, session: SessionDep) -> Note:
    note = Note(text=text)
    session.add(note)
    await session.commit()
    return note


@app.patch("/{note_id}")
async def change(note_id: int, text: str, session: SessionDep) -> str:
    note = await session.get_one(Note, note_id)
    note.text = text
    await session.commit()
    return note.text


@app.post("/filled")
async def filled(text: str, session: SessionDep) -> NoteOut:
    note = Note(text=text)
    session.add(note)
    await session.commit()
    return NoteOut.model_validate(note)

