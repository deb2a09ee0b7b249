"""What bookshops that work with us see; the partner middleware asks for their key."""

from fastapi import APIRouter, Depends
from sqlalchemy import func, select

from app.core.database import SessionDep
from app.dependencies import limit_by_client
from app.models import Book
from app.repositories import book_repository
from app.schemas.admin import ServiceStatus, StockReport
from app.schemas.catalogue import FeedItem
from app.schemas.fields import AfterId, PageLimit

router = APIRouter(prefix="/partners", tags=["partners"], dependencies=[Depends(limit_by_client)])


@router.get("/status")
async def get_status() -> ServiceStatus:
    """Whether the partner area answers."""
    return ServiceStatus()


@router.get("/status-reports")
def get_status_report(session: SessionDep) -> StockReport:
    """How much of what lies in our warehouse."""
    copies = session.scalar(select(func.sum(Book.stock)))
    return StockReport(copies=copies or 0)


@router.get("/books", response_model=list[FeedItem])
def list_partner_books(session: SessionDep, after: AfterId = 0, limit: PageLimit = 50) -> list[Book]:
    """A page of the catalogue for partners."""
    return book_repository.list_for_feed(session, after, limit)
