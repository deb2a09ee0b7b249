"""Administrators and whoever restores a note have to see the deleted ones."""

from fastapi import FastAPI
from sqlalchemy import create_engine
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


@app.post("/notes/{note_id}/restore")
def restore(note_id: int) -> Note | None:
    with Session(engine) as session:
        return session.query(Note).filter(Note.id == note_id).first()


@app.get("/admin/notes/{note_id}")
def show(note_id: int) -> Note | None:
    with Session(engine) as session:
        return session.query(Note).filter(Note.id == note_id).first()


@app.post("/notes/{note_id}/copies")
def put_back(note_id: int) -> None:
    """The row that is still there is used again."""
    with Session(engine) as session:
        note = session.query(Note).filter(Note.id == note_id).first()
        if note is not None:
            note.is_deleted = False
            session.commit()
