"""A text that is kept in a row, which an error names, and a text that the error itself gets."""

import httpx
from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("postgresql://db/notes")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Incident(Base):
    __tablename__ = "incidents"
    id: Mapped[int] = mapped_column(primary_key=True)
    reason: Mapped[str]


class KnownAlready(HTTPException):
    def __init__(self, what: object) -> None:
        super().__init__(409, f"{what} is known already")


def keep(incident: Incident) -> None:
    try:
        with Session(engine) as session:
            session.add(incident)
            session.commit()
    except IntegrityError as exc:
        raise KnownAlready(incident) from exc


def refuse(reason: str) -> None:
    raise KnownAlready(reason)  # finding: exception-text-returned-to-client


@app.post("/deliveries")
def deliver(name: str) -> None:
    try:
        httpx.post("http://deliveries.internal", json={"name": name}, timeout=3)
    except httpx.HTTPError as exc:
        keep(Incident(reason=str(exc)))


@app.post("/returns")
def send_back(name: str) -> None:
    try:
        httpx.post("http://returns.internal", json={"name": name}, timeout=3)
    except httpx.HTTPError as exc:
        refuse(str(exc))
