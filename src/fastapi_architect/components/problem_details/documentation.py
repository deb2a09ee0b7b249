"""Errors in the OpenAPI document: each operation names what it may refuse, with the media type that is sent."""

import inspect
from typing import Any

from ..service import operations_of
from .errors import ServiceError
from .problem import MEDIA_TYPE, Problem, phrase

_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def problems(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of an operation or a router that may refuse with these errors.

    Their docstrings become the descriptions. `@router.get("/{book_id}", responses=problems(NotFound))`
    """
    return {
        int(error.status): problem_response(int(error.status), inspect.getdoc(error) or "")
        for error in errors
    }


def document_problems(document: dict[str, Any]) -> None:
    """Give every operation of the document its errors; a function for `amend_openapi`."""
    schemas = _define(document)
    for operation in operations_of(document):
        responses = operation.setdefault("responses", {})
        if "422" in responses and "application/json" in responses["422"].get("content", {}):
            # What FastAPI writes for its own handler, which is not the one that answers.
            responses["422"] = problem_response(
                422, "The input does not validate; `invalid_fields` says where."
            )
        responses.setdefault("default", problem_response(500, "Any other refusal."))
    for name in _FRAMEWORK:
        schemas.pop(name, None)


def define_problem(document: dict[str, Any]) -> None:
    """Define the schema that `problems` names, where an operation does; a function for `amend_openapi`."""
    if any(_names_problem(operation) for operation in operations_of(document)):
        _define(document)


def _names_problem(operation: dict[str, Any]) -> bool:
    contents = (response.get("content", {}) for response in operation.get("responses", {}).values())
    return any(content.get(MEDIA_TYPE, {}).get("schema") == _SCHEMA for content in contents)


def _define(document: dict[str, Any]) -> dict[str, Any]:
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schemas.update(schema.pop("$defs", {}))
    schemas["Problem"] = schema
    return schemas


def problem_response(status: int, description: str) -> dict[str, Any]:
    """Return what the OpenAPI document says of one refusal, with an example.

    Whoever adds it to operations by `amend_openapi` calls `define_problem` behind that.

    Args:
        status: of HTTP.
        description: its first paragraph stands in the document.
    """
    first_paragraph = description.partition("\n\n")[0].replace("\n", " ")
    example = {
        "type": "about:blank",
        "title": phrase(status),
        "status": status,
        "detail": first_paragraph,
        "request_id": "0d3c5f6e-0b1d-4b62-9d7a-4a4f4c6f8f5e",
    }
    return {
        "description": first_paragraph,
        "content": {MEDIA_TYPE: {"schema": dict(_SCHEMA), "example": example}},
    }
