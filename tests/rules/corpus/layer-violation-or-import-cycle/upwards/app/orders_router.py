"""Orders."""

from fastapi import APIRouter

from app.books_router import _page  # finding: layer-violation-or-import-cycle
from app.schemas import Order
from app.service import check

router = APIRouter(prefix="/orders")


@router.post("")
def create(order: Order) -> int:
    check(order.number)
    return _page(order.number)
