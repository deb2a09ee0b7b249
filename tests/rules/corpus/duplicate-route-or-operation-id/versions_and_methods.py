"""One router under two versions, one path with two methods, two converters, and ids with the tag in them are
no duplicates.
"""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute


def with_tag(route: APIRoute) -> str:
    return f"{route.tags[0]}-{route.name}"


books = APIRouter(prefix="/books", tags=["books"])


@books.get("/{book_id:int}")
def read(book_id: int) -> int:
    return book_id


@books.get("/{slug}")
def read_by_slug(slug: str) -> str:
    return slug


@books.delete("/{slug}")
def delete(slug: str) -> str:
    return slug


authors = APIRouter(prefix="/authors", tags=["authors"])


@authors.delete("/{slug}", name="delete")
def delete_author(slug: str) -> str:
    return slug


app = FastAPI(generate_unique_id_function=with_tag)
app.include_router(books)
app.include_router(authors)
legacy = FastAPI()
legacy.include_router(books, prefix="/v1")
legacy.include_router(books, prefix="/v2")
