"""The router is included twice; only one of the two ways is guarded, and the other serves the same handler."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def session():
    with Session(engine) as opened:
        yield opened


def current_user(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None:
        raise HTTPException(401)
    return authorization


router = APIRouter(prefix="/items")


@router.post("")
def create_item(name: str, db: Annotated[Session, Depends(session)]) -> None:  # finding: unauthenticated-state-changing-route
    db.add(Item(name=name))
    db.commit()


@router.get("")
def list_items() -> list[str]:
    return []


app = FastAPI()
app.include_router(router, prefix="/v2", dependencies=[Depends(current_user)])
app.include_router(router, prefix="/v1")
