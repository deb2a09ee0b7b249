"""Lets components complete the OpenAPI document of the application."""

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI

Document = dict[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})


def amend_openapi(app: FastAPI, amend: Callable[[Document], None]) -> None:
    """Call a function with each newly generated OpenAPI document; it changes it in place.

    FastAPI generates the document when somebody asks for it, and again after a route was added.
    """
    generate = app.openapi
    amended: list[Document] = []

    def openapi() -> Document:
        document = generate()
        if not any(document is known for known in amended):
            amend(document)
            amended[:] = [document]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it


def operations_of(document: Document) -> Iterator[Document]:
    """Yield every operation of an OpenAPI document."""
    for path in document.get("paths", {}).values():
        for method, operation in path.items():
            if method in _METHODS:
                yield operation
