"""The service does not start when strangers could call what nobody opened to them."""

import re
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from fastapi_architect.components.access import Access, deny_by_default, public, routes_of
from fastapi_architect.components.access.tests.example import ROLES, create_app
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import install


async def plain(request: Request) -> PlainTextResponse:
    """Answer without any dependency: Starlette knows none."""
    return PlainTextResponse("plain")


async def endless(websocket: WebSocket) -> None:
    """Answer a WebSocket without any dependency."""
    await websocket.accept()


def start(app: FastAPI) -> None:
    with TestClient(app):
        pass


def test_a_guarded_application_starts(database: Database) -> None:
    start(create_app(database))


@pytest.mark.parametrize(
    "path", ["/plain", "/api/v1/plain", "/socket", "/mounted/inner", "/sub/inner", "/files"]
)
def test_it_does_not_start_with_a_route_that_escaped(database: Database, path: str) -> None:
    app = create_app(database)
    match path:
        case "/plain":
            app.router.add_route(path, plain)
        case "/api/v1/plain":
            router = APIRouter()
            router.add_route("/plain", plain)
            app.include_router(router, prefix="/api/v1")
        case "/socket":
            app.router.add_websocket_route(path, endless)
        case "/mounted/inner":
            app.router.mount("/mounted", app=APIRouter(routes=[Route("/inner", plain)]))
        case "/sub/inner":
            inner = FastAPI(openapi_url=None)
            inner.add_api_route("/inner", lambda: "inner")
            app.mount("/sub", inner)
        case _:
            app.mount("/files", StaticFiles(directory=Path(__file__).parent))

    with pytest.raises(RuntimeError, match=re.escape(path)):
        start(app)


def test_it_does_not_start_without_any_guard(database: Database) -> None:
    app = FastAPI()
    app.add_api_route("/open", lambda: "open")
    install(app, [ProblemDetails(), database, Access(ROLES)])

    with pytest.raises(RuntimeError, match="GET /open"):
        start(app)


def test_pages_of_a_frontend_are_behind_the_guard_or_named(database: Database, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("hello")
    app = create_app(database)
    app.frontend("/", directory=tmp_path)
    with TestClient(app) as client:
        assert client.get("/index.html").status_code == 401

    unguarded = FastAPI()
    unguarded.frontend("/pages", directory=tmp_path)
    install(unguarded, [ProblemDetails(), database, Access(ROLES)])
    with pytest.raises(RuntimeError):
        start(unguarded)


def test_an_exception_that_is_written_down_starts(database: Database) -> None:
    app = create_app(database, Access(ROLES, unguarded=["/plain", "/files/*"]))
    app.router.add_route("/plain", plain)
    app.mount("/files", StaticFiles(directory=Path(__file__).parent))

    start(app)


def test_an_exception_covers_a_whole_folder_and_not_its_namesakes(database: Database) -> None:
    app = create_app(database, Access(ROLES, unguarded=["/files/*"]))
    app.router.add_route("/files-of-others", plain)

    with pytest.raises(RuntimeError, match="/files-of-others"):
        start(app)


def test_a_guard_of_the_users_own_counts(database: Database) -> None:
    def get_current_user() -> None:
        """Refuse, as far as this test goes."""

    app = FastAPI()
    app.add_api_route("/mine", lambda: "mine", dependencies=[Depends(get_current_user)])
    install(app, [ProblemDetails(), database, Access(ROLES, guards=[get_current_user])])

    start(app)


def test_an_application_mounted_with_its_own_guard_starts(database: Database) -> None:
    inner = FastAPI(dependencies=[Depends(deny_by_default)], openapi_url=None)
    inner.add_api_route("/inner", lambda: "inner")
    app = create_app(database)
    app.mount("/sub", inner)

    start(app)


def test_the_list_of_routes_names_every_way_in(database: Database) -> None:
    app = create_app(database)
    app.router.add_route("/health", public(plain))

    routes = {route.path: route for route in routes_of(app) if not route.path.startswith(("/docs", "/redoc"))}

    assert {path for path, route in routes.items() if route.public} == {"/open", "/greeting", "/health"}
    assert {path for path, route in routes.items() if route.authenticated} == {
        "/me",
        "/news",
        "/api/v1/items",
        "/api/v1/items/forgotten",
    }
    assert routes["/api/v1/items"].permissions == {"items:write"}
    assert routes["/news"].methods == {"WEBSOCKET"}
