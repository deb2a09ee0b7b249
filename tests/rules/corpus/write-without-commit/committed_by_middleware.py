"""The session that a middleware lays on the state of the request is committed behind the handler, or is not."""

from fastapi import FastAPI, Request
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///shop.db")
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


@app.middleware("http")
async def with_transaction(request: Request, call_next):
    request.state.db = Session(engine)
    response = await call_next(request)
    request.state.db.commit()
    request.state.db.close()
    return response


@app.post("/books")
def add_book(title: str, request: Request) -> None:
    db: Session = request.state.db
    db.add(Book(title=title))
