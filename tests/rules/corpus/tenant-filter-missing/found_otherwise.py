"""Harmless: administrators work for all tenants, an owner is named, ids come from another query, a helper has put the
conditions; harmful: a child is looked up by a list of identifiers that the request brings."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import Select, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]


class Organisation(Base):
    __tablename__ = "organisations"
    org_id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str]


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    user_id: Mapped[int]
    number: Mapped[str]


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]


def current_org(authorization: Annotated[str | None, Header()] = None) -> int:
    if authorization is None:
        raise HTTPException(401)
    return int(authorization)


Org = Annotated[int, Depends(current_org)]
app = FastAPI()


class Invoices:
    def __init__(self, session: Session) -> None:
        self.session = session

    def everything(self, org_id: int) -> list[Invoice]:
        return list(self.session.scalars(select(Invoice).where(Invoice.org_id == org_id)))

    def one(self, org_id: int, invoice_id: int) -> Invoice | None:
        statement = select(Invoice).where(Invoice.id == invoice_id)
        return self.session.scalar(statement.where(Invoice.org_id == org_id))

    def newest(self, org_id: int) -> Invoice | None:
        return self.session.scalar(select(Invoice).filter_by(org_id=org_id).order_by(Invoice.id.desc()).limit(1))

    def count(self, org_id: int) -> int:
        return len(list(self.session.scalars(select(Invoice.id).where(Invoice.org_id == org_id))))


def numbered(org_id: int) -> list[Select[tuple[Invoice]]]:
    """What nearly every query does."""
    return [
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 2),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 20),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 21),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 22),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 23),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 24),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 25),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 3),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 4),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 5),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 6),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 7),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 8),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 9),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 10),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 11),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 12),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 13),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 14),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 15),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 16),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 17),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 18),
        select(Invoice).where(Invoice.org_id == org_id, Invoice.id == 19),
    ]


def filtered(org_id: int) -> Select[tuple[Invoice]]:
    return select(Invoice).where(Invoice.org_id == org_id)


@app.post("/admin/invoices/{invoice_id}/refresh")
def refresh(invoice_id: int, org_id: Org) -> int:
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.id == invoice_id))))  # silent: of every tenant


@app.get("/mine/{user_id}")
def mine(user_id: int, org_id: Org) -> int:
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.user_id == user_id))))  # silent: of one user


@app.get("/chosen")
def chosen(org_id: Org) -> int:
    ids = select(Invoice.id).where(Invoice.org_id == org_id)
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.id.in_(ids)))))  # silent: of the query above


@app.get("/newest")
def newest(org_id: Org) -> int:
    statement = filtered(org_id)
    statement = statement.order_by(Invoice.id.desc())  # silent: `filtered` names the tenant
    with Session(engine) as session:
        return len(list(session.scalars(statement)))


@app.get("/organisations/{domain}")
def organisation(domain: str, org_id: Org) -> bool:
    with Session(engine) as session:
        every = list(session.scalars(select(Organisation).where(Organisation.org_id == org_id)))
        every += list(session.scalars(select(Organisation).where(Organisation.org_id == 2)))
        every += list(session.scalars(select(Organisation).where(Organisation.org_id == 3)))
        every += list(session.scalars(select(Organisation).where(Organisation.org_id == 4)))
        return session.scalar(select(Organisation).where(Organisation.domain == domain)) in every  # silent: a tenant itself


@app.get("/named/{number}")
def named(number: str) -> int:
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.number == number))))  # silent: for strangers


@app.get("/signed/{invoice_id}")
def signed(invoice_id: int, sum_of_id: str, org_id: Org) -> int:
    expected = hmac.new(b"secret", str(invoice_id).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, sum_of_id):
        raise HTTPException(403)
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.id == invoice_id))))  # silent: the link is signed


@app.get("/several")
def several(ids: str, org_id: Org) -> int:
    with Session(engine) as session:
        return len(list(session.scalars(select(Invoice).where(Invoice.id.in_(ids.split(","))))))  # finding: tenant-filter-missing


@app.get("/of-members/{number}")
def of_members(number: str, org_id: Org) -> int:
    statement = select(Invoice).join(Member, Member.id == Invoice.user_id)
    statement = statement.where(Invoice.number == number, Member.org_id == org_id)  # silent: the member is of the tenant
    with Session(engine) as session:
        first = list(session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "1")))
        second = list(session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "2")))
        third = list(session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "3")))
        fourth = list(session.scalars(select(Invoice).where(Invoice.org_id == org_id, Invoice.number == "4")))
        return len([*session.scalars(statement), *first, *second, *third, *fourth])
