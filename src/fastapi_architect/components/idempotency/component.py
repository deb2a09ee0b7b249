"""Lets requests be repeated."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.requests import HTTPConnection

from ..problem_details import NotAuthenticated
from ..problem_details.documentation import define_problem, problem_response
from ..service import Component, amend_openapi, operations_of, principal_of
from .settings import IdempotencySettings


class Idempotency(Component):
    """How long answers are kept, and who is asking.

    Args:
        settings: how long.
        caller: tells who is asking, in an application that has no principals. Keys of different callers never meet.
    """

    def __init__(
        self, settings: IdempotencySettings, caller: Callable[[HTTPConnection], str | None] | None = None
    ) -> None:
        self.settings = settings
        self._caller = caller

    def install(self, app: FastAPI) -> None:
        """Say in the OpenAPI document what operations with a key may answer."""
        amend_openapi(app, _document)

    @property
    def keep(self) -> timedelta:
        """For how long an answer is kept."""
        return timedelta(hours=self.settings.keep_hours)

    def caller_of(self, connection: HTTPConnection) -> str:
        """Return who is asking.

        Raises:
            NotAuthenticated: nobody proved it. Strangers may not share keys: one would get the answer of another.
        """
        if self._caller is not None:
            caller = self._caller(connection)
        else:
            principal = principal_of(connection)
            caller = None if principal is None else f"{principal.id} {principal.tenant_id or ''}"
        if caller is None:
            raise NotAuthenticated
        return caller


def _document(document: dict[str, Any]) -> None:
    refusals = {
        "400": "The Idempotency-Key is missing where it is required, or no string.",
        "409": "A request with this Idempotency-Key is being processed; Retry-After says when to repeat it.",
        "422": "The Idempotency-Key came with other content before, or the input does not validate.",
        "503": "It may be unknown whether it was done: repeat it with the same Idempotency-Key after Retry-After.",
    }
    replayed = {"description": "`true`: the answer of the first time.", "schema": {"type": "string"}}
    for operation in operations_of(document):
        if not any(each.get("name") == "Idempotency-Key" for each in operation.get("parameters", ())):
            continue
        responses = operation.setdefault("responses", {})
        for status, description in refusals.items():
            responses.setdefault(status, problem_response(int(status), description))
        for status, response in responses.items():
            if status.startswith("2"):
                response.setdefault("headers", {})["Idempotency-Replayed"] = replayed
    define_problem(document)
