"""Queries for keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..database import Order, Repository
from ..service.principal import Principal
from .models import ApiKey

#: Who holds it sees and revokes the keys of services too, and makes them; in an organisation, the keys of all its members.
MANAGE = "api_keys:manage"


def _stale(resolution: timedelta) -> ColumnElement[bool]:
    return or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - resolution)


@dataclass(frozen=True, slots=True)
class ValidKey:
    """A key that is good now, as far as a request needs it."""

    id: UUID
    owner_id: UUID | None
    tenant_id: UUID | None
    scopes: Sequence[str]
    #: Whether its last use was noted too long ago.
    is_stale: bool
    #: What the column says that was asked for along with it.
    owner: Any


def valid_keys(resolution: timedelta, owner: ColumnElement[Any] | None = None) -> Select[Any]:
    """Return the query of the key with the hash `key_hash`, if it is good now: by the database's clock, like every stamp.

    It runs for every request, and is made once.

    Args:
        resolution: a use that was noted so long ago is noted anew.
        owner: what else is to be known of the owner.
    """
    return select(
        ApiKey.id,
        ApiKey.owner_id,
        ApiKey.tenant_id,
        ApiKey.scopes,
        _stale(resolution),
        null() if owner is None else owner,
    ).where(
        ApiKey.key_hash == bindparam("key_hash"), ApiKey.revoked_at.is_(None), ApiKey.expires_at > func.now()
    )


class VisibleKeys(Repository[ApiKey]):
    """The keys that a caller may see: their own, and for a manager those of services, or of the whole organisation."""

    model = ApiKey
    orders: ClassVar[Mapping[str, Order]] = {"newest": Order(ApiKey.id, descending=True)}
    missing = "There is no such key."

    def __init__(self, session: AsyncSession, principal: Principal) -> None:
        super().__init__(session)
        self._principal = principal

    def visible(self) -> Select[ApiKey]:
        """Return the query of these keys."""
        return super().visible().where(self._is_visible())

    async def revoke(self, key_id: UUID) -> bool:
        """End this key, if the caller may see it; say whether there is one. Its first end stays."""
        statement = (
            update(ApiKey)
            .where(ApiKey.id == key_id, self._is_visible())
            .values(revoked_at=func.coalesce(ApiKey.revoked_at, func.now()))
            .returning(ApiKey.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

    def _is_visible(self) -> ColumnElement[bool]:
        here = ApiKey.tenant_id.is_not_distinct_from(self._principal.tenant_id)
        own = ApiKey.owner_id == self._principal.id
        if not self._principal.may(MANAGE):
            return and_(own, here)
        if self._principal.tenant_id is not None:
            return here
        return and_(or_(own, ApiKey.owner_id.is_(None)), here)


class ApiKeyRepository:
    """Adds keys, and finds what a request came with."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: ApiKey) -> None:
        """Add a key, with the moment of its creation filled in."""
        self._session.add(key)
        await self._session.flush()

    async def find_valid(self, query: Select[Any], key_hash: str) -> ValidKey | None:
        """Return the key with this hash, if it is good now.

        Args:
            query: of `valid_keys`.
            key_hash: of the text that a request came with.
        """
        row = (await self._session.execute(query, {"key_hash": key_hash})).one_or_none()
        return None if row is None else ValidKey(*row)

    async def stamp_use(self, key_id: UUID, resolution: timedelta) -> None:
        """Note that the key was used, unless that was noted lately or another request is noting it."""
        free = (
            select(ApiKey.id)
            .where(ApiKey.id == key_id, _stale(resolution))
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        await self._session.execute(
            update(ApiKey)
            .where(ApiKey.id == free)
            .values(last_used_at=func.now(), updated_at=ApiKey.updated_at)
            .execution_options(synchronize_session=False)
        )

    async def service_key_exists(self, name: str) -> bool:
        """Say whether a service has a good key of this name."""
        statement = select(
            select(ApiKey.id)
            .where(
                ApiKey.name == name,
                ApiKey.owner_id.is_(None),
                ApiKey.revoked_at.is_(None),
                ApiKey.expires_at > func.now(),
            )
            .exists()
        )
        return bool((await self._session.execute(statement)).scalar_one())
