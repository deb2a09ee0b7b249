"""Every refusal has one shape, and none of them tells what it should not."""

import ast
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Query, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from starlette.middleware.cors import CORSMiddleware
from starlette.testclient import WebSocketDenialResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from fastapi_architect.components import problem_details
from fastapi_architect.components.problem_details import (
    Conflict,
    InvalidField,
    NotAuthenticated,
    ProblemDetails,
    ProblemsOfComponents,
    TooManyRequests,
    Unavailable,
    component,
)
from fastapi_architect.components.problem_details.tests.example import create_app, router
from fastapi_architect.components.service import Component, install

ORDER = {"title": "Rare", "password": "correct horse battery", "payment": {"kind": "voucher", "code": "x"}}
PROBLEM = "application/problem+json"


def client_of(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def app() -> FastAPI:
    return create_app()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return client_of(app)


def failing(error: Exception) -> TestClient:
    app = FastAPI()

    @app.get("/fail")
    async def fail() -> None:
        raise error

    install(app, [ProblemDetails()])
    return client_of(app)


def test_a_refusal_is_a_problem_with_its_own_type_and_members(client: TestClient) -> None:
    answer = client.post("/api/v1/orders", json=ORDER, headers={"X-Request-ID": "a-request-of-mine"})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == PROBLEM
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "https://shop.example/problems/sold-out",
        "title": "Sold out",
        "status": 409,
        "detail": "The last copy is sold.",
        "request_id": "a-request-of-mine",
        "available": 0,
    }


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/api/v1/orders", 405)]
)
def test_what_the_framework_refuses_is_a_problem(
    client: TestClient, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (TooManyRequests("Slower.", retry_after=2.4), 429, ("retry-after", "2")),
        (Unavailable("Later.", retry_after=0.1), 503, ("retry-after", "1")),
        (NotAuthenticated(), 401, ("www-authenticate", "Bearer")),
        (HTTPException(418, "Tea."), 418, ("content-type", PROBLEM)),
        (HTTPException(499, "Odd."), 499, ("content-type", PROBLEM)),
    ],
)
def test_headers_of_a_refusal_are_sent(error: Exception, status: int, header: tuple[str, str]) -> None:
    answer = failing(error).get("/fail")

    assert answer.status_code == status
    assert answer.headers[header[0]] == header[1]


def test_a_detail_made_for_programs_is_a_member_and_no_text() -> None:
    answer = failing(HTTPException(400, {"code": "no_stock", "left": 0})).get("/fail")

    assert answer.json()["data"] == {"code": "no_stock", "left": 0}
    assert answer.json()["detail"] == "Bad Request"


def test_a_status_without_a_body_has_none() -> None:
    answer = failing(HTTPException(304)).get("/fail")

    assert (answer.status_code, answer.content) == (304, b"")


def test_a_refused_value_is_not_repeated(client: TestClient) -> None:
    answer = client.post("/api/v1/orders", json=ORDER | {"password": "hunter2"})

    assert answer.status_code == 422
    assert answer.json()["invalid_fields"] == [
        {"location": "body.password", "reason": "String should have at least 12 characters"}
    ]
    assert "hunter2" not in answer.text


def test_an_unknown_tag_is_not_repeated(client: TestClient) -> None:
    answer = client.post("/api/v1/orders", json=ORDER | {"payment": {"kind": "my-card-number-4111"}})

    assert answer.status_code == 422
    assert "4111" not in answer.text


def test_half_a_character_in_a_name_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/api/v1/orders", content=b'{"\\ud800": 1}', headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM


