"""A router with two prefixes: one mistake, told once."""

from fastapi import APIRouter, FastAPI

router = APIRouter(prefix="/books")


@router.get("/{book}")
def book(book: str) -> str:
    return book


@router.get("/newest")
def newest() -> str:  # finding: route-shadowed-by-earlier-path
    return "newest"


app = FastAPI()
app.include_router(router)
app.include_router(router, prefix="/v1")
