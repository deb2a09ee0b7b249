"""Gives an API its versions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI

from ..service import Component, amend_openapi
from .middleware import ApiVersioningMiddleware
from .versions import ApiVersion, Versions

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})


def _now() -> datetime:
    return datetime.now(UTC)


class ApiVersioning(Component):
    """Versions by path (`/api/v2/books`), header (`API-Version: 2`) or media type (`application/vnd.api.v2+json`).

    Args:
        versions: oldest first. Routes of each stand below `<prefix>/v<name>`.
        prefix: of the paths of the API.
        vendor: of its media types.
        default: the version of requests below the prefix that name none; None: they are served as they are.
        now: the clock.

    Raises:
        ValueError: a version is there twice, or its dates cannot be.
    """

    def __init__(
        self,
        versions: Sequence[ApiVersion],
        prefix: str = "/api",
        vendor: str = "api",
        default: str | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.versions = Versions(versions, prefix, vendor, default)
        self.now = now

    def install(self, app: FastAPI) -> None:
        """Add the middleware, and mark what is deprecated in the documentation."""
        app.add_middleware(ApiVersioningMiddleware, versions=self.versions, now=self.now)
        amend_openapi(app, self._document)

    def _document(self, document: dict[str, Any]) -> None:
        for path, operations in document.get("paths", {}).items():
            version = self.versions.of_documented(path)
            if version is None or version.deprecated_at is None:
                continue
            for method in _METHODS & operations.keys():
                operations[method]["deprecated"] = True
                for response in operations[method].get("responses", {}).values():
                    response.setdefault("headers", {}).update(_ANNOUNCED)


_ANNOUNCED = {
    "Deprecation": {
        "description": "Since when this version should not be used any more (RFC 9745).",
        "schema": {"type": "string", "examples": ["@1767225600"]},
    },
    "Sunset": {
        "description": "When this version ends (RFC 8594).",
        "schema": {"type": "string", "examples": ["Thu, 31 Dec 2026 00:00:00 GMT"]},
    },
}
