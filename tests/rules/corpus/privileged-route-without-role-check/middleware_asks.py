"""Middleware asks for the operator's token wherever the path holds `/admin/`, and the guard of an account looks whose it is."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")
ADMIN_PART = "/admin/"


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    holder: Mapped[str]


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


CurrentUser = Annotated[str, Depends(current_user)]
app = FastAPI(dependencies=[Depends(current_user)])


@app.middleware("http")
async def authenticate(request: Request, call_next):
    if ADMIN_PART in request.url.path:
        if request.headers.get("authorization") != "Access operator":
            return JSONResponse({"detail": "no"}, status_code=401)
    return await call_next(request)


@app.post("/admin/flush")
def flush() -> None: ...  # silent: the middleware has asked for the operator's token


def held_account(id: int, name: CurrentUser) -> Account:
    with Session(engine) as session:
        account = session.get(Account, id)
    if account is None or account.holder != name:
        raise HTTPException(403)
    return account


@app.patch("/accounts/{id}")
def rename(account: Annotated[Account, Depends(held_account)], name: str) -> None:  # silent: the guard has looked
    with Session(engine) as session:
        account.name = name
        session.add(account)
        session.commit()


@app.post("/internal/flush")
def flush_all() -> None: ...  # finding: privileged-route-without-role-check
