"""Nobody gets in who was not let in."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event
from starlette.testclient import WebSocketDenialResponse

from fastapi_architect.components.access import Access, CurrentPrincipal, allowed, deny_by_default, public
from fastapi_architect.components.access.tests.example import IDENTIFIERS, ROLES, Names, create_app
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import NotFound, ProblemDetails
from fastapi_architect.components.service import Principal, install

READER = {"X-Name": "reader"}


@pytest.fixture
def client(database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(database)) as client:
        yield client


@pytest.mark.parametrize("path", ["/api/v1/items/forgotten", "/me"])
def test_a_route_that_nobody_guarded_refuses_strangers(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_public_route_lets_strangers_in(client: TestClient) -> None:
    assert client.get("/open").json() == "hello"


def test_a_route_may_look_who_is_asking(client: TestClient) -> None:
    assert client.get("/greeting").json() == "stranger"
    assert client.get("/greeting", headers=READER).json() == str(IDENTIFIERS["reader"])


def test_the_caller_is_who_the_authenticator_says(client: TestClient) -> None:
    assert client.get("/me", headers=READER).json() == str(IDENTIFIERS["reader"])


@pytest.mark.parametrize(("name", "status"), [("reader", 403), ("writer", 200)])
def test_a_permission_that_was_not_granted_is_refused(client: TestClient, name: str, status: int) -> None:
    assert client.post("/api/v1/items", headers={"X-Name": name}).status_code == status


def test_a_role_that_nobody_defined_may_do_nothing() -> None:
    assert Access(ROLES).permissions_of_roles(["no such role"]) == frozenset()


def test_a_websocket_refuses_strangers(client: TestClient) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/news"):
        pass

    assert refused.value.status_code == 401


def test_a_websocket_lets_whoever_is_known_in(client: TestClient) -> None:
    with client.websocket_connect("/news", headers=READER) as socket:
        assert socket.receive_text() == "news"


def test_public_routes_send_no_statement(client: TestClient, database: Database) -> None:
    statements: list[str] = []
    event.listen(
        database.engine.sync_engine, "before_cursor_execute", lambda *seen: statements.append(seen[2])
    )

    client.get("/open")

    assert statements == []


def test_a_policy_answers_the_same_for_the_missing_and_for_what_is_somebody_elses() -> None:
    me, somebody = Principal(IDENTIFIERS["reader"]), Principal(IDENTIFIERS["writer"])
    order = {"buyer": somebody.id}

    def owns(principal: Principal, order: dict[str, UUID]) -> bool:
        return order["buyer"] == principal.id

    assert allowed(owns, somebody, order) is order
    with pytest.raises(NotFound) as of_somebody_else:
        allowed(owns, me, order)
    with pytest.raises(NotFound) as missing:
        allowed(owns, me, None)
    assert of_somebody_else.value.detail == missing.value.detail


def test_the_guard_of_one_router_suffices_in_an_application_with_others(database: Database) -> None:
    mine, theirs = APIRouter(dependencies=[Depends(deny_by_default)]), APIRouter(prefix="/old")

    @mine.get("/mine")
    async def read_mine() -> str:
        return "mine"

    @theirs.get("/theirs")
    async def read_theirs() -> str:
        return "theirs"

    app = FastAPI()
    app.include_router(mine, prefix="/new")
    app.include_router(theirs)
    access = Access(ROLES, unguarded=["/old/*"])
    install(app, [ProblemDetails(), database, access, Names(access)])

    with TestClient(app) as client:
        assert client.get("/new/mine").status_code == 401
        assert client.get("/new/mine", headers=READER).status_code == 200
        assert client.get("/old/theirs").status_code == 200


def test_the_mark_does_not_open_what_asks_for_the_caller(database: Database) -> None:
    app = create_app(database)

    @app.post("/both")
    @public
    async def both(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    with TestClient(app) as client:
        assert client.post("/both").status_code == 401
    assert app.openapi()["paths"]["/both"]["post"]["security"] == [{"name": []}]
