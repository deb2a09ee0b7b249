"""The API says what it takes and gives, with an example for everything, and keeps to it whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from tests.secapi.conftest import People

from fastapi_architect.components.testing.contract import contract_violations
from fastapi_architect.components.testing.operations import operations_of

#: Bytes: an example would be no help to anybody.
BYTES = {"binary"}


def operations(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and contract of every operation."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(operation: dict[str, Any], *, errors: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Media types that an operation takes (if it takes any) and answers."""
    sent = operation.get("requestBody", {}).get("content", {})
    if not errors:
        yield from sent.items()
    for status, answer in operation["responses"].items():
        if status.startswith(("4", "5", "d")) == errors:
            yield from answer.get("content", {}).items()


def resolved(app: FastAPI, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = app.openapi()["components"]["schemas"][name]
    return schema


def examples(app: FastAPI, content: dict[str, Any]) -> list[Any]:
    """Examples of a body: its own, its schema's, or for a list and a page those of what is listed."""
    if "example" in content or "examples" in content:
        return [content.get("example", content.get("examples"))]
    schema = resolved(app, content.get("schema", {}))
    if schema.get("examples"):
        return list(schema["examples"])
    items = schema.get("items") or schema.get("properties", {}).get("items", {}).get("items")
    return examples(app, {"schema": items}) if items else []


def nullable(schema: dict[str, Any]) -> list[str]:
    """Names of the required properties that may be null."""
    return [
        name
        for name in schema.get("required", ())
        if {"type": "null"} in schema["properties"][name].get("anyOf", ())
    ]


def test_every_operation_has_an_example_of_what_it_takes_and_gives(app: FastAPI) -> None:
    missing = [
        name
        for name, operation in operations(app)
        for _, content in bodies(operation, errors=False)
        if resolved(app, content.get("schema", {})).get("format") not in BYTES
        and "multipart" not in str(_)
        and not examples(app, content)
    ]

    assert missing == []


def test_every_example_is_one(app: FastAPI) -> None:
    contract = app.openapi()
    wrong = []
    for name, schema in contract["components"]["schemas"].items():
        for example in schema.get("examples", []):
            whole = {"$ref": f"#/components/schemas/{name}", "components": contract["components"]}
            # FastAPI leaves every null out of the document, also out of examples.
            given = {**dict.fromkeys(nullable(schema)), **example}
            validator = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
            wrong += [f"{name}: {error.message}" for error in validator.iter_errors(given)]

    assert wrong == []


def test_every_operation_says_who_may_call_it_and_what_can_go_wrong(app: FastAPI) -> None:
    contract = app.openapi()
    assert contract["openapi"].startswith("3.1")
    known = set(contract["components"]["securitySchemes"])
    public = {str(each) for each in operations_of(app) if each.public}
    faults = []
    for name, operation in operations(app):
        asked = {scheme for way in operation.get("security", []) for scheme in way}
        if not asked <= known or bool(asked) == (name in public):
            faults.append(f"{name}: asks for {asked or 'nobody'}")
        if not operation.get("summary") or not operation.get("description") or not operation.get("tags"):
            faults.append(f"{name}: has no summary, description or tag")
        for kind, content in bodies(operation, errors=True):
            described = resolved(app, content.get("schema", {})).get("properties", {})
            if kind != "application/problem+json" or not {"title", "status", "detail"} <= set(described):
                faults.append(f"{name}: an error is no problem details: {kind}")
            if not examples(app, content):
                faults.append(f"{name}: an error has no example")

    assert faults == []


def test_no_request_makes_the_service_fail_or_break_its_contract(app: FastAPI, people: People) -> None:
    admin = people.member(people.organisation(), "admin")

    assert contract_violations(app, headers=admin, examples=1) == []


@pytest.mark.matrix
@pytest.mark.parametrize("role", ["viewer", "developer", "maintainer", "admin", "owner", None])
def test_nobody_makes_the_service_fail_with_many_requests(
    role: str | None, app: FastAPI, people: People
) -> None:
    headers = {} if role is None else people.member(people.organisation(), role)

    assert contract_violations(app, headers=headers, examples=25) == []
