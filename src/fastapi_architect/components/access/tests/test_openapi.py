"""The document of the API says of every operation who may call it."""

from typing import Any

import pytest

from fastapi_architect.components.access.tests.example import create_app
from fastapi_architect.components.database import Database


@pytest.fixture
def document(database: Database) -> dict[str, Any]:
    return create_app(database).openapi()


def test_it_names_the_scheme_of_every_authenticator(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]

    assert schemes == {"name": {"type": "apiKey", "in": "header", "name": "X-Name"}}


@pytest.mark.parametrize(
    ("method", "path", "security"),
    [
        ("get", "/open", []),
        ("get", "/greeting", [{}, {"name": []}]),
        ("get", "/me", [{"name": []}]),
        ("get", "/api/v1/items/forgotten", [{"name": []}]),
        ("post", "/api/v1/items", [{"name": ["items:write"]}]),
    ],
)
def test_every_operation_says_who_may_call_it(
    document: dict[str, Any], method: str, path: str, security: list[object]
) -> None:
    assert document["paths"][path][method]["security"] == security


def test_the_refusals_are_documented(document: dict[str, Any]) -> None:
    assert {"401", "403"} <= set(document["paths"]["/api/v1/items"]["post"]["responses"])
    assert "401" not in document["paths"]["/open"]["get"]["responses"]


def test_it_is_the_same_each_time(database: Database) -> None:
    app = create_app(database)

    assert app.openapi() == app.openapi()
