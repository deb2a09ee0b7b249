"""Books."""

from fastapi import APIRouter

router = APIRouter(prefix="/books")
LIMIT = 50


def _page(number: int) -> int:
    return number * LIMIT


@router.get("")
def list_books(number: int = 0) -> int:
    return _page(number)
