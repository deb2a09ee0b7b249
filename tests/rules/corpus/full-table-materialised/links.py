"""The links of one document are few; those of one user, and the comments on a document, are not."""

from fastapi import FastAPI
from sqlalchemy import Column, ForeignKey, Table, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = "documents"
    id: Mapped[int] = mapped_column(primary_key=True)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)


class Comment(Base):
    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    text: Mapped[str]


class Share(Base):
    __tablename__ = "shares"
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)


report_documents = Table(
    "report_documents",
    Base.metadata,
    Column("report_id", ForeignKey("reports.id")),
    Column("document_id", ForeignKey("documents.id")),
)


@app.get("/documents/{document_id}/links")
def links(document_id: int) -> int:
    with Session(engine) as session:
        found = session.execute(
            select(report_documents).where(document_id == report_documents.c.document_id)
        ).all()
        return len(found)


@app.get("/documents/{document_id}/shares")
def shares(document_id: int) -> int:
    with Session(engine) as session:
        return len(session.scalars(select(Share).where(Share.document_id == document_id)).all())


@app.get("/documents/{document_id}/comments")
def comments(document_id: int) -> int:
    with Session(engine) as session:
        return len(session.scalars(select(Comment).where(Comment.document_id == document_id)).all())  # finding: full-table-materialised


@app.get("/users/{user_id}/shares")
def shared_with(user_id: int) -> int:
    with Session(engine) as session:
        return len(session.scalars(select(Share).where(Share.user_id == user_id)).all())  # finding: full-table-materialised


@app.get("/links")
def all_links() -> int:
    with Session(engine) as session:
        return len(session.execute(select(report_documents)).all())  # finding: full-table-materialised
