"""Things that may be used once: checked without a lock, in several shapes; and those that are safe, or of which two are as one."""

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


class Base(DeclarativeBase):
    pass


class Voucher(Base):
    __tablename__ = "vouchers"

    id: Mapped[int] = mapped_column(primary_key=True)
    used: Mapped[bool]
    redeemed_at: Mapped[datetime | None]
    status: Mapped[Status]
    note: Mapped[str]


class Versioned(Base):
    __tablename__ = "versioned"
    __mapper_args__ = {"version_id_col": "version"}

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    used: Mapped[bool]


class Purchase(Base):
    __tablename__ = "purchases"

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int]


class Redemption(Base):
    __tablename__ = "redemptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    voucher_id: Mapped[int] = mapped_column(unique=True)


class AuditEntry(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def buy(session: Session, book_id: int) -> None:
    session.add(Purchase(book_id=book_id))


@app.post("/flags/{voucher_id}")
def by_flag(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get(Voucher, voucher_id)
    if voucher is None or voucher.used:  # finding: single-use-row-checked-without-lock
        raise HTTPException(400, "used")
    session.add(Purchase(book_id=1))
    session.commit()
    voucher.used = True
    session.commit()


@app.post("/times/{voucher_id}")
def by_time(voucher_id: int, session: SessionDep) -> None:
    voucher = session.scalars(select(Voucher).where(Voucher.id == voucher_id)).one()
    if voucher.redeemed_at is not None:  # finding: single-use-row-checked-without-lock
        raise HTTPException(409, "redeemed")
    voucher.redeemed_at = datetime.now(UTC)
    buy(session, 1)
    session.commit()


@app.post("/statuses/{voucher_id}")
def by_status(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if voucher.status != Status.OPEN:  # finding: single-use-row-checked-without-lock
        raise HTTPException(409, "not open")
    voucher.status = Status.PAID
    session.add(Purchase(book_id=1))
    session.commit()


@app.post("/locked/{voucher_id}")
def locked(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id, with_for_update=True)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = True
    session.add(Purchase(book_id=1))
    session.commit()


@app.post("/claimed/{voucher_id}")
def claimed(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if voucher.used:
        raise HTTPException(400, "used")
    claim = update(Voucher).where(Voucher.id == voucher_id, Voucher.used.is_(False)).values(used=True)
    if session.execute(claim).rowcount == 0:
        raise HTTPException(400, "used")
    voucher.used = True
    session.add(Purchase(book_id=1))
    session.commit()


@app.post("/versioned/{voucher_id}")
def versioned(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Versioned, voucher_id)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = True
    session.add(Purchase(book_id=1))
    session.commit()


@app.post("/unique/{voucher_id}")
def refused_by_constraint(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = True
    session.add(Redemption(voucher_id=voucher_id))
    session.commit()


@app.post("/twice-as-once/{voucher_id}")
def twice_is_as_once(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = True
    session.add(AuditEntry(text="used"))
    session.commit()


@app.post("/repeatable/{voucher_id}")
def repeatable(voucher_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = False
    voucher.note = "seen"
    session.add(Purchase(book_id=1))
    session.commit()


@app.post("/branches/{voucher_id}")
def other_branch(voucher_id: int, give: bool, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    if give:
        if voucher.used:
            raise HTTPException(400, "used")
        session.add(Purchase(book_id=1))
    else:
        voucher.used = True
    session.commit()


@app.post("/changed/{voucher_id}/{purchase_id}")
def other_row_changed(voucher_id: int, purchase_id: int, session: SessionDep) -> None:
    voucher = session.get_one(Voucher, voucher_id)
    purchase = session.get_one(Purchase, purchase_id)
    if voucher.used:
        raise HTTPException(400, "used")
    voucher.used = True
    purchase.book_id = 2
    session.add(purchase)
    session.commit()
