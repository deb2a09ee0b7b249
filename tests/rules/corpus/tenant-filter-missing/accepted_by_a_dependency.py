"""The client names the tenant, and shows a token that may be of another one."""

from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///shops.db")
app = FastAPI()


class Base(DeclarativeBase): ...


class Shop(Base):
    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)


class Reader(Base):
    __tablename__ = "readers"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)


class Partner(Base):
    __tablename__ = "partners"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("shops.id"), index=True)


class Login(Base):
    __tablename__ = "logins"
    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(unique=True)
    reader_id: Mapped[int] = mapped_column(ForeignKey("readers.id"), index=True)
    reader: Mapped[Reader] = relationship()


def get_shop(shop: str) -> Shop:
    with Session(engine) as session:
        found = session.scalar(select(Shop).where(Shop.slug == shop))
    if found is None:
        raise HTTPException(404)
    return found


def get_login(token: Annotated[str | None, Cookie()] = None) -> Login | None:
    with Session(engine) as session:
        return session.scalar(select(Login).where(Login.token == token))


def get_partner(x_key: Annotated[str, Header()]) -> Partner:
    with Session(engine) as session:
        return session.scalars(select(Partner).where(Partner.key == x_key)).one()


def get_reader(login: Login | None = Depends(get_login), shop: Shop = Depends(get_shop)) -> Reader:
    if login is None:
        raise HTTPException(401, f"sign in at {shop.slug}")
    return login.reader  # finding: tenant-filter-missing


def get_reader_here(login: Login | None = Depends(get_login), shop: Shop = Depends(get_shop)) -> Reader:
    if login is None or login.reader.tenant_id != shop.id:
        raise HTTPException(401)
    return login.reader


def get_partner_of(partner: Partner = Depends(get_partner), shop: Shop = Depends(get_shop)) -> Partner:
    print(shop.slug)
    return partner  # finding: tenant-filter-missing


def belongs(partner: Partner, shop: Shop) -> None:
    if partner.tenant_id != shop.id:
        raise HTTPException(404)


def get_partner_here(partner: Partner = Depends(get_partner), shop: Shop = Depends(get_shop)) -> Partner:
    belongs(partner, shop)
    return partner


def get_shop_of(partner: Partner = Depends(get_partner)) -> Shop:
    with Session(engine) as session:
        return session.scalars(select(Shop).where(Shop.id == partner.tenant_id)).one()


def get_partner_at_home(partner: Partner = Depends(get_partner), shop: Shop = Depends(get_shop_of)) -> Partner:
    print(shop.slug)
    return partner


def get_partner_alone(partner: Partner = Depends(get_partner)) -> Partner:
    return partner


@app.get("/{shop}/reader")
def read_reader(reader: Reader = Depends(get_reader)) -> int:
    return reader.id


@app.get("/{shop}/reader-here")
def read_reader_here(reader: Reader = Depends(get_reader_here)) -> int:
    return reader.id


@app.get("/{shop}/partner")
def read_partner(partner: Partner = Depends(get_partner_of)) -> int:
    return partner.id


@app.get("/{shop}/partner-here")
def read_partner_here(partner: Partner = Depends(get_partner_here)) -> int:
    return partner.id


@app.get("/partner-at-home")
def read_partner_at_home(partner: Partner = Depends(get_partner_at_home)) -> int:
    return partner.id


@app.get("/{shop}/partner-alone")
def read_partner_alone(shop: str, partner: Partner = Depends(get_partner_alone)) -> str:
    return f"{shop}{partner.id}"
