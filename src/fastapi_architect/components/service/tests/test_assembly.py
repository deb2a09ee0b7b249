"""Components open, close and wrap in the order in which they are listed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_architect.components.service import (
    Component,
    RouteTemplates,
    amend_openapi,
    begin_draining,
    components_of,
    current_request_id,
    install,
    installed,
    is_draining,
)
from fastapi_architect.components.service.tests.example import Greeting, GreetingSettings, create_app


class Noting(Component):
    """Writes down what happens to it."""

    def __init__(self, name: str, notes: list[str], *, broken: bool = False) -> None:
        self.name = name
        self.notes = notes
        self.broken = broken

    def install(self, app: FastAPI) -> None:
        app.add_middleware(_Passing, name=self.name, notes=self.notes)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        if self.broken:
            raise RuntimeError("cannot start")
        self.notes.append(f"{self.name} opens")
        yield
        self.notes.append(f"{self.name} closes")


class Another(Noting):
    """One of another class."""


class _Passing:
    def __init__(self, app: ASGIApp, name: str, notes: list[str]) -> None:
        self.app = app
        self.name = name
        self.notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.notes.append(f"{self.name} passes")
        await self.app(scope, receive, send)


def own_lifespan(notes: list[str]) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        notes.append("application opens")
        yield {"mine": "kept"}
        notes.append("application closes")

    return lifespan


def test_the_first_is_opened_first_closed_last_and_outermost() -> None:
    notes: list[str] = []
    app = FastAPI(lifespan=own_lifespan(notes))
    install(app, [Noting("first", notes), Another("second", notes)])

    with TestClient(app) as client:
        client.get("/")

    assert notes == [
        "application opens",
        "first opens",
        "second opens",
        "first passes",
        "second passes",
        "second closes",
        "first closes",
        "application closes",
    ]


def test_the_state_of_the_applications_lifespan_is_kept() -> None:
    app = FastAPI(lifespan=own_lifespan([]))

    @app.get("/")
    async def read(request: Request) -> str:
        return str(request.state.mine)

    install(app, [Noting("first", [])])

    with TestClient(app) as client:
        assert client.get("/").json() == "kept"


def test_one_that_cannot_start_closes_those_before_it() -> None:
    notes: list[str] = []
    app = FastAPI(lifespan=own_lifespan(notes))
    install(app, [Noting("first", notes), Another("second", notes, broken=True)])

    with pytest.raises(RuntimeError, match="cannot start"), TestClient(app):
        pass

    # A lifespan without `finally` is left at its yield, as Starlette leaves it.
    assert notes[:2] == ["application opens", "first opens"]


def test_two_installs_make_one_service() -> None:
    notes: list[str] = []
    app = FastAPI(lifespan=own_lifespan(notes))
    install(app, [Noting("first", notes)])
    install(app, [Another("second", notes)])

    with TestClient(app) as client:
        answer = client.get("/", headers={"X-Request-ID": "only-one-of-them"})

    assert [type(component) for component in components_of(app)] == [Noting, Another]
    assert [note for note in notes if "opens" in note] == ["application opens", "first opens", "second opens"]
    assert answer.headers.get_list("x-request-id") == ["only-one-of-them"]


@pytest.mark.parametrize("separately", [True, False])
def test_a_component_twice_is_refused(separately: bool) -> None:
    app = FastAPI()
    if separately:
        install(app, [Noting("first", [])])

    with pytest.raises(ValueError, match="Noting is installed twice"):
        install(app, [Noting("again", [])] if separately else [Noting("first", []), Noting("again", [])])


def test_a_component_is_found_by_its_class_or_a_base() -> None:
    app = FastAPI()
    component = Another("x", [])
    install(app, [component])

    assert installed(app, Another) is component
    assert installed(app, Noting) is component
    with pytest.raises(LookupError, match="Greeting is not installed"):
        installed(app, Greeting)


def test_it_is_too_late_once_a_request_was_served() -> None:
    app = FastAPI()
    TestClient(app).get("/")

    with pytest.raises(RuntimeError, match="started"):
        install(app, [Noting("late", [])])


def test_the_example_greets_while_it_is_open() -> None:
    app = create_app(GreetingSettings())

    with TestClient(app) as client:
        answer = client.get("/api/greetings/Ada", headers={"X-Request-ID": "request-of-ada"})
        assert installed(app, Greeting).is_open

    assert answer.json() == "hello Ada request-of-ada"
    assert not installed(app, Greeting).is_open


@pytest.mark.parametrize(
    "offered", ["", "short", "x" * 129, "forged\tline-of-log", "{}{}{}{}{}", "a b c d e f g", "ünïcödé-name"]
)
def test_an_identifier_that_could_forge_a_log_line_is_replaced(offered: str) -> None:
    client = TestClient(create_app(GreetingSettings()))

    answer = client.get("/api/greetings/Ada", headers=[(b"X-Request-ID", offered.encode())])

    assert answer.headers["x-request-id"] != offered
    assert len(answer.headers["x-request-id"]) == 36


def test_identifiers_of_two_requests_differ_and_nothing_stays_behind() -> None:
    client = TestClient(create_app(GreetingSettings()))

    first, second = (client.get("/api/greetings/Ada").headers["x-request-id"] for _ in range(2))

    assert first != second
    assert current_request_id() == "-"


def test_a_websocket_has_an_identifier() -> None:
    app = FastAPI()

    @app.websocket("/")
    async def tell(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(current_request_id())
        await websocket.close()

    install(app, [])

    with TestClient(app).websocket_connect("/", headers={"X-Request-ID": "my-own-websocket"}) as websocket:
        assert websocket.receive_text() == "my-own-websocket"


def test_draining_is_noted() -> None:
    app = FastAPI()
    before = is_draining(app)
    begin_draining(app)

    assert (before, is_draining(app)) == (False, True)


def test_several_may_amend_the_document() -> None:
    app = create_app(GreetingSettings())
    amend_openapi(app, lambda document: document["info"].update(first=1))
    amend_openapi(app, lambda document: document["info"].update(second=document["info"]["first"] + 1))

    assert app.openapi()["info"]["second"] == 2


class _Remembering:
    """Notes the template of each request, as metrics and logs do."""

    def __init__(self, app: ASGIApp, templates: RouteTemplates, found: list[str | None]) -> None:
        self.app = app
        self.templates = templates
        self.found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            self.found.append(self.templates.of(scope))


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/api/v1/books/7", "/api/v1/books/{book_id}"),
        ("/api/v2/books/7", "/api/v2/books/{book_id}"),
        ("/plain", "/plain"),
        ("/sub/3/books/7", "/sub/{tenant}/{path}"),
        ("/nowhere/7", None),
        ("/files/a/b/c", "/files/{name:path}"),
    ],
)
@pytest.mark.parametrize("root_path", ["", "/behind/a/proxy"])
def test_the_template_of_a_route_is_the_whole_one(path: str, template: str | None, root_path: str) -> None:
    books = APIRouter(prefix="/books")
    below = APIRouter()
    app, sub, found = FastAPI(), FastAPI(), list[str | None]()

    @books.get("/{book_id}")
    @sub.get("/books/{book_id}")
    async def read(book_id: int) -> int:
        return book_id

    @app.get("/plain")
    async def plain() -> None:
        """Answer."""

    @app.get("/files/{name:path}")
    async def files(name: str) -> None:
        """Answer."""

    below.include_router(books)
    app.include_router(below, prefix="/api/v1")
    app.include_router(books, prefix="/api/v2")
    app.mount("/sub/{tenant}", sub)
    app.add_middleware(_Remembering, templates=RouteTemplates(app), found=found)

    TestClient(app, root_path=root_path).get(root_path + path)

    assert found == [template]
