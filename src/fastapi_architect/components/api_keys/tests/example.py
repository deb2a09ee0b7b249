"""The smallest application with API keys: people sign in by saying their name, programs by a key."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.access import (
    Access,
    CurrentPrincipal,
    Guard,
    deny_by_default,
    guard,
    require,
)
from fastapi_architect.components.api_keys import ApiKeys, ApiKeySettings
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import NotFound, ProblemDetails
from fastapi_architect.components.service import (
    Act,
    Component,
    Environment,
    Principal,
    install,
    remember_principal,
)

IDENTIFIERS = {name: uuid7() for name in ("alice", "mallory", "admin")}


class People(Component):
    """Believes whoever says a name, and knows what each may do at present. An example, and nothing else."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "name",
        {"type": "apiKey", "in": "header", "name": "X-Name"},
    )

    def __init__(self) -> None:
        self.permissions: dict[UUID, frozenset[str]] = {
            IDENTIFIERS["alice"]: frozenset({"items:read", "items:write"}),
            IDENTIFIERS["mallory"]: frozenset({"items:read"}),
            IDENTIFIERS["admin"]: frozenset({"items:read", "api_keys:manage"}),
        }

    async def permissions_of(self, principal_id: UUID, session: AsyncSession) -> frozenset[str] | None:
        """Return what somebody may do; None for who is locked out."""
        return self.permissions.get(principal_id)

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return who says this name."""
        identifier = IDENTIFIERS.get(connection.headers.get("x-name", ""))
        if identifier is None:
            return None
        return Principal(identifier, self.permissions[identifier], method="name")


#: Who belongs to which organisation with which permissions there.
BAKERY, FORGE = uuid7(), uuid7()
MEMBERS = {
    (IDENTIFIERS["alice"], BAKERY): frozenset({"items:read"}),
    (IDENTIFIERS["alice"], FORGE): frozenset({"items:read", "items:write"}),
    (IDENTIFIERS["mallory"], FORGE): frozenset({"items:read", "api_keys:manage"}),
    (IDENTIFIERS["admin"], BAKERY): frozenset({"items:read", "api_keys:manage"}),
}


@guard(Guard.STRANGERS)
async def member_of_named(connection: HTTPConnection, principal: CurrentPrincipal) -> Principal:
    """Find out for which organisation somebody acts, as `require_in_tenant` does: from a header."""
    tenant = UUID(connection.headers["x-tenant"])
    role = MEMBERS.get((principal.id, tenant))
    if role is None:
        raise NotFound("There is no such organisation.")
    member = replace(principal, tenant_id=tenant, permissions=role)
    remember_principal(connection, member)
    return member


class Diary(Component):
    """Remembers what it is told of. An example of a witness, and nothing else."""

    def __init__(self) -> None:
        self.acts: list[Act] = []

    def witness(self, session: Any, act: Act) -> None:
        """Note an act."""
        self.acts.append(act)


def create_app(
    database: Database,
    people: People | None = None,
    *,
    guard: Callable[..., Any] | None = None,
    diary: Diary | None = None,
) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.get("/items")
    async def read_items(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    @app.post("/items")
    async def write_item(principal: Annotated[Principal, Depends(require("items:write"))]) -> str:
        return str(principal.id)

    # Whatever the environment of the project says, tests know what they test.
    settings = ApiKeySettings(
        prefix="shop", default_days=90, maximum_days=365, last_used_minutes=60, environment=Environment.LOCAL
    )
    keys = ApiKeys(settings, guard=guard)
    install(app, [ProblemDetails(), database, Access(), people or People(), diary or Diary(), keys])
    return app
