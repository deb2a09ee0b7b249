"""The catalogue."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from app.core.database import SessionDep
from app.core.errors import NotFound
from app.dependencies import Principal, get_principal, require_staff
from app.models import Book, Edition
from app.repositories import book_repository
from app.schemas.catalogue import BookOut, BookTitle, BookWrite, EditionOut, StockUpdate
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.services import book_service

router = APIRouter(prefix="/books", tags=["books"])


@router.get("", response_model=list[BookOut])
def list_books(session: SessionDep, after: AfterId = 0, limit: PageLimit = 20) -> list[Book]:  # finding: n-plus-one-through-response-model
    """A page of the catalogue."""
    return book_repository.list_books(session, after, limit)


@router.get("/titles")
def complete_titles(
    session: SessionDep, prefix: Annotated[str, Query(min_length=2, max_length=80)], limit: PageLimit = 10
) -> list[BookTitle]:
    """The titles that begin with what somebody has typed so far."""
    return book_service.complete_titles(session, prefix, limit)


@router.get("/{book_id}", response_model=BookOut)
def get_book(book_id: EntityId, session: SessionDep) -> Book:
    """One book."""
    return book_service.get_book(session, book_id)


@router.get("/featured", response_model=list[BookOut])
def list_featured(session: SessionDep, limit: PageLimit = 10) -> list[Book]:  # finding: route-shadowed-by-earlier-path
    """The books on the front page."""
    return book_repository.list_featured(session, limit)


@router.get("/{book_id}/editions/{edition_id}", response_model=EditionOut)
def get_edition(book_id: EntityId, edition: EntityId, session: SessionDep) -> Edition:  # finding: path-parameter-mismatch
    """One form of a book."""
    found = book_repository.find_edition(session, book_id, edition)
    if found is None:
        raise NotFound("There is no such edition.")
    return found


@router.post("", response_model=BookOut, status_code=201, dependencies=[Depends(require_staff)])
def create_book(payload: BookWrite, session: SessionDep, response: Response) -> Book:
    """Add a title to the catalogue."""
    book = book_service.create_book(session, payload)
    response.headers["Location"] = f"/api/v1/books/{book.id}"
    return book


@router.put("/{book_id}", response_model=BookOut, dependencies=[Depends(require_staff)])
def replace_book(book_id: EntityId, payload: BookWrite, session: SessionDep) -> Book:
    """Store a book again."""
    return book_service.replace_book(session, book_id, payload)


@router.put("/{book_id}/stock", response_model=BookOut)
def set_stock(book_id: EntityId, payload: StockUpdate, session: SessionDep) -> Book:  # finding: unauthenticated-state-changing-route
    """Store how many copies the warehouse counted."""
    return book_service.set_stock(session, book_id, payload.stock)


@router.put("/{book_id}/placement", response_model=BookOut)
def feature_book(book_id: EntityId, session: SessionDep, caller: Annotated[Principal, get_principal]) -> Book:  # finding: auth-dependency-not-wrapped-in-depends, unauthenticated-state-changing-route
    """Put a book on the front page."""
    return book_service.feature(session, book_id)


@router.delete("/{book_id}", status_code=204, dependencies=[Depends(require_staff)])
def withdraw_book(book_id: EntityId, session: SessionDep) -> None:
    """Take a book out of the catalogue."""
    book_service.withdraw(session, book_id)
