"""Harmful: a row of another tenant by its key, where the queries of the model name the tenant. Harmless: a comparison of the tenant, a
model whose rows nobody keeps apart."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase): ...


class Organisation(Base):
    __tablename__ = "organisations"
    id: Mapped[int] = mapped_column(primary_key=True)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))


class Invoice(Base):
    __tablename__ = "invoices"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    text: Mapped[str]


class Template(Base):
    __tablename__ = "templates"
    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    text: Mapped[str]


def get_session():
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def current_user(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))], session: SessionDep) -> User:
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(current_user)]
app = FastAPI()


@app.get("/invoices")
def listed(user: CurrentUser, session: SessionDep) -> list[str]:
    return list(session.scalars(select(Invoice.text).where(Invoice.organisation_id == user.organisation_id)))


@app.get("/invoices/newest")
def newest(user: CurrentUser, session: SessionDep) -> str | None:
    own = select(Invoice.text).where(Invoice.organisation_id == user.organisation_id)
    return session.scalar(own.order_by(Invoice.id.desc()))


@app.get("/invoices/search")
def search(text: str, user: CurrentUser, session: SessionDep) -> list[int]:
    found = select(Invoice.id).where(Invoice.text == text, Invoice.organisation_id == user.organisation_id)
    return list(session.scalars(found))


@app.get("/invoices/{invoice_id}/compared")
def compared(invoice_id: int, user: CurrentUser, session: SessionDep) -> str:
    invoice = session.get(Invoice, invoice_id)
    if invoice is None or invoice.organisation_id != user.organisation_id:
        raise HTTPException(404)
    return invoice.text


@app.get("/invoices/{invoice_id}")
def read(invoice_id: int, user: CurrentUser, session: SessionDep) -> str:
    invoice = session.get(Invoice, invoice_id)  # finding: idor-object-fetched-without-owner-scope
    if invoice is None:
        raise HTTPException(404)
    return invoice.text


@app.get("/templates/{template_id}")
def template(template_id: int, user: CurrentUser, session: SessionDep) -> str:
    return session.get_one(Template, template_id).text
