"""Middleware opens the session of a request and commits it behind the response."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

app = FastAPI()
engine = create_engine("sqlite://")


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


@app.middleware("http")
async def session_of_request(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    request.state.session = Session(engine)
    try:
        response = await call_next(request)
        request.state.session.commit()
        return response
    finally:
        request.state.session.close()


def get_session(request: Request) -> Session:
    return request.state.session


@app.post("/books")
def add_book(title: str, session: Annotated[Session, Depends(get_session)]) -> None:
    session.add(Book(title=title))
