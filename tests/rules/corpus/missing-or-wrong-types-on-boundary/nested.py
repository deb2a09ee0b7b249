"""An inner function's `return` is not the handler's; a method's `self` needs no type."""

from fastapi import APIRouter, FastAPI

app = FastAPI()


class Books:
    def __init__(self) -> None:
        self.router = APIRouter()
        self.router.add_api_route("/books", self.list_books, methods=["GET"])

    def list_books(self, limit: int = 10) -> list[str]:
        def first() -> str | None:
            return None

        return [first() or "Emma"][:limit]


app.include_router(Books().router)
