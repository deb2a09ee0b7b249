"""Of two routes with one body, the guarded one shows that the other is meant for strangers."""

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Session

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Wish(Base):
    __tablename__ = "wishes"

    id = Column(Integer, primary_key=True)
    text = Column(String)


class WishIn(BaseModel):
    text: str


def current_user(request: Request) -> str:
    if request.headers.get("authorization") != "Bearer known":
        raise HTTPException(401)
    return "known"


def save(text: str) -> None:
    with Session(engine) as session:
        session.add(Wish(text=text))
        session.commit()


@app.post("/wishes")
def wish(body: WishIn) -> None:
    save(body.text)


@app.post("/wishes/authenticated")
def wish_of_a_user(body: WishIn, user: str = Depends(current_user)) -> None:
    save(f"{user}: {body.text}")


@app.post("/notes")
def note(body: WishIn) -> None:  # finding: unauthenticated-state-changing-route
    save(body.text)


@app.delete("/wishes", dependencies=[Depends(current_user)])
def forget() -> None:
    save("")
