"""Keys as credentials."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from ..access import PermissionColumn, PermissionSource, current_principal, permission_source_of
from ..problem_details import NotAuthenticated
from ..service import Principal
from .models import ApiKey
from .repository import ApiKeyRepository, ValidKey, valid_keys
from .router import router
from .service import METHOD
from .settings import ApiKeySettings, HasApiKeySettings
from .tokens import hash_key, looks_right

HEADER = "X-API-Key"


@dataclass(frozen=True, slots=True)
class _LookUp:
    """How a key is found, and what its owner may do at present: made once, because it runs for every request."""

    source: PermissionSource | None
    #: The same, where one query answers both.
    column: PermissionColumn | None
    resolution: timedelta
    query: Select[Any]

    @classmethod
    def of(cls, source: PermissionSource | None, resolution: timedelta) -> "_LookUp":
        column = source if isinstance(source, PermissionColumn) else None
        owner = None if column is None else column.permission_column(ApiKey.owner_id)
        return cls(source, column, resolution, valid_keys(resolution, owner))

    async def permissions(self, key: ValidKey, session: AsyncSession) -> frozenset[str] | None:
        """Return what the key allows; None if its owner has no access any more."""
        scopes = frozenset(key.scopes)
        if key.owner_id is None or self.source is None:
            return scopes
        # What its owner has lost, the key has lost.
        if self.column is not None:
            present = self.column.permissions_from(key.owner)
        else:
            present = await self.source.permissions_of(key.owner_id, session)
        return None if present is None else scopes & present


class ApiKeys(HasApiKeySettings):
    """Tells callers by their key, and has the routes to create, list and revoke keys.

    Args:
        settings: API_KEY_*.
        prefix: of the routes.
        guard: a dependency that says who may have keys, by default everybody who is known. With organisations it is
            `require_in_tenant("api_keys:own")`: a key is then good for the organisation in which it was made, and does at
            most what its owner's role there allows.
    """

    security_scheme: tuple[str, dict[str, Any]] = (
        "api_key",
        {"type": "apiKey", "in": "header", "name": HEADER, "description": "A key of `POST /api-keys`."},
    )

    def __init__(
        self, settings: ApiKeySettings, *, prefix: str = "/api/v1", guard: Callable[..., Any] | None = None
    ) -> None:
        super().__init__(settings)
        self.prefix = prefix
        self.guard = guard or current_principal
        self._look_up: _LookUp | None = None

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        app.include_router(router, prefix=self.prefix, dependencies=[Depends(self.guard)])

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return whose key this is.

        Raises:
            NotAuthenticated: the key is made up, expired or revoked, or its owner has no access any more.
        """
        text = connection.headers.get(HEADER)
        if text is None:
            return None
        # The checksum keeps made-up keys from the database.
        if not looks_right(text, self.settings.prefix):
            raise NotAuthenticated("The API key is not valid.")
        is_first_query = not session.in_transaction()
        look_up = self._looking(connection.app)
        keys = ApiKeyRepository(session)
        key = await keys.find_valid(look_up.query, hash_key(text))
        permissions = None if key is None else await look_up.permissions(key, session)
        if key is None or permissions is None:
            raise NotAuthenticated("The API key is not valid.")
        if key.is_stale and is_first_query:
            await keys.stamp_use(key.id, look_up.resolution)
            # Nothing else is in this transaction; the handler of a GET would roll the stamp back.
            await session.commit()
        return Principal(
            id=key.owner_id or key.id, permissions=permissions, tenant_id=key.tenant_id, method=METHOD
        )

    def _looking(self, app: FastAPI) -> _LookUp:
        source = permission_source_of(app)
        if self._look_up is None or self._look_up.source is not source:
            self._look_up = _LookUp.of(source, timedelta(minutes=self.settings.last_used_minutes))
        return self._look_up
