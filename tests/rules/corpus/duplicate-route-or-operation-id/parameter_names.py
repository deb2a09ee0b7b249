"""The names of parameters do not tell two paths apart, and one router is included twice."""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/books")


@router.get("/{book_id}")
def read_book(book_id: int) -> int:
    return book_id


@router.get("/{isbn}")
def read_by_isbn(isbn: str) -> str:  # finding: duplicate-route-or-operation-id
    return isbn


carts = APIRouter(prefix="/carts")


@carts.post("", operation_id="createCart")
def create_cart() -> int:
    return 1


@carts.post("/guest", operation_id="createCart")
def create_guest_cart() -> int:  # finding: duplicate-route-or-operation-id
    return 2


app = FastAPI()
app.include_router(router)
app.include_router(carts)
app.include_router(carts)  # finding: duplicate-route-or-operation-id
