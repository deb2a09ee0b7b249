"""Ids made of the function's name alone collide where two modules use the same name."""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute


def by_name(route: APIRoute) -> str:
    return route.name


books = APIRouter(prefix="/books")
authors = APIRouter(prefix="/authors")


@books.get("")
def list_all() -> list[str]:
    return []


def _authors() -> None:
    @authors.get("")
    def list_all() -> list[str]:  # finding: duplicate-route-or-operation-id
        return []


_authors()
app = FastAPI(generate_unique_id_function=by_name)
app.include_router(books)
app.include_router(authors)
