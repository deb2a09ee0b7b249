"""Books that readers want some day."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.core.database import SessionDep
from app.dependencies import CurrentUser
from app.models import WishlistItem
from app.schemas.catalogue import BookTitle
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.schemas.order import WishlistAdd, WishlistOut
from app.services import wishlist_service

router = APIRouter(prefix="/wishlist-items", tags=["wishlists"])


@router.get("")
def list_wishlist(user: CurrentUser, session: SessionDep, after: AfterId = 0, limit: PageLimit = 20) -> list[WishlistOut]:
    """A page of the caller's wishlist."""
    statement = (
        select(WishlistItem)
        .where(WishlistItem.user_id == user.id, WishlistItem.id > after)
        .options(joinedload(WishlistItem.book))
        .order_by(WishlistItem.id)
        .limit(limit)
    )
    items = session.scalars(statement)
    return [WishlistOut(id=item.id, book=BookTitle(id=item.book.id, title=item.book.title)) for item in items]


@router.post("")
def add_to_wishlist(payload: WishlistAdd, user: CurrentUser, session: SessionDep) -> WishlistOut:  # finding: status-code-does-not-match-effect
    """Want a book some day."""
    return wishlist_service.add(session, user.id, payload.book_id)


@router.get("/clearance", status_code=204)
def clear_wishlist(user: CurrentUser, session: SessionDep) -> None:  # finding: unsafe-method-semantics
    """Want nothing any more."""
    wishlist_service.clear(session, user.id)


@router.delete("/{item_id}", status_code=204)
def remove_from_wishlist(item_id: EntityId, user: CurrentUser, session: SessionDep) -> None:
    """Do not want a book any more."""
    wishlist_service.remove(session, user.id, item_id)
