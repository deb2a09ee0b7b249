"""Loops that wait for something else than the database, or that run where something has gone wrong."""

import sqlite3
from collections.abc import Iterator
from enum import Enum
from typing import Annotated

import psycopg
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy import create_engine, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from telegram import Bot

app = FastAPI()
engine = create_engine("postgresql+psycopg://shop")
bot = Bot("token")


class Base(DeclarativeBase):
    pass


class Reader(Base):
    __tablename__ = "readers"
    id: Mapped[int] = mapped_column(primary_key=True)
    chat: Mapped[int]


class Note(BaseModel):
    reader_id: int
    text: str


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


class Kept:
    """A file beside the process."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect("notes.db")

    def save(self, notes: list[Note]) -> None:
        for note in notes:
            self.connection.execute("INSERT INTO notes VALUES (?)", (note.text,))


class Server:
    """The same on another host."""

    def __init__(self) -> None:
        self.connection = psycopg.connect("dbname=shop")

    def find(self, notes: list[Note]) -> None:
        for note in notes:
            self.connection.execute("SELECT * FROM notes WHERE text = %s", (note.text,))  # finding: query-inside-loop


@app.post("/kept")
def kept(notes: list[Note]) -> None:
    Kept().save(notes)
    Server().find(notes)


def write_down(session: Session, note: Note) -> None:
    session.scalars(select(Reader).where(Reader.id == note.reader_id)).all()


@app.post("/batch")
def batch(notes: list[Note], session: SessionDep) -> None:
    try:
        session.execute(insert(Reader), [{"id": note.reader_id} for note in notes])
    except SQLAlchemyError:
        for note in notes:
            write_down(session, note)


@app.post("/not-there")
def not_there(notes: list[Note], session: SessionDep) -> list[int]:
    known: dict[int, int] = {}
    try:
        return [known[note.reader_id] for note in notes]
    except KeyError:
        for note in notes:
            write_down(session, note)  # finding: query-inside-loop
    return []


async def send(session: Session, note: Note) -> None:
    reader = session.scalars(select(Reader).where(Reader.id == note.reader_id)).one()
    await bot.send_message(reader.chat, note.text)


@app.post("/messages")
async def messages(notes: list[Note], session: SessionDep) -> None:
    for note in notes:
        await send(session, note)  # finding: query-inside-loop - tentative


@app.get("/folders")
def folders(path: str, session: SessionDep) -> int:
    found = 0
    names = [name for name in path.split("/") if name]
    for name in names:
        found += len(session.scalars(select(Reader).where(Reader.chat == name)).all())
    return found


@app.post("/groups")
def groups(notes: list[Note], session: SessionDep) -> int:
    found = 0
    by_reader: dict[int, list[str]] = {}
    for note in notes:
        by_reader.setdefault(note.reader_id, []).append(note.text)
    for reader, texts in by_reader.items():
        found += len(session.scalars(select(Reader).where(Reader.id == reader, Reader.chat.in_(texts))).all())
    return found


@app.post("/chats")
def chats(chat_of: dict[int, int], session: SessionDep) -> int:
    found = 0
    for reader, chat in chat_of.items():
        found += len(session.scalars(select(Reader).where(Reader.id == reader, Reader.chat == chat)).all())  # finding: query-inside-loop
    return found


class Role(Enum):
    READER = "reader"
    WRITER = "writer"


@app.post("/roles")
def roles(given: list[Role], names: list[str], session: SessionDep) -> int:
    found = 0
    for role in given:
        found += len(session.scalars(select(Reader).where(Reader.chat == role.value)).all())
    known = [role for role in Role if role.value in names]
    for role in known:
        found += len(session.scalars(select(Reader).where(Reader.chat == role.value)).all())
    for name in names:
        found += len(session.scalars(select(Reader).where(Reader.chat == name)).all())  # finding: query-inside-loop
    return found


@app.post("/kinds")
def kinds(names: list[str], session: SessionDep) -> int:
    found = 0
    tables = {"readers": Reader}
    for name in names:
        model = tables[name]
        found += len(session.scalars(select(model).where(model.chat == name)).all())
    return found


@app.patch("/one")
def one(changes: dict[str, int], session: SessionDep) -> int:
    found = 0
    for name, value in changes.items():
        if name == "chat" and value:
            found += len(session.scalars(select(Reader).where(Reader.chat == value)).all())
        if value:
            found += len(session.scalars(select(Reader).where(Reader.id == value)).all())  # finding: query-inside-loop
    return found
