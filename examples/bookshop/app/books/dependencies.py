"""How an operation asks for the catalogue."""

from typing import Annotated

from fastapi import Depends

from app.books.repository import BookRepository
from app.books.service import BookService
from app.dependencies import SessionDep


async def get_book_service(session: SessionDep) -> BookService:
    """Return the service on the session of this request."""
    return BookService(session, BookRepository(session))


BookServiceDep = Annotated[BookService, Depends(get_book_service)]
