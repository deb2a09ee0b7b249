"""For which organisation somebody acts, and may they?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Path
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..access import CurrentPrincipal, Guard, guard
from ..database import SessionDep
from ..problem_details import Forbidden, InvalidInput, NotFound
from ..service import Principal, acts_of, installed, remember_principal
from .models import Membership
from .repository import TenancyRepository
from .roles import HasTenantRoles
from .service import MANAGE, READ, TenancyService

HEADER = "X-Organisation-ID"


async def get_tenant_roles(connection: HTTPConnection) -> HasTenantRoles:
    """Return what roles may do."""
    return installed(connection.app, HasTenantRoles)


TenantRolesDep = Annotated[HasTenantRoles, Depends(get_tenant_roles)]


async def get_tenancy_service(
    connection: HTTPConnection, session: SessionDep, roles: TenantRolesDep, principal: CurrentPrincipal
) -> TenancyService:
    """Return the service for the caller, on the session of this request."""
    return TenancyService(session, roles.roles.keys(), principal, acts_of(connection.app))


TenancyServiceDep = Annotated[TenancyService, Depends(get_tenancy_service)]


async def current_member(
    connection: HTTPConnection,
    principal: CurrentPrincipal,
    session: SessionDep,
    roles: TenantRolesDep,
    organisation_id: Annotated[
        UUID | None,
        Header(alias=HEADER, description="For which organisation, if the caller belongs to several."),
    ] = None,
) -> Principal:
    """Return the caller as a member of the organisation they act for, and bind the session to it.

    From here on PostgreSQL shows this request the rows of that organisation only.

    Raises:
        NotFound: they do not belong to it, or it does not exist; the two look alike.
        InvalidInput: they belong to several (or none) and do not say which.
    """
    member = await as_member(session, principal, roles, organisation_id)
    remember_principal(connection, member)
    return member


async def as_member(
    session: AsyncSession, principal: Principal, roles: HasTenantRoles, organisation_id: UUID | None = None
) -> Principal:
    """Return somebody as a member of an organisation, and bind the session to it: for whoever has no request, such as a socket.

    Args:
        session: from here on it sees the rows of that organisation only.
        principal: as somebody proved it.
        roles: what roles may do: `installed(app, Tenancy)`.
        organisation_id: for which organisation, if they belong to several.

    Raises:
        NotFound: they do not belong to it, or it does not exist; the two look alike.
        InvalidInput: they belong to several (or none) and it is not said which.
    """
    tenant_id, role = await _enter(session, principal, organisation_id)
    return replace(principal, tenant_id=tenant_id, permissions=roles.permissions_in_role(principal, role))


TenantMember = Annotated[Principal, Depends(current_member)]


@guard(Guard.STRANGERS)
class require_in_tenant:  # noqa: N801 - reads as a word: Depends(require_in_tenant("notes:write"))
    """A dependency that refuses members whose role lacks one of the permissions."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    async def __call__(self, member: TenantMember) -> Principal:
        """Return the caller as a member of the organisation.

        Raises:
            Forbidden: a permission is missing.
        """
        _refuse_without(member, self.permissions)
        return member


def _refuse_without(member: Principal, permissions: Iterable[str]) -> None:
    missing = [permission for permission in permissions if not member.may(permission)]
    if missing:
        raise Forbidden(f"Your role, or your key, does not allow {', '.join(missing)}.")


def tenant_of(member: Principal) -> UUID:
    """Return for which organisation a member acts.

    Raises:
        ValueError: the caller was not asked for as a member; take `TenantMember` or `require_in_tenant(...)`.
    """
    if member.tenant_id is None:
        raise ValueError(
            "the caller acts for no organisation: ask for TenantMember or require_in_tenant(...)"
        )
    return member.tenant_id


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller as a member of the organisation in the path."""

    membership: Membership
    may_manage: bool
    #: With credentials of their own choosing, such as a password: not with a key, whose holder may be anybody.
    in_person: bool


@guard(Guard.STRANGERS)
class require_in_path:  # noqa: N801 - reads as a word: Depends(require_in_path("organisation:read"))
    """A dependency that refuses who does not belong to the organisation in the path, or whose role lacks a permission."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    async def __call__(
        self,
        organisation_id: Annotated[UUID, Path(description="The organisation.")],
        principal: CurrentPrincipal,
        session: SessionDep,
        roles: TenantRolesDep,
    ) -> Caller:
        """Return the caller as a member of the organisation in the path, and bind the session to it.

        Raises:
            NotFound: they do not belong to it, or it does not exist.
            Forbidden: a permission is missing.
        """
        member = await as_member(session, principal, roles, organisation_id)
        _refuse_without(member, self.permissions)
        membership = await TenancyRepository(session).find_member(tenant_of(member), principal.id)
        if membership is None:
            raise NotFound("There is no such organisation.")
        return Caller(membership, member.may(MANAGE), not roles.restricts(principal))


CallerDep = Annotated[Caller, Depends(require_in_path(READ))]
ManagerDep = Annotated[Caller, Depends(require_in_path(MANAGE))]


@guard(Guard.STRANGERS)
class require_of_keys:  # noqa: N801 - reads as a word: Depends(require_of_keys("organisation:read"))
    """A dependency that asks keys for scopes where people need no role: what they do is their own affair."""

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    async def __call__(self, principal: CurrentPrincipal, roles: TenantRolesDep) -> Principal:
        """Return the caller.

        Raises:
            Forbidden: they came with a key that lacks a scope.
        """
        if roles.restricts(principal) and not all(principal.may(each) for each in self.permissions):
            raise Forbidden("Your key does not allow this.")
        return principal


async def current_person(principal: CurrentPrincipal, roles: TenantRolesDep) -> Principal:
    """Return the caller, who came in person.

    Raises:
        Forbidden: they came with a key, which acts in organisations and neither founds nor joins them.
    """
    if roles.restricts(principal):
        raise Forbidden("Sign in for this: a key neither founds nor joins organisations.")
    return principal


PersonDep = Annotated[Principal, Depends(current_person)]


async def _enter(session: AsyncSession, principal: Principal, wanted: UUID | None) -> tuple[UUID, str]:
    # Credentials of an organisation, such as its API keys, are good for that one only.
    if principal.tenant_id is not None and wanted not in (None, principal.tenant_id):
        raise NotFound("There is no such organisation.")
    wanted = wanted or principal.tenant_id
    found = await TenancyRepository(session).enter(principal.id, wanted)
    if len(found) == 1:
        return found[0]
    if wanted is not None:
        raise NotFound("There is no such organisation.")
    raise InvalidInput(f"Say in {HEADER} for which of your organisations this is.")
