"""Lets requests be repeated."""

from collections.abc import Callable
from datetime import timedelta

from fastapi.requests import HTTPConnection

from ..problem_details import NotAuthenticated
from ..service import Component, principal_of
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
