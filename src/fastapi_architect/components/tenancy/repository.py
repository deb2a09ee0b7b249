"""Queries for organisations, members and invitations. Each names its tenant, although PostgreSQL would hide the others."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, case, cast, delete, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import note_setting, setting
from .models import Invitation, Membership, Organisation
from .row_level_security import PRINCIPAL, TENANT

MOST_ORGANISATIONS = 100
OWNER = "owner"


def _entry(*, is_named: bool) -> Select[Any]:
    """Return the query of somebody's memberships that binds the transaction to whose they are, and to the tenant of the only one.

    Memberships are looked at from within `LATERAL`, for each row of what sets the principal: the policy, which reads that
    setting, is asked after it was set. Were it otherwise, nobody would belong anywhere.
    """
    # A uuid already: a cast beside the column would keep the policy from being asked through the index.
    principal = setting(PRINCIPAL, bindparam("account_id", type_=Uuid()))
    caller = select(cast(principal, Uuid).label("id")).subquery("caller")
    own = select(Membership.tenant_id, Membership.role).where(Membership.account_id == caller.c.id)
    if is_named:
        own = own.where(Membership.tenant_id == bindparam("tenant_id", type_=Uuid()))
    found = own.limit(2).correlate(caller).lateral("found")
    is_only_one = func.count().over() == 1
    tenant = case((is_only_one, setting(TENANT, found.c.tenant_id)))
    return select(found.c.tenant_id, found.c.role, tenant.label("bound")).select_from(
        caller.join(found, true())
    )


#: Where somebody acts, found and bound in one step. Made once: it runs for every request.
_ENTRIES = {is_named: _entry(is_named=is_named) for is_named in (True, False)}


class TenancyRepository:
    """Reads and writes on the session of a request."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, row: Organisation | Membership | Invitation) -> None:
        """Add a row."""
        self._session.add(row)

    async def find_organisation(self, tenant_id: UUID, *, lock: bool = False) -> Organisation | None:
        """Return the organisation; locked, so that nobody else changes who its owners are."""
        statement = select(Organisation).where(Organisation.id == tenant_id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def organisations_of(self, account_id: UUID) -> Sequence[tuple[Organisation, str]]:
        """Return the organisations somebody belongs to, each with their role, oldest first."""
        statement = (
            select(Organisation, Membership.role)
            .join(Membership, Membership.tenant_id == Organisation.id)
            .where(Membership.account_id == account_id)
            .order_by(Organisation.id)
            .limit(MOST_ORGANISATIONS)
        )
        return [(organisation, role) for organisation, role in await self._session.execute(statement)]

    async def enter(self, account_id: UUID, tenant_id: UUID | None) -> Sequence[tuple[UUID, str]]:
        """Return up to two of somebody's memberships as tenant and role: of this tenant, or of any.

        The session is bound to whose they are, and to the tenant if it is one: PostgreSQL takes it from the membership itself,
        so that nobody is ever bound to a tenant they do not belong to.
        """
        values = {"account_id": account_id, "tenant_id": tenant_id}
        rows = (await self._session.execute(_ENTRIES[tenant_id is not None], values)).all()
        note_setting(self._session, PRINCIPAL, account_id)
        if len(rows) == 1:
            note_setting(self._session, TENANT, rows[0].tenant_id)
        return [(row.tenant_id, row.role) for row in rows]

    async def members_of(self, tenant_id: UUID, after: UUID | None, limit: int) -> Sequence[Membership]:
        """Return the members of an organisation, oldest first."""
        statement = select(Membership).where(Membership.tenant_id == tenant_id)
        if after is not None:
            statement = statement.where(Membership.id > after)
        return (await self._session.execute(statement.order_by(Membership.id).limit(limit))).scalars().all()

    async def find_member(self, tenant_id: UUID, account_id: UUID) -> Membership | None:
        """Return somebody's membership."""
        statement = select(Membership).where(
            Membership.tenant_id == tenant_id, Membership.account_id == account_id
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def count_owners(self, tenant_id: UUID) -> int:
        """Return how many owners an organisation has."""
        statement = (
            select(func.count())
            .select_from(Membership)
            .where(Membership.tenant_id == tenant_id, Membership.role == OWNER)
        )
        return (await self._session.execute(statement)).scalar_one()

    async def remove_member(self, member: Membership) -> None:
        """End a membership."""
        await self._session.delete(member)

    async def add_member_once(self, tenant_id: UUID, account_id: UUID, role: str) -> bool:
        """Add a member, unless they are one; tell whether they are new."""
        statement = (
            insert(Membership)
            .values(tenant_id=tenant_id, account_id=account_id, role=role)
            .on_conflict_do_nothing(index_elements=[Membership.account_id, Membership.tenant_id])
            .returning(Membership.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    async def tenant_of_invitation(self, token_hash: str) -> UUID | None:
        """Return which organisation an invitation is for that can still be accepted."""
        statement = select(Invitation.tenant_id).where(
            Invitation.token_hash == token_hash,
            Invitation.accepted_at.is_(None),
            Invitation.expires_at > func.now(),
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def spend_invitation(self, tenant_id: UUID, token_hash: str) -> str | None:
        """Accept an invitation; of several that try at the same time, one gets the role."""
        statement = (
            update(Invitation)
            .where(
                Invitation.tenant_id == tenant_id,
                Invitation.token_hash == token_hash,
                Invitation.accepted_at.is_(None),
                Invitation.expires_at > func.now(),
            )
            .values(accepted_at=func.now())
            .returning(Invitation.role)
        )
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def open_invitations(self, tenant_id: UUID, limit: int) -> Sequence[Invitation]:
        """Return the invitations that nobody has accepted, newest first."""
        statement = (
            select(Invitation)
            .where(Invitation.tenant_id == tenant_id, Invitation.accepted_at.is_(None))
            .order_by(Invitation.id.desc())
            .limit(limit)
        )
        return (await self._session.execute(statement)).scalars().all()

    async def withdraw_invitation(self, tenant_id: UUID, invitation_id: UUID) -> bool:
        """Delete an invitation that nobody has accepted; tell whether there was one."""
        statement = (
            delete(Invitation)
            .where(
                Invitation.tenant_id == tenant_id,
                Invitation.id == invitation_id,
                Invitation.accepted_at.is_(None),
            )
            .returning(Invitation.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None
