"""What each layer of the traffic components adds to a request, in microseconds of CPU of the serving process.

    python -m benchmarks.service.traffic

The application is called without a server, so that only the layers differ. PostgreSQL and Redis are real, and their own
work is not counted.
"""

import asyncio
import json
import resource
import statistics
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, SecretStr
from sqlalchemy import create_engine
from sqlalchemy.orm import Mapped, mapped_column

from fastapi_architect.components.cache import CacheDep, CachedValue, CacheSettings, Caching
from fastapi_architect.components.database import Base, Database, DatabaseSettings, SessionDep, Uuid7Id
from fastapi_architect.components.idempotency import (
    Idempotency,
    IdempotencySettings,
    IdempotentRequestDep,
    perform_once,
)
from fastapi_architect.components.rate_limiting import RateLimiting, RateLimitSettings, limit
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Component, Environment, install
from fastapi_architect.components.testing.servers import (
    for_sqlalchemy,
    postgresql,
    redis_server,
    scratch_database,
)

REQUESTS, ROUNDS, AT_ONCE = 400, 5, 8
PLENTY = "1000000/minute"


class Book(BaseModel):
    """What is read."""

    id: int
    title: str


BOOK = CachedValue("book", Book, ttl=600)


class BenchOrder(Uuid7Id, Base):
    """What is written."""

    __tablename__ = "bench_orders"
    title: Mapped[str] = mapped_column()


def read_app(*components: Component, limited: bool = False) -> FastAPI:
    """Return an application that reads nothing from nowhere."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(limit(PLENTY))] if limited else [])
    async def read() -> Book:
        return Book(id=1, title="Emma")

    install(app, components)
    return app


def cached_app(*components: Component) -> FastAPI:
    """Return an application that reads from the cache."""
    app = FastAPI()

    async def load() -> Book:
        return Book(id=1, title="Emma")

    @app.get("/")
    async def read(cache: CacheDep) -> Book:
        return await cache.get_or_load(BOOK.key(1, shared=True), load)

    install(app, components)
    return app


def write_app(*components: Component) -> FastAPI:
    """Return an application that writes one row."""
    app = FastAPI()

    @app.post("/")
    async def write(book: Book, session: SessionDep, request: IdempotentRequestDep) -> Book:
        async def work() -> Book:
            session.add(BenchOrder(title=book.title))
            await session.flush()
            return book

        return await perform_once(session, request, Book, work)

    install(app, components)
    return app


Headers = Callable[[int], list[tuple[bytes, bytes]]]


async def call(app: FastAPI, method: str, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Send one request.

    Raises:
        RuntimeError: the answer was no success.
    """
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"bench"), (b"content-type", b"application/json"), *headers],
        "client": ("192.0.2.1", 1),
        "server": ("bench", 80),
    }

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start" and message["status"] != 200:
            raise RuntimeError(message)

    await app(scope, receive, send)


async def cost(app: FastAPI, method: str = "GET", headers: Headers | None = None, body: bytes = b"") -> float:
    """Return the CPU of one request in microseconds: the median of several rounds."""
    numbers = iter(range(10**9))

    async def client(requests: int) -> None:
        for _ in range(requests):
            await call(app, method, headers(next(numbers)) if headers else [], body)

    async def all_clients() -> None:
        await asyncio.gather(*(client(REQUESTS // AT_ONCE) for _ in range(AT_ONCE)))

    async with app.router.lifespan_context(app):
        await all_clients()
        rounds = [await _cpu(all_clients) / REQUESTS * 1e6 for _ in range(ROUNDS)]
    return statistics.median(rounds)


async def _cpu(work: Callable[[], Awaitable[None]]) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    await work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


async def measure(redis_url: str, database_url: str) -> dict[str, dict[str, float]]:
    """Return the cost of each application."""
    local = Environment.LOCAL

    def pool() -> RedisPool:
        return RedisPool(RedisSettings(url=SecretStr(redis_url), timeout=5, environment=local))

    def limits(storage: str = "redis") -> RateLimiting:
        return RateLimiting(RateLimitSettings.model_validate({"default": PLENTY, "storage": storage}))

    def database() -> Database:
        return Database(DatabaseSettings(url=SecretStr(database_url), environment=local))

    def idempotency() -> Idempotency:
        return Idempotency(IdempotencySettings(), caller=lambda connection: connection.scope["client"][0])

    body = json.dumps({"id": 1, "title": "Emma"}).encode()
    reads = {
        "nothing": await cost(read_app()),
        "limit of the application, in memory": await cost(read_app(limits("memory"))),
        "limit of the application": await cost(read_app(pool(), limits())),
        "limit of the application and of the route": await cost(read_app(pool(), limits(), limited=True)),
        "value from the cache, in memory": await cost(cached_app(Caching(CacheSettings(storage="memory")))),
        "value from the cache": await cost(cached_app(pool(), Caching(CacheSettings()))),
    }
    writes = {
        "one row": await cost(write_app(database(), idempotency()), "POST", body=body),
        "with an Idempotency-Key": await cost(
            write_app(database(), idempotency()),
            "POST",
            lambda number: [(b"idempotency-key", b"%d" % number)],
            body,
        ),
    }
    return {"read": reads, "write": writes}


def main() -> None:
    """Print the costs."""
    with redis_server() as redis_url, postgresql() as server, scratch_database(server) as superuser_url:
        database_url = for_sqlalchemy(superuser_url)
        engine = create_engine(database_url)
        Base.metadata.create_all(engine)
        engine.dispose()
        for kind, costs in asyncio.run(measure(redis_url, database_url)).items():
            bare = next(iter(costs.values()))
            for name, microseconds in costs.items():
                print(f"{kind:6} {name:45} {microseconds:8.0f} µs   +{microseconds - bare:6.0f} µs")


if __name__ == "__main__":
    main()
