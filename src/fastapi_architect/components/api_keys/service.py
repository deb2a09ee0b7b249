"""What may be done with keys."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ..database import PageQuery, Slice
from ..problem_details.errors import Forbidden, NotFound
from ..service.acts import Act, Acts
from ..service.principal import Principal
from .models import ApiKey
from .repository import MANAGE, ApiKeyRepository, VisibleKeys
from .tokens import hash_key, hint_of, new_key

logger = logging.getLogger(__name__)

#: `Principal.method` of whoever came with a key.
METHOD = "api_key"


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a new key is to be."""

    name: str
    scopes: frozenset[str]
    lifetime: timedelta
    #: For a service that is nobody, instead of for the caller.
    for_service: bool = False


class ApiKeyService:
    """Creates, lists and revokes keys."""

    def __init__(self, session: AsyncSession, prefix: str, acts: Acts | None = None) -> None:
        self._session = session
        self._acts = acts or Acts()
        self._keys = ApiKeyRepository(session)
        self._prefix = prefix

    async def create(self, principal: Principal, wanted: NewKey) -> tuple[ApiKey, str]:
        """Create a key, and return it with its text, which nobody can find out again.

        Raises:
            Forbidden: it would be able to do what the caller cannot, or a stolen key would multiply.
        """
        if wanted.for_service and principal.tenant_id is not None:
            raise Forbidden("In an organisation a key acts for a member: leave `for_service` out.")
        if wanted.for_service and not principal.may(MANAGE):
            raise Forbidden("You may create keys for yourself only.")
        if principal.method == METHOD and not wanted.for_service:
            raise Forbidden("A key creates keys of services only. Sign in to create one of your own.")
        missing = wanted.scopes - principal.permissions
        if missing:
            raise Forbidden(f"You have not got these permissions yourself: {', '.join(sorted(missing))}.")
        key, text = make_key(self._prefix, wanted, principal)
        await self._keys.add(key)
        details = {"name": key.name, "scopes": key.scopes, "expires_at": key.expires_at}
        self._acts.tell(self._session, Act("api_key.created", principal, "api_key", key.id, details=details))
        await self._session.commit()
        logger.info("API key created", extra={"key_id": str(key.id), "created_by": str(principal.id)})
        return key, text

    async def list_keys(self, principal: Principal, query: PageQuery) -> Slice[ApiKey]:
        """Return a page of the keys that the caller may see, newest first."""
        return await VisibleKeys(self._session, principal).list(query)

    async def read(self, principal: Principal, key_id: UUID) -> ApiKey:
        """Return one key.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return await VisibleKeys(self._session, principal).get(key_id)

    async def revoke(self, principal: Principal, key_id: UUID) -> None:
        """End a key at once and for good. Doing it again changes nothing.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        if not await VisibleKeys(self._session, principal).revoke(key_id):
            raise NotFound(VisibleKeys.missing)
        self._acts.tell(self._session, Act("api_key.revoked", principal, "api_key", key_id))
        await self._session.commit()
        logger.info("API key revoked", extra={"key_id": str(key_id), "revoked_by": str(principal.id)})


def make_key(prefix: str, wanted: NewKey, creator: Principal | None) -> tuple[ApiKey, str]:
    """Return a key that is not stored yet, and its text.

    Args:
        prefix: of the service.
        wanted: what it is to be.
        creator: who asked for it; None on the command line.
    """
    text = new_key(prefix)
    owner = None if creator is None or wanted.for_service else creator.id
    key = ApiKey(
        name=wanted.name,
        owner_id=owner,
        tenant_id=None if creator is None else creator.tenant_id,
        created_by=None if creator is None else creator.id,
        hint=hint_of(text),
        key_hash=hash_key(text),
        scopes=sorted(wanted.scopes),
        expires_at=datetime.now(UTC) + wanted.lifetime,
    )
    return key, text
