"""Each check passes on a service without its fault, and fails on one with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from fastapi_architect.components.database import Database
from fastapi_architect.components.testing.authorization import (
    STRANGER,
    Caller,
    authorization_matrix,
    authorization_violations,
)
from fastapi_architect.components.testing.clients import asgi_client
from fastapi_architect.components.testing.contract import contract_violations
from fastapi_architect.components.testing.factories import RowFactory
from fastapi_architect.components.testing.isolation import cross_tenant_violations
from fastapi_architect.components.testing.operations import example_request, operations_of
from fastapi_architect.components.testing.statements import statement_growth, statements
from fastapi_architect.components.testing.tests.example import (
    EVERYTHING,
    OTHER_TENANT,
    TENANT,
    Shelf,
    Thing,
    create_app,
    create_faulty_app,
)

READER, WRITER, OTHER = ({"X-Caller": name} for name in ("reader", "writer", "other"))
CALLERS = [STRANGER, Caller("reader", READER, {"shelves:read"}), Caller("writer", WRITER, EVERYTHING)]
SHELF, THING, OTHER_SHELF = (UUID(int=number) for number in (101, 102, 103))


@pytest.fixture
def app(database: Database) -> FastAPI:
    return create_app(database)


@pytest.fixture
def faulty_app(database: Database) -> FastAPI:
    return create_faulty_app(database)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def faulty(faulty_app: FastAPI) -> Iterator[TestClient]:
    with TestClient(faulty_app, raise_server_exceptions=False) as client:
        yield client


def insert(client: TestClient, database: Database, *rows: Any) -> None:
    async def add() -> None:
        async with database.sessions() as session:
            session.add_all(rows)
            await session.commit()

    assert client.portal is not None
    client.portal.call(add)


def add_shelves(client: TestClient, database: Database) -> Callable[[int], None]:
    shelves, things = RowFactory(Shelf, tenant_id=TENANT), RowFactory(Thing)

    def add(rows: int) -> None:
        made = [shelves.build(id=uuid4()) for _ in range(rows)]
        insert(client, database, *made, *(things.build(shelf_id=shelf.id) for shelf in made))

    return add


def test_every_operation_is_found(app: FastAPI) -> None:
    assert [str(each) for each in operations_of(app)] == [
        "GET /api/v1/shelves",
        "GET /api/v1/shelves/{shelf_id}",
        "PUT /api/v1/shelves/{shelf_id}",
        "GET /api/v1/shelves/{shelf_id}/things/{thing_id}",
        "GET /health",
    ]


def test_operations_of_mounted_applications_are_found(app: FastAPI) -> None:
    outer = FastAPI()
    outer.mount("/inner", app)

    assert "GET /inner/api/v1/shelves" in [str(each) for each in operations_of(outer)]


def test_requests_are_made_from_the_contract(app: FastAPI) -> None:
    rename = next(each for each in operations_of(app) if each.method == "PUT")

    assert example_request(app, rename)["json"] == {"name": "upper left"}


def test_the_matrix_is_quiet_where_everybody_gets_what_they_may(client: TestClient, app: FastAPI) -> None:
    assert authorization_violations(client, app, CALLERS, public={"GET /health"}) == []
    assert authorization_matrix(client, app, CALLERS)["PUT /api/v1/shelves/{shelf_id}"] == {
        "stranger": 401,
        "reader": 403,
        "writer": 422,
    }


def test_the_matrix_notices_each_fault(faulty: TestClient, faulty_app: FastAPI) -> None:
    found = authorization_violations(faulty, faulty_app, CALLERS, public={"GET /gone"})

    for expected in (
        "GET /unguarded: stranger got 200, and must be refused with 401",
        "GET /opened: it is open to strangers, and nobody decided so: mark it, or put it into `public`",
        "GET /gone: there is no such public operation",
        "GET /too-strict: reader got 403, and may call it",
        "GET /unchecked: reader got 200, and must be refused with 403 without shelves:write",
        "GET /broken: reader got 500, which is a fault of the service",
    ):
        assert expected in found
    assert not [each for each in found if each.startswith("GET /unchecked: writer")]


def test_tenants_that_are_kept_apart_pass(client: TestClient, app: FastAPI, database: Database) -> None:
    insert(
        client,
        database,
        Shelf(id=SHELF, tenant_id=TENANT, name="ours"),
        Shelf(id=OTHER_SHELF, tenant_id=OTHER_TENANT, name="theirs"),
    )
    insert(client, database, Thing(id=THING, shelf_id=SHELF, name="ours"))

    assert (
        cross_tenant_violations(
            client,
            app,
            owner=WRITER,
            stranger=OTHER,
            owned={"shelf_id": SHELF, "thing_id": THING},
            own={"shelf_id": OTHER_SHELF},
        )
        == []
    )


def test_each_way_to_another_tenant_is_noticed(
    faulty: TestClient, faulty_app: FastAPI, database: Database
) -> None:
    insert(
        faulty,
        database,
        Shelf(id=SHELF, tenant_id=TENANT, name="ours"),
        Shelf(id=OTHER_SHELF, tenant_id=OTHER_TENANT, name="theirs"),
    )
    insert(faulty, database, Thing(id=THING, shelf_id=SHELF, name="ours"))

    found = cross_tenant_violations(
        faulty,
        faulty_app,
        owner=WRITER,
        stranger=OTHER,
        owned={"shelf_id": SHELF, "thing_id": THING},
        own={"shelf_id": OTHER_SHELF},
    )

    for expected in (
        "GET /shelves/{shelf_id}: a foreign identifier gets 200, one of nothing 404",
        "PUT /shelves/{shelf_id}: a foreign identifier gets 200, one of nothing 404",
        "DELETE /shelves/{shelf_id}: the answer tells a foreign thing from none",
        "GET /shelves/{shelf_id}/things/{thing_id}: a foreign identifier gets 200, one of nothing 404",
        "GET /undocumented/{number}: name a thing of the owner's for number in `owned`",
        "GET /shelves/{shelf_id}: the owner sees something else than before the stranger called",
    ):
        assert [each for each in found if each.startswith(expected)], expected


def test_a_test_of_tenants_that_proves_nothing_says_so(
    client: TestClient, app: FastAPI, database: Database
) -> None:
    found = cross_tenant_violations(
        client,
        app,
        owner=WRITER,
        stranger=OTHER,
        owned={"shelf_id": uuid4(), "thing_id": uuid4()},
        requests={"PUT /api/v1/shelves/{shelf_id}": {"json": {}}},
    )

    assert "GET /api/v1/shelves/{shelf_id}: the owner gets 404, so that nothing was proved" in found
    assert [each for each in found if "does not validate" in each]


def test_a_list_with_a_constant_number_of_statements_passes(client: TestClient, database: Database) -> None:
    growth = statement_growth(
        database.engine,
        add_shelves(client, database),
        lambda: client.get("/api/v1/shelves", headers=READER),
    )

    assert growth == []


def test_a_list_that_asks_for_each_row_is_noticed(faulty: TestClient, database: Database) -> None:
    growth = statement_growth(database.engine, add_shelves(faulty, database), lambda: faulty.get("/shelves"))

    assert growth[0] == "1 rows: 2 statements, 20 rows: 21"
    assert growth[1].startswith("20 x SELECT testing_things.id")


def test_a_list_that_reads_nothing_proves_nothing(client: TestClient, database: Database) -> None:
    with pytest.raises(ValueError, match="no statement"):
        statement_growth(database.engine, lambda _: None, lambda: client.get("/health"))


@pytest.mark.anyio
async def test_statements_are_counted_while_they_are_asked_to_be(database: Database) -> None:
    async with database.sessions() as session:
        with statements(database.engine) as counted:
            await session.execute(select(func.count()).select_from(Shelf))
        await session.execute(select(func.count()).select_from(Shelf))

    assert counted.count == 1
    assert counted.repeated() == []
    await database.engine.dispose()


def test_a_contract_that_is_kept_passes(app: FastAPI) -> None:
    assert contract_violations(app, headers=WRITER) == []


def test_a_contract_that_is_broken_is_noticed(faulty_app: FastAPI) -> None:
    found = contract_violations(faulty_app, headers=WRITER, skip={"GET /broken"})

    assert [each for each in found if each.startswith("POST /fragile") and "Server error" in each]
    assert [each for each in found if each.startswith("GET /undocumented") and "Undocumented" in each]
    assert not [each for each in found if each.startswith("GET /broken")]


@pytest.mark.anyio
async def test_factories_make_valid_and_different_rows(database: Database) -> None:
    async with database.sessions() as session:
        shelves = await RowFactory(Shelf, tenant_id=TENANT).create(session, 3)
        things = await RowFactory(Thing, name="same").create(session, 2, shelf_id=shelves[0].id)

        assert [shelf.name for shelf in shelves] == ["name 1", "name 2", "name 3"]
        assert {thing.name for thing in things} == {"same"}
    await database.engine.dispose()


def test_a_factory_makes_up_no_foreign_key() -> None:
    with pytest.raises(LookupError, match=r"Thing\.shelf_id refers to another row"):
        RowFactory(Thing).build()


@pytest.mark.anyio
async def test_a_client_in_the_tests_own_loop_runs_the_lifespan() -> None:
    events = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("started")
        yield {"greeting": "hello"}
        events.append("stopped")

    app = FastAPI(lifespan=lifespan)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("no")

    async with asgi_client(app, headers={"X-Caller": "reader"}) as client:
        answers = await asyncio.gather(*(client.get("/openapi.json") for _ in range(3)))
        assert [answer.status_code for answer in answers] == [200] * 3
        assert (await client.get("/broken")).status_code == 500
        assert events == ["started"]

    assert events == ["started", "stopped"]


@pytest.mark.anyio
async def test_an_application_that_does_not_start_fails_the_test() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if app.title == "FastAPI":
            raise LookupError("no settings")
        yield

    client = asgi_client(FastAPI(lifespan=lifespan))
    with pytest.raises(RuntimeError, match="no settings"):
        await client.__aenter__()
