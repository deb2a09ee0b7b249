"""What the worker does."""

import asyncio
import logging
from datetime import UTC, datetime

import requests
from sqlalchemy import func, select, update

from app.core.config import settings
from app.core.database import AsyncSessionFactory, SessionFactory
from app.models import Book, Order, OrderItem, Review, User
from app.services.mailer import deliver
from app.worker import celery_app

logger = logging.getLogger(__name__)


@celery_app.task
def send_order_confirmation(order_id: int) -> None:
    """Tell a reader that their order has arrived."""
    with SessionFactory() as session:
        statement = select(Order.number, User.email).join(User, User.id == Order.user_id).where(Order.id == order_id)
        row = session.execute(statement).one_or_none()
    if row is None:
        logger.error("there is no order %s to confirm", order_id)
        return
    deliver(row.email, f"Your order {row.number}", "Thank you for your order.")


@celery_app.task
def notify_warehouse(order_id: int) -> None:
    """Ask the warehouse to pick an order."""
    response = requests.post(settings.warehouse_url, json={"order_id": order_id})  # finding: outbound-call-without-timeout
    response.raise_for_status()


@celery_app.task
async def refresh_search_index() -> int:  # finding: async-def-celery-task
    """Count the books that the search index should hold."""
    async with AsyncSessionFactory() as session:
        return await session.scalar(select(func.count(Book.id))) or 0


async def count_reviews() -> int:
    """How many reviews there are."""
    async with AsyncSessionFactory() as session:
        return await session.scalar(select(func.count(Review.id))) or 0


@celery_app.task
def report_review_count() -> int:
    """Log how many reviews there are, once a night."""
    total = asyncio.run(count_reviews())  # finding: asyncio-run-in-task-with-global-async-resource
    logger.info("%s reviews", total)
    return total


@celery_app.task
def feature_bestsellers() -> None:
    """Put the books that sell best on the front page."""
    try:
        with SessionFactory() as session:
            best = select(OrderItem.book_id).group_by(OrderItem.book_id).order_by(func.sum(OrderItem.quantity).desc())
            session.execute(update(Book).where(Book.id.in_(best.limit(10))).values(is_featured=True))
            session.commit()
    except Exception:  # finding: failed-task-lost
        logger.exception("the front page was not renewed")


@celery_app.task
def build_sales_report(year: int) -> dict[str, str]:
    """What the shop earned in a year."""
    with SessionFactory() as session:
        start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        statement = select(func.sum(Order.total)).where(Order.created_at >= start, Order.created_at < end)
        total = session.scalar(statement)
    return {"period": str(year), "total": str(total or 0)}
