"""A request's template is that of the whole application, with every FastAPI that components serve."""

import pytest
from fastapi import APIRouter, FastAPI, Request, routing
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_architect.components.service import RouteTemplates


class Noting:
    """Notes the template of each request."""

    def __init__(self, app: ASGIApp, templates: RouteTemplates, found: list[str | None]) -> None:
        self.app = app
        self.templates = templates
        self.found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            self.found.append(self.templates.of(scope))


def noted(app: FastAPI, path: str) -> str | None:
    found: list[str | None] = []
    app.add_middleware(Noting, templates=RouteTemplates(app), found=found)
    TestClient(app).get(path)
    return found[0]


async def read(request: Request) -> str:
    return request.url.path


def test_prefixes_are_part_of_it() -> None:
    inner, outer, app = APIRouter(prefix="/books"), APIRouter(prefix="/api"), FastAPI()
    inner.get("/{book_id}")(read)
    outer.include_router(inner)
    app.include_router(outer, prefix="/v1")

    assert noted(app, "/v1/api/books/7") == "/v1/api/books/{book_id}"


def test_an_older_fastapi_holds_its_routes_flat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(routing, "iter_route_contexts")
    app = FastAPI()
    app.get("/v1/books/{book_id}")(read)

    assert noted(app, "/v1/books/7") == "/v1/books/{book_id}"


def test_no_route_has_no_template() -> None:
    assert noted(FastAPI(), "/nowhere") is None
