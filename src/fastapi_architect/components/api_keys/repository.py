"""Queries for keys."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..service.principal import Principal
from .models import ApiKey

#: Who holds it sees and revokes the keys of services too, and makes them.
MANAGE = "api_keys:manage"


def visible_to(principal: Principal) -> ColumnElement[bool]:
    """Return the condition for the keys that a caller may see: their own, and a manager those of services."""
    own = ApiKey.owner_id == principal.id
    seen = or_(own, ApiKey.owner_id.is_(None)) if principal.may(MANAGE) else own
    return and_(seen, ApiKey.tenant_id.is_not_distinct_from(principal.tenant_id))


def _stale(resolution: timedelta) -> ColumnElement[bool]:
    return or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - resolution)


class ApiKeyRepository:
    """Finds, adds and revokes keys."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: ApiKey) -> None:
        """Add a key, with the moment of its creation filled in."""
        self._session.add(key)
        await self._session.flush()

    async def find_valid(self, key_hash: str, resolution: timedelta) -> tuple[ApiKey, bool] | None:
        """Return the key with this hash, if it is good now, and whether its last use was noted too long ago.

        The clock is the database's, like that of every stamp.
        """
        statement = select(ApiKey, _stale(resolution)).where(
            ApiKey.key_hash == key_hash, ApiKey.revoked_at.is_(None), ApiKey.expires_at > func.now()
        )
        row = (await self._session.execute(statement)).one_or_none()
        return None if row is None else (row[0], row[1])

    async def find_visible(self, principal: Principal, key_id: UUID) -> ApiKey | None:
        """Return this key, if the caller may see it."""
        statement = select(ApiKey).where(ApiKey.id == key_id, visible_to(principal))
        return (await self._session.execute(statement)).scalar_one_or_none()

    async def list_visible(self, principal: Principal, before: UUID | None, limit: int) -> Sequence[ApiKey]:
        """Return the caller's keys that are older than `before`, newest first."""
        statement = select(ApiKey).where(visible_to(principal)).order_by(ApiKey.id.desc()).limit(limit)
        if before is not None:
            statement = statement.where(ApiKey.id < before)
        return (await self._session.execute(statement)).scalars().all()

    async def revoke_visible(self, principal: Principal, key_id: UUID) -> bool:
        """End this key, if the caller may see it; say whether there is one. Its first end stays."""
        statement = (
            update(ApiKey)
            .where(ApiKey.id == key_id, visible_to(principal))
            .values(revoked_at=func.coalesce(ApiKey.revoked_at, func.now()))
            .returning(ApiKey.id)
        )
        return (await self._session.execute(statement)).scalar_one_or_none() is not None

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
