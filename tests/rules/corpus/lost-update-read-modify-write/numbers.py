"""Numbers that are read and written back: in a service, in a model's method, behind a check; and those that are safe."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from redis import Redis
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("postgresql+psycopg://localhost/shop")
redis = Redis()


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[Decimal]
    views: Mapped[int]
    name: Mapped[str]

    def pay_in(self, amount: Decimal) -> None:
        self.balance = self.balance + amount  # finding: lost-update-read-modify-write


class Book(Base):
    __tablename__ = "books"
    __mapper_args__ = {"version_id_col": "version"}

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    stock: Mapped[int]


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    total: Mapped[Decimal]
    position: Mapped[int]


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def find(session: Session, account_id: int) -> Account:
    return session.scalars(select(Account).where(Account.id == account_id)).one()


def find_locked(session: Session, account_id: int) -> Account:
    return session.scalars(select(Account).where(Account.id == account_id).with_for_update()).one()


def withdraw(session: Session, account: Account, amount: Decimal) -> None:
    if account.balance < amount:
        raise HTTPException(409, "not enough")
    rest = account.balance - amount
    account.balance = rest  # finding: lost-update-read-modify-write
    session.commit()


@app.post("/accounts/{account_id}/withdraw")
def withdraw_from(account_id: int, amount: Decimal, session: SessionDep) -> None:
    withdraw(session, find(session, account_id), amount)


@app.post("/accounts/{account_id}/pay-in")
def pay_in(account_id: int, amount: Decimal, session: SessionDep) -> None:
    find(session, account_id).pay_in(amount)
    session.commit()


@app.post("/accounts/{account_id}/locked")
def locked(account_id: int, amount: Decimal, session: SessionDep) -> None:
    account = find_locked(session, account_id)
    account.balance -= amount
    session.commit()


@app.post("/accounts/{account_id}/get-locked")
def get_locked(account_id: int, amount: Decimal, session: SessionDep) -> None:
    account = session.get_one(Account, account_id, with_for_update=True)
    account.balance -= amount
    session.commit()


@app.post("/accounts/{account_id}/redis")
def under_a_lock_in_redis(account_id: int, amount: Decimal, session: SessionDep) -> None:
    with redis.lock(f"account:{account_id}"):
        account = find(session, account_id)
        account.balance -= amount
        session.commit()


@app.post("/accounts/{account_id}/advisory")
def under_an_advisory_lock(account_id: int, amount: Decimal, session: SessionDep) -> None:
    session.execute(select(func.pg_advisory_xact_lock(account_id)))
    account = find(session, account_id)
    account.balance -= amount
    session.commit()


@app.post("/accounts/{account_id}/statement")
def in_one_statement(account_id: int, amount: Decimal, session: SessionDep) -> None:
    session.execute(update(Account).where(Account.id == account_id).values(balance=Account.balance - amount))
    session.commit()


@app.post("/accounts/{account_id}/expression")
def by_an_expression(account_id: int, amount: Decimal, session: SessionDep) -> None:
    account = find(session, account_id)
    account.balance = Account.balance - amount
    session.commit()


@app.post("/accounts")
def new_row(amount: Decimal, session: SessionDep) -> None:
    account = Account(balance=Decimal(0), views=0, name="")
    account.balance += amount
    session.add(account)
    session.commit()


@app.post("/books/{book_id}")
def with_a_version(book_id: int, session: SessionDep) -> None:
    book = session.get_one(Book, book_id)
    book.stock -= 1
    session.commit()


@app.post("/lines/{line_id}")
def other_values(line_id: int, amount: Decimal, session: SessionDep) -> None:
    line = session.get_one(Line, line_id)
    line.total = amount * 2
    line.position += 1
    session.commit()


@app.get("/accounts/{account_id}/preview")
def preview(account_id: int, amount: Decimal) -> Decimal:
    with Session(engine) as session:
        account = session.get_one(Account, account_id)
        return account.balance - amount
