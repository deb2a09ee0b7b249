"""The catalogue over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from app.books.dependencies import BookServiceDep
from app.books.schemas import BookChange, BookDetails, BookQuery, BookSummary, NewBook
from app.pagination import Page, TitleCursor
from app.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, UNAVAILABLE
from app.throttles import throttle_browsing

public = APIRouter(
    prefix="/books",
    tags=["books"],
    dependencies=[Depends(throttle_browsing)],
    responses={429: TOO_MANY_REQUESTS, 503: UNAVAILABLE},
)
admins = APIRouter(prefix="/books", tags=["books"])


@public.get("", summary="Search the catalogue")
async def list_books(query: Annotated[BookQuery, Query()], service: BookServiceDep) -> Page[BookSummary]:
    """Return a page of the books that fit, by title."""
    cursor = TitleCursor.decode(query.cursor) if query.cursor is not None else None
    page = await service.list_books(query.words, query.author, cursor, query.limit)
    return Page(items=[BookSummary.model_validate(book) for book in page.rows], next_cursor=page.next_cursor)


@public.get("/{book_id}", summary="Read a book", responses={404: NOT_FOUND})
async def read_book(book_id: UUID, service: BookServiceDep) -> BookDetails:
    """Return a book with its description."""
    return BookDetails.model_validate(await service.read_book(book_id))


@admins.post("", summary="Add a book", status_code=status.HTTP_201_CREATED, responses={409: CONFLICT})
async def add_book(
    new: NewBook, service: BookServiceDep, request: Request, response: Response
) -> BookDetails:
    """Put a book on sale."""
    book = await service.add_book(new)
    response.headers["Location"] = request.app.url_path_for("read_book", book_id=str(book.id))
    return BookDetails.model_validate(book)


@admins.patch("/{book_id}", summary="Change a book", responses={404: NOT_FOUND, 409: CONFLICT})
async def change_book(book_id: UUID, change: BookChange, service: BookServiceDep) -> BookDetails:
    """Change the fields that are sent; the others stay as they are."""
    return BookDetails.model_validate(await service.change_book(book_id, change))


@admins.delete(
    "/{book_id}",
    summary="Delete a book",
    status_code=status.HTTP_204_NO_CONTENT,
    responses={404: NOT_FOUND, 409: CONFLICT},
)
async def delete_book(book_id: UUID, service: BookServiceDep) -> None:
    """Take a book off the catalogue, unless it has been ordered."""
    await service.delete_book(book_id)