def test_half_a_character_in_a_value_is_refused(client: TestClient) -> None:
    body = b'{"title": "\\ud800", "password": "correct horse battery", "payment": {"kind": "voucher", "code": "x"}}'
    answer = client.post("/api/v1/orders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


def test_half_a_character_in_a_refusal_does_not_make_it_an_error_of_ours() -> None:
    answer = failing(Conflict("No \ud800.", extensions={"title": "\ud800"})).get("/fail")

    assert (answer.status_code, answer.json()["detail"], answer.json()["title"]) == (409, "No ?.", "Conflict")


def test_an_extension_cannot_take_the_place_of_a_member() -> None:
    answer = failing(Conflict("True.", extensions={"status": 200, "request_id": "forged"})).get("/fail")

    assert answer.json()["status"] == 409
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_text_that_cannot_be_encoded_is_the_callers_mistake() -> None:
    with pytest.raises(UnicodeEncodeError) as half:
        "\ud800".encode()

    assert failing(half.value).get("/fail").status_code == 422
    assert (
        failing(UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range")).get("/fail").status_code
        == 500
    )


def test_a_body_with_thousands_of_mistakes_gets_a_short_answer(client: TestClient) -> None:
    answer = client.post("/api/v1/orders", json=ORDER | {"copies": ["no number"] * 50_000, "x" * 50_000: 1})

    assert answer.status_code == 422
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"title": NaN}', b"\xff\xfe", b"null"])
def test_a_body_that_cannot_be_read_is_a_problem(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/v1/orders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == PROBLEM


def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    client = failing(RuntimeError("password=hunter2 at /srv/app/secret.py"))

    with caplog.at_level(logging.ERROR):
        answer = client.get("/fail")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert "hunter2" not in answer.text
    assert "secret.py" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_what_an_operation_must_not_return_is_in_neither(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()

    @app.get("/account", response_model=InvalidField)
    async def account() -> dict[str, str]:
        return {"location": "x", "password_hash": "hunter2"}

    install(app, [ProblemDetails()])
    with caplog.at_level(logging.ERROR):
        answer = client_of(app).get("/account")

    (record,) = caplog.records
    assert answer.status_code == 500
    assert vars(record)["fields"] == ["response.reason: Field required"]
    assert "hunter2" not in answer.text + caplog.text


class _Refusing:
    def __init__(self, app: ASGIApp, error: Exception) -> None:
        self.app = app
        self.error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise self.error
        await self.app(scope, receive, send)


class _Refuser(Component):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def install(self, app: FastAPI) -> None:
        app.add_middleware(_Refusing, error=self.error)


@pytest.mark.parametrize(
    ("error", "status"),
    [(TooManyRequests("Slower.", retry_after=9), 429), (HTTPException(413), 413), (KeyError("x"), 500)],
)
def test_what_middleware_raises_is_a_problem(error: Exception, status: int) -> None:
    answer = client_of(create_app(_Refuser(error))).get("/api/v1/orders/1")

    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM


def test_what_nobody_foresaw_can_be_read_by_a_browser() -> None:
    app = FastAPI()

    @app.get("/fail")
    async def fail() -> None:
        raise RuntimeError("unforeseen")

    class Cors(Component):
        def install(self, app: FastAPI) -> None:
            app.add_middleware(CORSMiddleware, allow_origins=["https://shop.example"])

    install(app, [Cors(), ProblemDetails()])
    answer = client_of(app).get("/fail", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_an_answer_that_has_begun_is_cut_and_not_mended() -> None:
    app = FastAPI()

    async def halves() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("unforeseen")

    @app.get("/halves")
    async def stream() -> StreamingResponse:
        return StreamingResponse(halves())

    install(app, [ProblemDetails()])

    with pytest.raises(RuntimeError, match="unforeseen"):
        TestClient(app).get("/halves")


def _with_websocket() -> FastAPI:
    app = FastAPI()

    @app.websocket("/before")
    async def before(websocket: WebSocket) -> None:
        raise Conflict("Not now.")

    @app.websocket("/after")
    async def after(websocket: WebSocket) -> None:
        await websocket.accept()
        raise Unavailable("Not now.", retry_after=1)

    @app.websocket("/invalid")
    async def invalid(websocket: WebSocket, number: int = Query()) -> None:
        await websocket.accept()

    install(app, [ProblemDetails()])
    return app


@pytest.mark.parametrize(("path", "status"), [("/before", 409), ("/invalid?number=hunter2", 422)])
def test_a_websocket_that_is_refused_gets_a_problem(path: str, status: int) -> None:
    client = client_of(_with_websocket())

    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(path):
        pass

    assert refused.value.status_code == status
    assert refused.value.headers["content-type"] == PROBLEM
    assert "hunter2" not in refused.value.text


def test_an_open_websocket_is_closed_with_a_reason() -> None:
    client = client_of(_with_websocket())

    with client.websocket_connect("/after") as websocket, pytest.raises(WebSocketDisconnect) as closed:
        websocket.receive_text()

    assert (closed.value.code, closed.value.reason) == (1013, "Service Unavailable")


def _errors(operation: dict[str, Any]) -> dict[str, set[str]]:
    return {
        status: set(response.get("content", {}))
        for status, response in operation["responses"].items()
        if status != "200"
    }


def test_every_operation_documents_its_errors_with_the_media_type_that_is_sent(app: FastAPI) -> None:
    document = app.openapi()
    post = document["paths"]["/api/v1/orders"]["post"]
    get = document["paths"]["/api/v1/orders/{order_id}"]["get"]

    assert _errors(post) == {"409": {PROBLEM}, "422": {PROBLEM}, "default": {PROBLEM}}
    assert _errors(get) == {"404": {PROBLEM}, "422": {PROBLEM}, "default": {PROBLEM}}
    assert post["responses"]["409"]["description"] == "All copies are sold."
    assert {"Problem", "InvalidField"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_routes_that_come_later_are_documented_too(app: FastAPI) -> None:
    app.openapi()

    @app.get("/later/{number}")
    async def later(number: int) -> None:
        """Come later."""

    document = app.openapi()

    assert _errors(document["paths"]["/later/{number}"]["get"])["422"] == {PROBLEM}
    assert app.openapi() is document


def test_a_library_can_be_given_a_refusal_of_its_own() -> None:
    app = FastAPI()

    @app.get("/fail")
    async def fail() -> None:
        raise ZeroDivisionError

    install(app, [ProblemDetails({ZeroDivisionError: lambda *_: Conflict("Not by zero.")})])

    assert client_of(app).get("/fail").json()["detail"] == "Not by zero."


def test_the_lifespan_of_the_application_is_not_ours_to_answer() -> None:
    @asynccontextmanager
    async def broken(app: FastAPI) -> AsyncIterator[None]:
        if app.title:
            raise RuntimeError("cannot start")
        yield

    app = FastAPI(lifespan=broken)
    install(app, [ProblemDetails()])

    with pytest.raises(RuntimeError, match="cannot start"), TestClient(app):
        pass


def test_it_knows_nothing_of_the_database_component() -> None:
    folder = Path(problem_details.__file__).parent
    trees = [ast.parse(file.read_text()) for file in folder.glob("*.py")]
    imported = {node.module for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not [name for name in imported if name and name.split(".")[0] == "database"]


def test_it_works_without_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component, "find_spec", {}.get)

    assert client_of(create_app()).get("/api/v1/orders/1").status_code == 404


def _of_another_making(*routers: APIRouter) -> FastAPI:
    app = FastAPI()

    @app.get("/theirs/{number}")
    async def theirs(number: int) -> None:
        raise HTTPException(404, "As they say it")

    @app.get("/fails")
    async def fails() -> None:
        raise ZeroDivisionError

    for each in routers:
        app.include_router(each, prefix="/api/v1")
    install(app, [ProblemsOfComponents(), _Refuser(TooManyRequests("Slower.", retry_after=9))])
    return app


def test_an_application_of_another_making_keeps_its_own_answers() -> None:
    app = _of_another_making()
    app.user_middleware = [each for each in app.user_middleware if each.kwargs.get("error") is None]
    client = TestClient(app)

    assert client.get("/theirs/1").json() == {"detail": "As they say it"}
    assert "detail" in client.get("/theirs/x").json()
    with pytest.raises(ZeroDivisionError):
        client.get("/fails")
    assert "Problem" not in app.openapi()["components"]["schemas"]
    assert "default" not in app.openapi()["paths"]["/theirs/{number}"]["get"]["responses"]


def test_there_too_a_component_refuses_with_a_problem_that_is_documented() -> None:
    app = _of_another_making(router)

    answer = TestClient(app).get("/theirs/1")

    assert (answer.status_code, answer.headers["content-type"]) == (429, PROBLEM)
    assert "Problem" in app.openapi()["components"]["schemas"]
