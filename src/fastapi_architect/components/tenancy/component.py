"""Tenancy as a component: what roles may do, and the check that PostgreSQL really separates tenants."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy import text

from ..database import Database
from ..problem_details import InvalidInput, NotFound, problems
from ..service import amend_openapi, installed, operations_of
from .dependencies import HEADER
from .models import Membership
from .roles import HasTenantRoles
from .router import invitations, organisations

_WALL = text(
    "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, c.relowner, 'USAGE') OR NOT c.relrowsecurity "
    "FROM pg_roles r, pg_class c WHERE r.rolname = current_user AND c.oid = to_regclass(:table)"
)


class TenantsNotSeparated(RuntimeError):
    """The second wall does not stand: row-level security would not hold for the role of the service."""

    def __init__(self) -> None:
        super().__init__(
            "row-level security does not hold for the role in DATABASE_URL: connect as a role that owns no table and "
            "has neither SUPERUSER nor BYPASSRLS, and run the migrations as the owner (DATABASE_MIGRATION_URL)"
        )


class Tenancy(HasTenantRoles):
    """Knows what each role may do in its organisation, and has the routes for organisations and members.

    Args:
        roles: what each role may do, beyond `organisation:read` and `organisation:manage`, which are given already:
            `{"member": ["notes:read", "notes:write"], "viewer": ["notes:read"]}`. `owner` may do what any role may.
        restricting_methods: credentials (`Principal.method`) with permissions of their own, which a role never widens.
        without: which of `member` and `viewer` this service does not have.
        prefix: the path before `/organisations`.
        check_wall: refuse to start where PostgreSQL would not separate tenants.

    Raises:
        ValueError: `without` names another role, or one that `roles` speaks of.
    """

    def __init__(
        self,
        roles: Mapping[str, Iterable[str]] | None = None,
        *,
        restricting_methods: Iterable[str] = ("api_key",),
        without: Iterable[str] = (),
        prefix: str = "/api/v1",
        check_wall: bool = True,
    ) -> None:
        super().__init__(roles or {}, restricting_methods, without)
        self.prefix = prefix
        self.check_wall = check_wall

    def install(self, app: FastAPI) -> None:
        """Add the routes, and say in the OpenAPI document what operations for members may answer."""
        amend_openapi(app, _document)
        app.include_router(organisations, prefix=self.prefix)
        app.include_router(invitations, prefix=self.prefix)

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Refuse to start without the second wall.

        Raises:
            TenantsNotSeparated: and what to do.
        """
        if self.check_wall:
            async with installed(app, Database).engine.connect() as connection:
                found = await connection.execute(_WALL, {"table": Membership.__tablename__})
                if found.scalar_one_or_none() is not False:
                    raise TenantsNotSeparated
        yield


def _document(document: dict[str, Any]) -> None:
    for operation in operations_of(document):
        if any(each.get("name") == HEADER for each in operation.get("parameters", ())):
            for status, response in problems(NotFound, InvalidInput).items():
                operation.setdefault("responses", {}).setdefault(str(status), response)
