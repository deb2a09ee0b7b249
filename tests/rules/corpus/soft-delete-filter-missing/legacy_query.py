"""A legacy query among four that leave deleted rows out by a flag."""

from fastapi import FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    is_deleted: Mapped[bool] = mapped_column(default=False)


@app.get("/notes/{note_id}")
def read(note_id: int) -> Note | None:
    with Session(engine) as session:
        return session.query(Note).filter(Note.id == note_id, Note.is_deleted.is_(False)).first()


@app.put("/notes/{note_id}")
def change(note_id: int) -> Note | None:
    with Session(engine) as session:
        return session.query(Note).filter_by(id=note_id, is_deleted=False).first()


@app.get("/mine")
def mine(owner: str) -> list[Note]:
    with Session(engine) as session:
        return session.query(Note).filter(Note.owner == owner).filter(~Note.is_deleted).all()


@app.get("/owners")
def owners(owner: str) -> list[str]:
    with Session(engine) as session:
        query = select(Note.owner).order_by(Note.owner).filter_by(is_deleted=False)
        if owner:
            query = query.filter(Note.owner.contains(owner))
        return list(session.scalars(query))


@app.get("/count")
def count(owner: str) -> int | None:
    with Session(engine) as session:
        query = select(func.count()).select_from(Note).filter_by(is_deleted=False)
        return session.scalar(query.filter(Note.owner == owner))


@app.get("/search")
def search(owner: str) -> list[Note]:
    with Session(engine) as session:
        return session.query(Note).filter(Note.owner == owner).all()  # finding: soft-delete-filter-missing
