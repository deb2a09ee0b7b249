"""Organisations, members and invitations over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response, status

from ..access import CurrentPrincipal, current_principal
from ..database import PreconditionRequired, SeenVersionDep, SessionDep, etag
from ..problem_details import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    problems,
)
from ..service import Person, people_of
from .dependencies import (
    CallerDep,
    ManagerDep,
    PersonDep,
    TenancyServiceDep,
    TenantRolesDep,
    require_of_keys,
)
from .models import Membership
from .schemas import (
    Acceptance,
    Accepted,
    CreatedInvitation,
    Invitations,
    ListedMember,
    MemberPage,
    NewOrganisation,
    NewRole,
    OwnOrganisation,
    OwnOrganisations,
    PublishedInvitation,
    PublishedMember,
    PublishedOrganisation,
    PublishedRole,
)
from .service import READ

# The guard stands here too, for applications that have none of their own.
_GUARD = [Depends(current_principal)]
organisations = APIRouter(
    prefix="/organisations", tags=["organisations"], dependencies=_GUARD, responses=problems(NotAuthenticated)
)
invitations = APIRouter(
    prefix="/invitations", tags=["organisations"], dependencies=_GUARD, responses=problems(NotAuthenticated)
)


@organisations.post(
    "",
    summary="Found an organisation",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Forbidden, Conflict, InvalidInput),
)
async def found_organisation(
    new: NewOrganisation, principal: PersonDep, service: TenancyServiceDep, response: Response
) -> PublishedOrganisation:
    """Make an organisation that the caller owns."""
    organisation = await service.found(principal, new.name)
    response.headers["ETag"] = etag(organisation)
    return PublishedOrganisation.model_validate(organisation)


@organisations.get(
    "",
    summary="List one's organisations",
    dependencies=[Depends(require_of_keys(READ))],
    responses=problems(Forbidden),
)
async def list_organisations(principal: CurrentPrincipal, service: TenancyServiceDep) -> OwnOrganisations:
    """Return the organisations the caller belongs to, each with the caller's role in it; to a key of one, that one."""
    own = [
        OwnOrganisation(id=found.id, name=found.name, created_at=found.created_at, role=role)
        for found, role in await service.list_own(principal)
    ]
    return OwnOrganisations(items=own)


@organisations.get(
    "/{organisation_id}", summary="Read an organisation", responses=problems(Forbidden, NotFound)
)
async def read_organisation(
    caller: CallerDep, service: TenancyServiceDep, response: Response
) -> PublishedOrganisation:
    """Return an organisation the caller belongs to; its ETag is what a change has to name."""
    organisation = await service.read(caller.membership.tenant_id)
    response.headers["ETag"] = etag(organisation)
    return PublishedOrganisation.model_validate(organisation)


@organisations.patch(
    "/{organisation_id}",
    summary="Rename an organisation",
    responses=problems(Forbidden, NotFound, PreconditionFailed, PreconditionRequired, InvalidInput),
)
async def rename_organisation(
    change: NewOrganisation,
    manager: ManagerDep,
    seen: SeenVersionDep,
    service: TenancyServiceDep,
    response: Response,
) -> PublishedOrganisation:
    """Give the organisation another name, if nobody changed it in between."""
    organisation = await service.rename(manager.membership.tenant_id, change.name, seen)
    response.headers["ETag"] = etag(organisation)
    return PublishedOrganisation.model_validate(organisation)


@organisations.get(
    "/{organisation_id}/members",
    summary="List members",
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def list_members(
    request: Request,
    caller: CallerDep,
    service: TenancyServiceDep,
    session: SessionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: Annotated[UUID | None, Query(description="`next_after` of the page before.")] = None,
) -> MemberPage:
    """Return who belongs to the organisation, oldest first, with their names and addresses where there are accounts."""
    found = await service.list_members(caller.membership.tenant_id, after, limit)
    people = await people_of(request.app, session, [member.account_id for member in found[:limit]])
    shown = [_listed(member, people.get(member.account_id)) for member in found[:limit]]
    return MemberPage(items=shown, next_after=shown[-1].id if len(found) > limit else None)


@organisations.get("/{organisation_id}/roles", summary="List roles", responses=problems(Forbidden, NotFound))
async def list_roles(_: CallerDep, roles: TenantRolesDep) -> list[PublishedRole]:
    """Return what members can be, and what each of them may do; a key never does more than its scopes besides."""
    return [
        PublishedRole(name=name, permissions=sorted(permissions)) for name, permissions in roles.roles.items()
    ]


@organisations.put(
    "/{organisation_id}/members/{account_id}/role",
    summary="Give a member a role",
    responses=problems(Forbidden, NotFound, Conflict, InvalidInput),
)
async def give_role(
    account_id: UUID, new: NewRole, manager: ManagerDep, service: TenancyServiceDep
) -> PublishedMember:
    """Give a member another role. Only owners decide about owners, and one always remains."""
    return PublishedMember.model_validate(await service.give_role(manager.membership, account_id, new.role))


@organisations.delete(
    "/{organisation_id}/members/{account_id}",
    summary="Remove a member",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden, NotFound, Conflict),
)
async def remove_member(account_id: UUID, caller: CallerDep, service: TenancyServiceDep) -> None:
    """Leave the organisation, or remove somebody from it."""
    await service.remove(
        caller.membership, account_id, may_manage=caller.may_manage, may_leave=caller.in_person
    )


@organisations.post(
    "/{organisation_id}/invitations",
    summary="Invite somebody",
    status_code=status.HTTP_201_CREATED,
    responses=problems(Forbidden, NotFound, InvalidInput),
)
async def invite(new: NewRole, manager: ManagerDep, service: TenancyServiceDep) -> CreatedInvitation:
    """Make an invitation, good for one person and seven days, and show its token, once."""
    invitation, token = await service.invite(manager.membership, new.role)
    return CreatedInvitation(**PublishedInvitation.model_validate(invitation).model_dump(), token=token)


@organisations.get(
    "/{organisation_id}/invitations", summary="List open invitations", responses=problems(Forbidden, NotFound)
)
async def list_invitations(
    manager: ManagerDep, service: TenancyServiceDep, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> Invitations:
    """Return the newest invitations that nobody has accepted."""
    found = await service.list_invitations(manager.membership.tenant_id, limit)
    return Invitations(items=[PublishedInvitation.model_validate(one) for one in found])


@organisations.delete(
    "/{organisation_id}/invitations/{invitation_id}",
    summary="Withdraw an invitation",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(Forbidden, NotFound),
)
async def withdraw_invitation(invitation_id: UUID, manager: ManagerDep, service: TenancyServiceDep) -> None:
    """Take an invitation back that nobody has accepted."""
    await service.withdraw(manager.membership.tenant_id, invitation_id)


@invitations.post("/accept", summary="Accept an invitation", responses=problems(Forbidden, InvalidInput))
async def accept_invitation(
    acceptance: Acceptance, principal: PersonDep, service: TenancyServiceDep
) -> Accepted:
    """Become a member of the organisation that the invitation is for."""
    tenant_id, role = await service.accept(principal, acceptance.token)
    return Accepted(organisation_id=tenant_id, role=role)


def _listed(member: Membership, person: Person | None) -> ListedMember:
    shown = ListedMember.model_validate(member)
    if person is None:
        return shown
    return shown.model_copy(update={"email": person.email, "display_name": person.display_name or None})
