"""The main thing is done, and a comment behind the clause's last line says that the rest may fail; without it nobody says so."""

import logging

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
logger = logging.getLogger(__name__)


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"

    name: Mapped[str] = mapped_column(primary_key=True)


def get_session():
    with Session(engine) as session:
        yield session


@app.post("/stop")
def stop(name: str, session: Session = Depends(get_session)):
    httpx.post("http://machine/stop", timeout=5)
    try:
        session.add(Run(name=name))
        session.commit()
    except Exception as error:
        logger.error("the run was not marked: %s", error)
        # The machine has stopped: that is what was asked for.

    return {"status": "stopped"}


@app.post("/halt")
def halt(name: str, session: Session = Depends(get_session)):
    httpx.post("http://machine/stop", timeout=5)
    try:
        session.add(Run(name=name))
        session.commit()
    except Exception as error:  # finding: broad-except-hides-failure
        logger.error("the run was not marked: %s", error)
    # Tell the client that it is done.
    return {"status": "stopped"}
