"""The back office."""

import logging
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from jinja2 import Environment
from redis.exceptions import RedisError

from app.core.cache import redis_client
from app.core.config import settings
from app.core.database import SessionDep
from app.core.errors import DependencyUnavailable, NotFound
from app.dependencies import require_admin
from app.models import Order, User
from app.repositories import activity_repository, book_repository, order_repository, user_repository
from app.schemas.admin import (
    LegacyRating,
    MailPreviewOut,
    MailPreviewRequest,
    SalesReportRequest,
    SnapshotCheck,
    SnapshotOut,
    TaskRunOut,
    TaskRunRequest,
)
from app.schemas.fields import AfterId, PageLimit
from app.schemas.order import DailyOrders, OrderRow, SalesTotal
from app.schemas.user import UserOut
from app.services import order_service, reporting
from app.tasks import build_sales_report
from app.worker import celery_app

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(require_admin)])


@router.get("/users", response_model=list[UserOut])
def list_users(session: SessionDep, after: AfterId = 0, limit: PageLimit = 50) -> list[User]:
    """A page of all accounts."""
    return user_repository.list_users(session, after, limit)


@router.get("/orders", response_model=list[OrderRow])
def list_orders(
    session: SessionDep, sort: Annotated[str, Query(max_length=60)] = "id", limit: PageLimit = 50
) -> list[Order]:
    """The first orders by one of their columns."""
    return order_repository.list_sorted(session, sort, limit)


@router.get("/open-orders", response_model=list[OrderRow])
def list_open_orders(session: SessionDep, after: AfterId = 0, limit: PageLimit = 50) -> list[Order]:
    """A page of the orders that nobody cancelled."""
    return order_repository.list_open(session, after, limit)


@router.get("/daily-orders")
def get_daily_orders(session: SessionDep, day: date, limit: PageLimit = 100) -> DailyOrders:
    """The orders of one day."""
    orders = order_repository.list_of_day(session, day, limit)
    return DailyOrders(day=day, orders=[OrderRow.model_validate(order) for order in orders])


@router.get("/shipments/{tracking_number}", response_model=OrderRow)
def get_shipment(tracking_number: Annotated[str, Path(max_length=60)], session: SessionDep) -> Order:
    """The order in a parcel that came back."""
    order = order_service.find_parcel(session, tracking_number)
    if order is None:
        raise NotFound("There is no such parcel.")
    return order


@router.get("/sales-total")
def get_sales_total(session: SessionDep) -> SalesTotal:
    """What the shop has earned since it opened."""
    return SalesTotal(period="all", total=order_repository.total_of_all(session))


@router.post("/sales-reports")
def make_sales_report(payload: SalesReportRequest) -> SalesTotal:
    """What the shop earned in a year."""
    report = build_sales_report.delay(payload.year).get(timeout=settings.report_timeout_seconds)  # finding: celery-result-wait-in-request
    return SalesTotal.model_validate(report)


@router.get("/legacy-ratings")
def list_legacy_ratings(limit: PageLimit = 100) -> list[LegacyRating]:
    """The ratings from before there were reviews."""
    return reporting.legacy_ratings(limit)


@router.delete("/activities", status_code=204)
def remove_old_activities(session: SessionDep) -> None:
    """Forget what is older than the law asks us to keep."""
    activity_repository.remove_old(session)
    session.commit()


@router.delete("/rate-limits", status_code=204)
def reset_rate_limits() -> None:
    """Let everybody try again at once."""
    try:
        keys = redis_client.keys("rate-limit:*")  # finding: redis-keyspace-command-in-request
        if keys:
            redis_client.delete(*keys)
    except RedisError as exc:
        logger.warning("the rate limits were not reset", exc_info=True)
        raise DependencyUnavailable("The rate limiter does not answer.") from exc


@router.post("/task-runs", status_code=202)
def run_task(payload: TaskRunRequest) -> TaskRunOut:
    """Start a job of the worker by hand."""
    result = celery_app.send_task(payload.task_name)  # finding: dynamic-task-or-callable-dispatch
    return TaskRunOut(task_id=result.id)


@router.post("/stock-snapshots")
def check_snapshot(payload: SnapshotCheck, session: SessionDep) -> SnapshotOut:
    """Say how many books in the snapshot of a branch are in our catalogue."""
    isbns = reporting.read_snapshot(payload.snapshot)
    return SnapshotOut(entries=len(isbns), known=book_repository.count_known(session, isbns))


@router.post("/mail-previews")
async def preview_mail(payload: MailPreviewRequest) -> MailPreviewOut:
    """Show a newsletter before it goes out."""
    environment = Environment(autoescape=True)  # finding: client-created-per-request
    template = environment.from_string(payload.template)  # finding: server-side-template-injection
    return MailPreviewOut(text=template.render(shop="Bookshop"))
