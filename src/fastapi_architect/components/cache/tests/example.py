"""The smallest application with a cache: books are everybody's, a profile is one person's."""

from uuid import UUID

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from pydantic import BaseModel, ConfigDict

from fastapi_architect.components.cache import CacheDep, CachedValue, Caching
from fastapi_architect.components.problem_details import NotAuthenticated, NotFound, ProblemDetails
from fastapi_architect.components.redis_pool import RedisPool
from fastapi_architect.components.service import Principal, install

PEOPLE = {
    "ann": Principal(UUID(int=1), frozenset({"profile:read"})),
    "ben": Principal(UUID(int=2), frozenset({"profile:read"})),
}


class Book(BaseModel):
    """A book."""

    model_config = ConfigDict(extra="forbid")

    id: int
    title: str


class Profile(BaseModel):
    """What only its owner sees."""

    owner: str


BOOK = CachedValue("book", Book, ttl=60, stale_for=300)
PROFILE = CachedValue("profile", Profile, ttl=60)


class Shelf:
    """In place of a database; it counts how often it was asked."""

    def __init__(self) -> None:
        self.titles = {1: "Emma"}
        self.asked = 0

    async def find(self, book_id: int) -> Book:
        """Return the book.

        Raises:
            NotFound: there is none.
        """
        self.asked += 1
        if book_id not in self.titles:
            raise NotFound("There is no such book.")
        return Book(id=book_id, title=self.titles[book_id])


def _who(connection: HTTPConnection) -> tuple[str, Principal]:
    name = connection.headers.get("x-name", "")
    if name not in PEOPLE:
        raise NotAuthenticated
    return name, PEOPLE[name]


def create_app(shelf: Shelf, redis_pool: RedisPool, caching: Caching) -> FastAPI:
    """Return the application."""
    app = FastAPI()

    @app.get("/books/{book_id}")
    async def read_book(book_id: int, cache: CacheDep) -> Book:
        return await cache.get_or_load(BOOK.key(book_id, shared=True), lambda: shelf.find(book_id))

    @app.put("/books/{book_id}")
    async def rename_book(book_id: int, title: str, cache: CacheDep) -> Book:
        async with cache.deleting(BOOK.key(book_id, shared=True)):
            shelf.titles[book_id] = title  # ... and commit
        return Book(id=book_id, title=title)

    @app.get("/profile")
    async def read_profile(connection: HTTPConnection, cache: CacheDep) -> Profile:
        name, principal = _who(connection)

        async def load() -> Profile:
            return Profile(owner=name)

        return await cache.get_or_load(PROFILE.key(principal=principal), load)

    install(app, [ProblemDetails(), redis_pool, caching])
    return app
