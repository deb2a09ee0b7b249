"""Clauses that hide a failed write, and clauses that do not."""

import logging

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")
logger = logging.getLogger(__name__)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    number: Mapped[str] = mapped_column(primary_key=True)


def get_session():
    with Session(engine) as session:
        yield session


@app.post("/passed")
def passed(number: str, session: Session = Depends(get_session)):
    try:
        session.add(Order(number=number))
        session.commit()
    except Exception:  # finding: broad-except-hides-failure
        pass
    return {"status": "placed"}


@app.post("/bare")
def bare(number: str, session: Session = Depends(get_session)):
    try:
        session.add(Order(number=number))
        session.commit()
    except:  # finding: broad-except-hides-failure
        session.rollback()
    return {"status": "placed"}


def keep(session: Session, number: str) -> None:
    try:
        session.add(Order(number=number))
        session.commit()
    except Exception as error:  # finding: broad-except-hides-failure
        logger.error("not kept: %s", error)


@app.post("/helped")
def helped(number: str, session: Session = Depends(get_session)):
    keep(session, number)
    return {"status": "placed"}


def insert(session: Session, number: str) -> None:
    session.add(Order(number=number))
    session.commit()


@app.post("/called")
def called(number: str, session: Session = Depends(get_session)):
    try:
        insert(session, number)
    except Exception:  # finding: broad-except-hides-failure
        logger.exception("not placed")
    return {"status": "placed"}


@app.post("/raises")
def raises(number: str, session: Session = Depends(get_session)):
    try:
        insert(session, number)
    except Exception:
        logger.exception("not placed")
        raise HTTPException(500, "not placed")
    return {"status": "placed"}


@app.post("/marked")
def marked(number: str, session: Session = Depends(get_session)):
    placed = True
    try:
        insert(session, number)
    except Exception:
        logger.exception("not placed")
        placed = False
    return {"placed": placed}


@app.post("/looked-at")
def looked_at(number: str, session: Session = Depends(get_session)):
    order = None
    try:
        insert(session, number)
        order = session.get(Order, number)
    except Exception:
        logger.exception("not placed")
    return {"placed": order is not None}


@app.post("/expected")
def expected(number: str, session: Session = Depends(get_session)):
    try:
        insert(session, number)
    except IntegrityError:
        session.rollback()
    return {"status": "known"}


@app.post("/on-the-side")
def on_the_side(number: str, session: Session = Depends(get_session)):
    try:
        insert(session, number)
    except Exception:
        # The order is placed by mail; this copy only speeds up the search.
        session.rollback()
    return {"status": "placed"}


def touch_last_seen(session: Session, number: str) -> None:
    try:
        insert(session, number)
    except Exception:
        session.rollback()


@app.get("/seen")
def seen(number: str, session: Session = Depends(get_session)):
    touch_last_seen(session, number)
    return {"status": "seen"}


def try_to_place(session: Session, number: str) -> bool:
    try:
        insert(session, number)
        return True
    except Exception:
        return False


@app.post("/told")
def told(number: str, session: Session = Depends(get_session)):
    if not try_to_place(session, number):
        raise HTTPException(500, "not placed")
    return {"status": "placed"}


@app.post("/nothing-written")
def nothing_written(number: str):
    try:
        int(number)
    except Exception:
        pass
    return {"status": "read"}


class OrderMapping(Base):
    __tablename__ = "order_mappings"

    number: Mapped[str] = mapped_column(primary_key=True)


def remove(session: Session, number: str) -> None:
    try:
        found = session.query(OrderMapping).filter(OrderMapping.number.in_([number])).first()
        if found is None:
            return
        session.delete(found)
        session.commit()
    except Exception:  # finding: broad-except-hides-failure
        logger.exception("not removed")
        session.rollback()


@app.delete("/removed")
def removed(number: str, session: Session = Depends(get_session)):
    remove(session, number)
    return {"status": "removed"}
