"""Harmless: no operation reaches the query; a job works for all tenants."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Project(Base):
    __tablename__ = "projects"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]


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

    def stale(self, before: int) -> list[Invoice]:
        return list(self.session.scalars(select(Invoice).where(Invoice.id < before)))


def nightly() -> None:
    with Session(engine) as session:
        for invoice in Invoices(session).stale(10):
            session.delete(invoice)


@app.get("/invoices")
def invoices(org_id: Org) -> int:
    with Session(engine) as session:
        return Invoices(session).count(org_id)
