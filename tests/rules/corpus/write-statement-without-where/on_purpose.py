"""A script may empty a table, and so may a function that says so; a refusal stands before an empty filter."""

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, delete
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Entry(Base):
    __tablename__ = "entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]


def reset_demo() -> None:
    with Session(engine) as session:
        session.execute(delete(Entry))
        session.commit()


@app.post("/clear")
def clear_entries() -> None:
    with Session(engine) as session:
        session.execute(delete(Entry))
        session.commit()


@app.delete("/entries")
def remove(key: str | None = None) -> None:
    conditions = []
    if key:
        conditions.append(Entry.key == key)
    if not conditions:
        raise HTTPException(422, "which ones?")
    with Session(engine) as session:
        session.execute(delete(Entry).where(*conditions))
        session.commit()
