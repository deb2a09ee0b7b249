"""The document of the API says of every operation what it is for, who may call it and what it refuses."""

from typing import Any

import pytest

from fastapi_architect.components.accounts.tests.asking import ACCOUNTS, AUTH, ME
from fastapi_architect.components.accounts.tests.example import Service

OPEN = {
    f"{AUTH}/{name}"
    for name in (
        "register",
        "register/confirm",
        "login",
        "refresh",
        "forgot-password",
        "reset-password",
        "confirm-email",
    )
}


@pytest.fixture
def operations(service: Service) -> dict[tuple[str, str], dict[str, Any]]:
    document = service.app.openapi()
    return {
        (path, method): operation
        for path, methods in document["paths"].items()
        if path.startswith((AUTH, ME, ACCOUNTS))
        for method, operation in methods.items()
    }


def test_every_operation_is_described(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert len(operations) == 18
    for operation in operations.values():
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["responses"]) - {"200", "201", "202", "204"}


def test_what_is_open_is_this_and_nothing_else(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert {path for (path, _), operation in operations.items() if operation["security"] == []} == OPEN


def test_what_administrators_need_is_named(operations: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert operations[ACCOUNTS, "get"]["security"] == [{"access_token": ["accounts:read"]}]
    assert operations[f"{ACCOUNTS}/{{account_id}}", "patch"]["security"] == [
        {"access_token": ["accounts:manage"]}
    ]


def test_every_body_has_an_example(service: Service) -> None:
    schemas = service.app.openapi()["components"]["schemas"]
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for methods in service.app.openapi()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    ]

    assert len(bodies) == 11
    assert [name for name in bodies if not schemas[name].get("examples")] == []
