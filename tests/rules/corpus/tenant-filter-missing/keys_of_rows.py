"""A list of keys that every caller takes from rows that it holds, and one that a client sends."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///shop.db")
app = FastAPI()


class Base(DeclarativeBase): ...


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(index=True)
    number: Mapped[str]


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(index=True)


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int] = mapped_column(index=True)


def org(authorization: Annotated[str | None, Header()] = None) -> int:
    if authorization is None:
        raise HTTPException(401)
    return int(authorization)


Org = Annotated[int, Depends(org)]


def all_of(org_id: int) -> list[Invoice]:
    with Session(engine) as session:
        a = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "1")).all()
        b = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "2")).all()
        c = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "3")).all()
        d = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "4")).all()
        e = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "5")).all()
        f = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "6")).all()
        g = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "7")).all()
        h = session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "8")).all()
    return [*a, *b, *c, *d, *e, *f, *g, *h]


def again(ids: list[int]) -> list[Invoice]:
    with Session(engine) as session:
        return list(session.scalars(select(Invoice).where(Invoice.id.in_(ids))))


def asked_for(ids: list[int]) -> list[Invoice]:
    with Session(engine) as session:
        return list(session.scalars(select(Invoice).where(Invoice.id.in_(ids))))  # finding: tenant-filter-missing


@app.get("/again")
def read_again(org_id: Org) -> int:
    ids = [invoice.id for invoice in all_of(org_id)]
    return len(again(ids)) + len(again([all_of(org_id)[0].id]))


@app.post("/asked-for")
def read_asked_for(ids: list[int], org_id: Org) -> int:
    return len(asked_for(ids)) + org_id
