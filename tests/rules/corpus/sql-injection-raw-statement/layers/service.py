from fastapi import Depends
from repository import BookRepository
from sqlalchemy.orm import Session
from store import get_session


class BookService:
    def __init__(self, books: BookRepository):
        self.books = books

    def named(self, name: str):
        cleaned = name.strip()
        return self.books.by_name(cleaned)


def get_service(session: Session = Depends(get_session)) -> BookService:
    return BookService(BookRepository(session))
