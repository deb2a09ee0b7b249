"""Rows in a list inside a dict, encoded by hand."""

from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    salary: Mapped[int]


class UserOut(BaseModel):
    id: int


def session():
    with Session(engine) as opened:
        yield opened


app = FastAPI()


@app.get("/users", response_model=list[UserOut])
def list_users(db: Annotated[Session, Depends(session)]):
    users = list(db.scalars(select(User)))
    return ORJSONResponse(content=jsonable_encoder(users))  # finding: response-model-bypassed
