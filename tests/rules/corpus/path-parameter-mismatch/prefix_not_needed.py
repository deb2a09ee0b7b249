"""A prefix that many routes share has a name that one of them does not need, and a filter is really meant for
the query.
"""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/shops/{shop_id}")


@router.get("/currencies")
def list_currencies(kind: str) -> list[str]:
    return ["EUR", kind]


@router.get("/books")
def list_books(shop_id: int) -> int:
    return shop_id


app = FastAPI()
app.include_router(router)
