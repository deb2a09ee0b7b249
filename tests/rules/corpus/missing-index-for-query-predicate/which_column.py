"""Of several columns the one that leaves the fewest rows; nearly all rows, and flags, need no index; who knows what `**` names."""

from datetime import datetime

from fastapi import FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int]
    reference: Mapped[str]
    delete: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


@app.get("/messages/{reference}")
def read(reference: str, client: int) -> int | None:
    with Session(engine) as session:
        return session.scalar(
            select(Message.id).where(
                Message.delete == 0,
                Message.client_id == client,
                Message.reference == reference,  # finding: missing-index-for-query-predicate
            )
        )


@app.get("/messages/{reference}/scoped")
def read_scoped(reference: str, client: int | None = None) -> int | None:
    scope = {"id": client} if client is not None else {}
    with Session(engine) as session:
        message = session.scalars(select(Message).filter_by(reference=reference, **scope)).first()
        return message.id if message is not None else None


@app.get("/messages")
def count(before: datetime) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count(Message.id)).where(Message.created_at < before)) or 0


@app.get("/living")
def living() -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count(Message.id)).where(Message.delete == 0)) or 0


@app.get("/expired")
def expired(now: datetime) -> list[int]:
    with Session(engine) as session:
        return list(session.scalars(select(Message.id).where(Message.expires_at < now).limit(9)))  # finding: missing-index-for-query-predicate
