"""Wishlists: adding and forgetting books."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models import Book, WishlistItem
from app.schemas.catalogue import BookTitle
from app.schemas.order import WishlistOut


def add(session: Session, user_id: int, book_id: int) -> WishlistOut:
    """Put a book on a wishlist."""
    book = session.get(Book, book_id)
    title = BookTitle(id=book_id, title=book.title)  # finding: none-result-dereferenced
    item = WishlistItem(user_id=user_id, book_id=book_id)
    session.add(item)
    session.commit()
    return WishlistOut(id=item.id, book=title)


def clear(session: Session, user_id: int) -> None:
    """Take every book off a wishlist."""
    session.execute(delete(WishlistItem).where(WishlistItem.user_id == user_id))
    session.commit()


def remove(session: Session, user_id: int, item_id: int) -> None:
    """Take one book off a wishlist."""
    session.execute(delete(WishlistItem).where(WishlistItem.id == item_id, WishlistItem.user_id == user_id))  # finding: write-without-commit
