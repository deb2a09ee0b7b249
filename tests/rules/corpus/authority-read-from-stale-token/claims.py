"""Rights in tokens: beside a row that is loaded and dropped, refreshed from it, and where no row is loaded."""

import os

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

KEY = os.environ["TOKEN_KEY"]
engine = create_engine("sqlite:///shop.db")
app = FastAPI()


class Base(DeclarativeBase): ...


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str]
    blocked: Mapped[bool]


class Device(Base):
    __tablename__ = "devices"
    id: Mapped[int] = mapped_column(primary_key=True)
    blocked: Mapped[bool]


def read_token(token: str) -> dict:
    return jwt.decode(token, KEY, algorithms=["HS256"])


def find_account(account_id: int) -> Account | None:
    with Session(engine) as session:
        return session.get(Account, account_id)


def find_device(device_id: int) -> Device | None:
    with Session(engine) as session:
        return session.get(Device, device_id)


def current_claims(authorization: str = Header()) -> dict:
    claims = read_token(authorization)
    account_id = int(claims["sub"])
    account = find_account(account_id)
    if account is None or account.blocked:
        raise HTTPException(401)
    return claims


def editor_by_claim(claims: dict = Depends(current_claims)) -> dict:
    if claims["role"] != "admin":  # finding: authority-read-from-stale-token
        raise HTTPException(403)
    return claims


def signed_in(claims: dict = Depends(current_claims)) -> dict:
    if claims["shop"] != "books":
        raise HTTPException(403)
    return claims


def editor_at_once(authorization: str = Header()) -> int:
    claims = jwt.decode(authorization, KEY, algorithms=["HS256"])
    account = find_account(claims["sub"])
    if account is None:
        raise HTTPException(401)
    if claims.get("role") != "admin":  # finding: authority-read-from-stale-token
        raise HTTPException(403)
    return account.id


def editor_by_row(authorization: str = Header()) -> Account:
    claims = read_token(authorization)
    account = find_account(claims["sub"])
    if account is None or account.role != "admin":
        raise HTTPException(403)
    return account


def claims_from_row(authorization: str = Header()) -> dict:
    claims = read_token(authorization)
    account = find_account(claims["sub"])
    if account is None:
        raise HTTPException(401)
    claims["role"] = account.role
    return claims


def editor_from_row(claims: dict = Depends(claims_from_row)) -> dict:
    if claims["role"] != "admin":
        raise HTTPException(403)
    return claims


def claims_alone(authorization: str = Header()) -> dict:
    return read_token(authorization)


def editor_without_row(claims: dict = Depends(claims_alone)) -> dict:
    if claims["role"] != "admin":
        raise HTTPException(403)
    return claims


def claims_of_device(authorization: str = Header()) -> dict:
    claims = read_token(authorization)
    device = find_device(claims["device"])
    if device is None or device.blocked:
        raise HTTPException(401)
    return claims


def editor_at_device(claims: dict = Depends(claims_of_device)) -> dict:
    if claims["role"] != "admin":
        raise HTTPException(403)
    return claims


@app.delete("/a", dependencies=[Depends(editor_by_claim), Depends(signed_in)])
def remove_a() -> None: ...


@app.delete("/b", dependencies=[Depends(editor_at_once), Depends(editor_by_row)])
def remove_b() -> None: ...


@app.delete("/c", dependencies=[Depends(editor_from_row), Depends(editor_without_row)])
def remove_c() -> None: ...


@app.delete("/d", dependencies=[Depends(editor_at_device)])
def remove_d() -> None: ...
