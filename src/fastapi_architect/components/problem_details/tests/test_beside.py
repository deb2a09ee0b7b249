"""In an application that has its own answers, only what components refuse is answered."""

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from fastapi_architect.components.problem_details import ProblemsOfComponents, TooManyRequests
from fastapi_architect.components.service import install


class RefusingMiddleware:
    """Refuses some paths, as a limiter does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/limited":
            raise TooManyRequests("Too fast.", retry_after=3)
        await self.app(scope, receive, send)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.add_middleware(RefusingMiddleware)

    @app.get("/theirs")
    async def theirs() -> None:
        raise HTTPException(409, {"code": "taken"})

    @app.get("/ours")
    async def ours() -> None:
        raise TooManyRequests("Too fast.", retry_after=3)

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError

    @app.get("/number")
    async def number(value: int) -> int:
        return value

    install(app, [ProblemsOfComponents()])
    return TestClient(app, raise_server_exceptions=False)


def test_its_own_answers_stay(client: TestClient) -> None:
    assert client.get("/theirs").json() == {"detail": {"code": "taken"}}
    assert client.get("/number?value=x").json()["detail"][0]["type"] == "int_parsing"
    assert client.get("/broken").text == "Internal Server Error"
    assert client.get("/nowhere").json() == {"detail": "Not Found"}


@pytest.mark.parametrize("path", ["/ours", "/limited"])
def test_refusals_of_components_are_answered(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["content-type"] == "application/problem+json"
