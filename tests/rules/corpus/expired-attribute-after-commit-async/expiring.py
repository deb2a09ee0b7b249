"""Read by the framework, in code, by a schema, through a service; and refreshed, kept or asked for again."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

app = FastAPI()
engine = create_async_engine("sqlite+aiosqlite://")
new_session = async_sessionmaker(engine)


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
    return note  # finding: expired-attribute-after-commit-async


@app.patch("/{note_id}")
async def change(note_id: int, text: str, session: SessionDep) -> str:
    note = await session.get_one(Note, note_id)
    note.text = text
    await session.commit()
    return note.text  # finding: expired-attribute-after-commit-async


@app.post("/filled")
async def filled(text: str, session: SessionDep) -> NoteOut:
    note = Note(text=text)
    session.add(note)
    await session.commit()
    return NoteOut.model_validate(note)  # finding: expired-attribute-after-commit-async


class Notes:
    def __init__(self, session: SessionDep) -> None:
        self.session = session

    async def create(self, text: str) -> Note:
        note = Note(text=text)
        self.session.add(note)
        await self.session.commit()
        return note

    async def create_fresh(self, text: str) -> Note:
        note = Note(text=text)
        self.session.add(note)
        await self.session.commit()
        await self.session.refresh(note)
        return note


NotesDep = Annotated[Notes, Depends()]


@app.post("/service")
async def through_a_service(text: str, notes: NotesDep) -> int:
    note = await notes.create(text)
    return note.id  # finding: expired-attribute-after-commit-async


@app.post("/service-answer")
async def answered_by_a_service(text: str, notes: NotesDep) -> NoteOut:
    return await notes.create(text)  # finding: expired-attribute-after-commit-async


@app.post("/fresh")
async def fresh(text: str, notes: NotesDep) -> int:
    note = await notes.create_fresh(text)
    return note.id


@app.post("/flushed")
async def flushed(text: str, session: SessionDep) -> int:
    note = Note(text=text)
    session.add(note)
    await session.flush()
    note_id = note.id
    await session.commit()
    return note_id


@app.post("/again")
async def asked_again(text: str, session: SessionDep) -> str:
    note = Note(text=text)
    session.add(note)
    await session.commit()
    note = (await session.scalars(select(Note).where(Note.text == text))).one()
    return note.text


@app.post("/some")
async def committed_on_one_way(text: str, session: SessionDep, keep: bool = False) -> str:
    note = Note(text=text)
    session.add(note)
    if keep:
        await session.commit()
        await session.refresh(note)
    return note.text


@app.post("/unbound")
async def never_added(text: str, session: SessionDep) -> str:
    note = Note(text=text)
    await session.commit()
    return note.text


@app.post("/set")
async def set_only(note_id: int, session: SessionDep) -> None:
    note = await session.get_one(Note, note_id)
    await session.commit()
    note.text = ""
