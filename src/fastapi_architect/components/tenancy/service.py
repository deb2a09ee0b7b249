"""What may happen to organisations and their members."""

import hashlib
import logging
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from ..database import SeenVersion, bind_setting
from ..problem_details.errors import Conflict, Forbidden, InvalidInput, NotFound
from ..service.acts import Act, Acts
from ..service.principal import Principal
from .models import Invitation, Membership, Organisation
from .repository import MOST_ORGANISATIONS, OWNER, TenancyRepository
from .row_level_security import INVITATION, PRINCIPAL, TENANT

logger = logging.getLogger(__name__)

READ, MANAGE = "organisation:read", "organisation:manage"
INVITATION_LIFETIME = timedelta(days=7)


class TenancyService:
    """Founds organisations, and says who belongs to them.

    Args:
        session: of the request.
        roles: that a member may have.
        actor: who does it.
        acts: tells who wants to know of changes.
    """

    def __init__(
        self, session: AsyncSession, roles: Collection[str], actor: Principal, acts: Acts | None = None
    ) -> None:
        self._session = session
        self._actor = actor
        self._acts = acts or Acts()
        self._tenancy = TenancyRepository(session)
        self._roles = roles

    async def found(self, principal: Principal, name: str) -> Organisation:
        """Make an organisation that the caller owns.

        Raises:
            Conflict: the caller belongs to too many already.
        """
        await bind_setting(self._session, PRINCIPAL, principal.id)
        if len(await self._tenancy.organisations_of(principal.id)) >= MOST_ORGANISATIONS:
            raise Conflict(f"Nobody may belong to more than {MOST_ORGANISATIONS} organisations.")
        organisation = Organisation(id=uuid7(), name=name)
        await bind_setting(self._session, TENANT, organisation.id)
        self._tenancy.add(organisation)
        await self._session.flush()
        self._tenancy.add(Membership(tenant_id=organisation.id, account_id=principal.id, role=OWNER))
        self._tell("organisation.founded", "organisation", organisation.id, organisation.id, name=name)
        await self._session.commit()
        return organisation

    async def list_own(self, principal: Principal) -> Sequence[tuple[Organisation, str]]:
        """Return the caller's organisations, each with the caller's role in it; with a key of one, that one alone."""
        await bind_setting(self._session, PRINCIPAL, principal.id)
        found = await self._tenancy.organisations_of(principal.id)
        return [each for each in found if principal.tenant_id in (None, each[0].id)]

    async def read(self, tenant_id: UUID) -> Organisation:
        """Return an organisation that the caller was found to belong to.

        Raises:
            NotFound: it was deleted meanwhile.
        """
        return self._present(await self._tenancy.find_organisation(tenant_id))

    async def rename(self, tenant_id: UUID, name: str, seen: SeenVersion) -> Organisation:
        """Give an organisation another name.

        Raises:
            PreconditionFailed: the caller has not seen its latest version.
        """
        organisation = self._present(await self._tenancy.find_organisation(tenant_id))
        seen.require(organisation)
        before, organisation.name = organisation.name, name
        details = {"from": before, "to": name}
        self._tell("organisation.renamed", "organisation", tenant_id, tenant_id, **details)
        await self._session.commit()
        return organisation

    async def list_members(self, tenant_id: UUID, after: UUID | None, limit: int) -> Sequence[Membership]:
        """Return members, oldest first; one more than `limit` if there are more."""
        return await self._tenancy.members_of(tenant_id, after, limit + 1)

    async def give_role(self, caller: Membership, account_id: UUID, role: str) -> Membership:
        """Give a member another role.

        Raises:
            InvalidInput: there is no such role.
            Forbidden: only owners make owners and unmake them.
            NotFound: they are no member.
            Conflict: an organisation must keep an owner.
        """
        self._check_role(role)
        # Whoever changes owners does so one after the other: two last owners cannot leave at the same time.
        await self._tenancy.find_organisation(caller.tenant_id, lock=True)
        member = await self._member(caller.tenant_id, account_id)
        if OWNER in (role, member.role):
            self._require_owner(caller)
        if member.role == OWNER != role:
            await self._keep_an_owner(caller.tenant_id)
        details = {"from": member.role, "to": role}
        member.role = role
        self._tell("member.role_given", "member", account_id, caller.tenant_id, **details)
        await self._session.commit()
        logger.info("role given", extra={"account_id": str(account_id), "role": role})
        return member

    async def remove(
        self, caller: Membership, account_id: UUID, *, may_manage: bool, may_leave: bool = True
    ) -> None:
        """End a membership: one's own, and those of others with the permission to manage.

        Args:
            caller: who does it.
            account_id: whose membership.
            may_manage: whether the caller may manage the organisation.
            may_leave: whether they may leave it without that: not with a key, which somebody may have stolen.

        Raises:
            Forbidden: it is somebody else's, and the caller may not manage; or an owner's, and the caller is none.
            NotFound: they are no member.
            Conflict: an organisation must keep an owner.
        """
        if not may_manage and (account_id != caller.account_id or not may_leave):
            raise Forbidden("You may only leave yourself, and not with a key.")
        await self._tenancy.find_organisation(caller.tenant_id, lock=True)
        member = await self._member(caller.tenant_id, account_id)
        if member.role == OWNER:
            self._require_owner(caller)
            await self._keep_an_owner(caller.tenant_id)
        await self._tenancy.remove_member(member)
        self._tell("member.removed", "member", account_id, caller.tenant_id, role=member.role)
        await self._session.commit()
        logger.info("member removed", extra={"account_id": str(account_id)})

    async def invite(self, caller: Membership, role: str) -> tuple[Invitation, str]:
        """Make an invitation, and return it with its token, which nobody can find out again.

        Raises:
            InvalidInput: there is no such role.
            Forbidden: only owners invite owners.
        """
        self._check_role(role)
        if role == OWNER:
            self._require_owner(caller)
        token = secrets.token_urlsafe(32)
        invitation = Invitation(
            tenant_id=caller.tenant_id,
            role=role,
            token_hash=_hash(token),
            invited_by=caller.account_id,
            expires_at=datetime.now(UTC) + INVITATION_LIFETIME,
        )
        self._tenancy.add(invitation)
        await self._session.flush()
        self._tell("invitation.made", "invitation", invitation.id, caller.tenant_id, role=role)
        await self._session.commit()
        return invitation, token

    async def list_invitations(self, tenant_id: UUID, limit: int) -> Sequence[Invitation]:
        """Return the invitations that are open, newest first."""
        return await self._tenancy.open_invitations(tenant_id, limit)

    async def withdraw(self, tenant_id: UUID, invitation_id: UUID) -> None:
        """Take an invitation back.

        Raises:
            NotFound: there is none that is open.
        """
        if not await self._tenancy.withdraw_invitation(tenant_id, invitation_id):
            raise NotFound("There is no such invitation.")
        self._tell("invitation.withdrawn", "invitation", invitation_id, tenant_id)
        await self._session.commit()

    async def accept(self, principal: Principal, token: str) -> tuple[UUID, str]:
        """Become a member, and return of what and with which role. Members keep the role they have.

        Raises:
            InvalidInput: the token is unknown, used or expired.
        """
        token_hash = _hash(token)
        await bind_setting(self._session, INVITATION, token_hash)
        tenant_id = await self._tenancy.tenant_of_invitation(token_hash)
        if tenant_id is None:
            raise InvalidInput("The invitation is not valid any more.")
        await bind_setting(self._session, TENANT, tenant_id)
        role = await self._tenancy.spend_invitation(tenant_id, token_hash)
        if role is None:
            raise InvalidInput("The invitation is not valid any more.")
        is_new = await self._tenancy.add_member_once(tenant_id, principal.id, role)
        member = await self._member(tenant_id, principal.id)
        if is_new:
            self._tell("member.joined", "member", principal.id, tenant_id, role=role)
        await self._session.commit()
        return tenant_id, member.role

    def _tell(
        self, action: str, subject_type: str, subject_id: UUID, tenant_id: UUID, **details: str
    ) -> None:
        act = Act(action, self._actor, subject_type, subject_id, tenant_id, details)
        self._acts.tell(self._session, act)

    def _check_role(self, role: str) -> None:
        if role not in self._roles:
            raise InvalidInput(f"There is no role {role!r}; there are {', '.join(sorted(self._roles))}.")

    def _require_owner(self, caller: Membership) -> None:
        if caller.role != OWNER:
            raise Forbidden("Only owners decide about owners.")

    async def _keep_an_owner(self, tenant_id: UUID) -> None:
        if await self._tenancy.count_owners(tenant_id) < 2:
            raise Conflict("An organisation must keep an owner: make somebody else one first.")

    async def _member(self, tenant_id: UUID, account_id: UUID) -> Membership:
        member = await self._tenancy.find_member(tenant_id, account_id)
        if member is None:
            raise NotFound("There is no such member.")
        return member

    def _present(self, organisation: Organisation | None) -> Organisation:
        if organisation is None:
            raise NotFound("There is no such organisation.")
        return organisation


def _hash(token: str) -> str:
    # 256 random bits need no slow hash: nobody can try them.
    return hashlib.sha256(token.encode()).hexdigest()
