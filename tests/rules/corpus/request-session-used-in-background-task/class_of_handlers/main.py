"""Handlers in a class, whose fields are dependencies; FastAPI 0.110 leaves them before background tasks run."""

from collections.abc import Iterator

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI
from fastapi_utils.cbv import cbv
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

app = FastAPI()
router = APIRouter()
new_session = sessionmaker(create_engine("postgresql:///shop"))


def get_session() -> Iterator[Session]:
    with new_session() as session:
        yield session


def get_currency() -> str:
    return "EUR"


class Books:
    def __init__(self, session: Session) -> None:
        self.session = session

    def touch(self, book: int) -> None:
        self.session.execute(text("update books set seen = now() where id = :id"), {"id": book})


class Importer:
    def __init__(self, books: Books) -> None:
        self.books = books

    def run(self, book: int) -> None:
        self.books.touch(book)


def touch(session: Session, book: int) -> None:
    Books(session).touch(book)


def touch_alone(book: int) -> None:
    with new_session() as session:
        touch(session, book)


@cbv(router)
class BookViews:
    session: Session = Depends(get_session)
    currency: str = Depends(get_currency)

    @property
    def books(self) -> Books:
        return Books(self.session)

    @router.get("/books/{book}")
    def get_book(self, book: int, tasks: BackgroundTasks) -> None:
        tasks.add_task(touch, self.session, book)  # finding: request-session-used-in-background-task

    @router.get("/imports/{book}")
    def import_book(self, book: int, tasks: BackgroundTasks) -> None:
        importer = Importer(self.books)
        tasks.add_task(importer.run, book)  # finding: request-session-used-in-background-task

    @router.get("/own/{book}")
    def own(self, book: int, tasks: BackgroundTasks) -> None:
        touch(self.session, book)
        tasks.add_task(touch_alone, book)
        tasks.add_task(print, self.currency)


app.include_router(router)
