"""What a real PostgreSQL refuses reaches the caller as a problem, and without a name of the schema."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient, Response
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install

SECRETS = ("shelves", "secret_column", "uq_", "fk_", "INSERT", "psycopg", "planted")


class Base(DeclarativeBase):
    """Tables of this test alone."""


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    secret_column: Mapped[str | None] = mapped_column(unique=True, nullable=False)
    parent: Mapped[int | None] = mapped_column(ForeignKey("shelves.id"))
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012


class NewShelf(BaseModel):
    """A shelf as these tests send it: nothing is checked before the database does."""

    name: str | None = "planted"
    parent: int | None = None


@pytest.fixture
def database_url_of_shelves(empty_database_url: str) -> str:
    return empty_database_url.replace("postgresql://", "postgresql+psycopg://", 1)


def create_app(engine: AsyncEngine) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/shelves", status_code=201)
    async def create(new: NewShelf) -> int:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            shelf = Shelf(secret_column=new.name, parent=new.parent)
            session.add(shelf)
            await session.commit()
            return shelf.id

    @app.get("/shelves/{shelf_id}")
    async def read(shelf_id: int) -> str | None:
        async with AsyncSession(engine) as session:
            found: str | None = await session.scalar(select(Shelf.secret_column).where(Shelf.id == shelf_id))
            return found

    @app.delete("/shelves/{shelf_id}", status_code=204)
    async def delete(shelf_id: int) -> None:
        async with AsyncSession(engine) as session:
            await session.delete(await session.get_one(Shelf, shelf_id))
            await session.commit()

    @app.put("/shelves/{shelf_id}")
    async def lose_the_race(shelf_id: int) -> None:
        async with AsyncSession(engine) as session, AsyncSession(engine) as other:
            mine = await session.get_one(Shelf, shelf_id)
            await other.execute(update(Shelf).values(version=2))
            await other.commit()
            mine.secret_column = "mine"
            await session.commit()

    @app.get("/slow")
    async def slow(request: Request) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(text("SELECT pg_sleep(0.4)"))

    @app.get("/faulty")
    async def faulty() -> None:
        async with AsyncSession(engine) as session:
            await session.execute(text("SELECT planted FROM nowhere"))

    install(app, [ProblemDetails()])
    return app


@pytest.fixture
def client(database_url_of_shelves: str) -> Iterator[TestClient]:
    engine = create_async_engine(database_url_of_shelves)
    with TestClient(create_app(engine), raise_server_exceptions=False) as client:
        yield client


def told(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [secret for secret in SECRETS if secret in answer.text]
    return answer.status_code, answer.json()["detail"]


def test_a_second_one_of_what_is_unique(client: TestClient) -> None:
    client.post("/shelves", json={})

    assert told(client.post("/shelves", json={})) == (409, "Something with these values exists already.")


def test_a_reference_to_nothing(client: TestClient) -> None:
    status, detail = told(client.post("/shelves", json={"parent": 99}))

    assert status == 409
    assert "refers to something" in detail


def test_deleting_what_is_referred_to(client: TestClient) -> None:
    parent = client.post("/shelves", json={"name": "a"}).json()
    client.post("/shelves", json={"name": "b", "parent": parent})

    assert told(client.delete(f"/shelves/{parent}"))[0] == 409


@pytest.mark.parametrize(
    "body", [{"name": None}, {"name": "planted\x00"}, {"parent": 2**40}, {"parent": 2**70}]
)
def test_a_value_that_cannot_be_stored(client: TestClient, body: dict[str, Any]) -> None:
    assert told(client.post("/shelves", json=body))[0] in (409, 422)


@pytest.mark.parametrize("number", [2**31, 2**63, 2**70, -(2**70)])
def test_a_huge_number_is_no_error_of_ours(client: TestClient, number: int) -> None:
    assert client.get(f"/shelves/{number}").status_code in (200, 422)


@pytest.mark.parametrize(("headers", "status"), [({}, 409), ({"If-Match": '"1"'}, 412)])
def test_a_write_over_a_newer_version(client: TestClient, headers: dict[str, str], status: int) -> None:
    shelf = client.post("/shelves", json={}).json()

    assert told(client.put(f"/shelves/{shelf}", headers=headers))[0] == status


def test_a_statement_that_has_no_meaning_is_a_fault_of_ours(client: TestClient) -> None:
    assert told(client.get("/faulty"))[0] == 500


@pytest.mark.anyio
async def test_of_many_at_once_one_wins(database_url_of_shelves: str) -> None:
    app = create_app(create_async_engine(database_url_of_shelves))
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client,
    ):
        answers = await asyncio.gather(*(client.post("/shelves", json={}) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


@pytest.mark.anyio
async def test_a_pool_without_a_free_connection(database_url_of_shelves: str) -> None:
    engine = create_async_engine(database_url_of_shelves, pool_size=1, max_overflow=0, pool_timeout=0.1)
    app = create_app(engine)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client,
    ):
        answers = await asyncio.gather(*(client.get("/slow") for _ in range(3)))

    assert sorted(answer.status_code for answer in answers) == [200, 503, 503]
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "5"}


@pytest.mark.anyio
async def test_a_statement_that_takes_too_long(database_url_of_shelves: str) -> None:
    options = {"options": "-c statement_timeout=100"}
    app = create_app(create_async_engine(database_url_of_shelves, connect_args=options))
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client,
    ):
        answer = await client.get("/slow")

    assert told(answer)[0] == 503


@pytest.mark.anyio
async def test_a_database_that_is_not_there() -> None:
    app = FastAPI()
    engine = create_async_engine("postgresql+psycopg://planted:planted@127.0.0.1:9/nothing")

    @app.get("/")
    async def read() -> None:
        async with AsyncSession(engine) as session:
            await session.execute(text("SELECT 1"))

    install(app, [ProblemDetails()])
    async with AsyncClient(transport=ASGITransport(app), base_url="http://shop") as client:
        answer = await client.get("/")

    assert told(answer)[0] == 503
    assert answer.headers["retry-after"] == "5"
