"""The parent is included before its child, and before its own last route; this release does not copy routes when it includes."""

from fastapi import APIRouter, FastAPI

api = APIRouter(prefix="/api")
books = APIRouter(prefix="/books")


@books.get("")
def list_books() -> list[str]:
    return []


@api.get("/version")
def read_version() -> str:
    return "1"


app = FastAPI()
app.include_router(api)
api.include_router(books)


@api.get("/status")
def read_status() -> str:
    return "ready"
