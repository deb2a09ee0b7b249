"""Keys as credentials."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from sqlalchemy.ext.asyncio import AsyncSession

from ..access import current_principal, permission_source_of
from ..problem_details import NotAuthenticated
from ..service import Principal
from .models import ApiKey
from .repository import ApiKeyRepository
from .router import router
from .service import METHOD
from .settings import ApiKeySettings, HasApiKeySettings
from .tokens import hash_key, looks_right

HEADER = "X-API-Key"


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
        resolution = timedelta(minutes=self.settings.last_used_minutes)
        keys = ApiKeyRepository(session)
        found = await keys.find_valid(hash_key(text), resolution)
        if found is None:
            raise NotAuthenticated("The API key is not valid.")
        key, is_stale = found
        permissions = await _permissions(key, connection, session)
        if permissions is None:
            raise NotAuthenticated("The API key is not valid.")
        if is_stale and is_first_query:
            await keys.stamp_use(key.id, resolution)
            # Nothing else is in this transaction; the handler of a GET would roll the stamp back.
            await session.commit()
        return Principal(
            id=key.owner_id or key.id, permissions=permissions, tenant_id=key.tenant_id, method=METHOD
        )


async def _permissions(
    key: ApiKey, connection: HTTPConnection, session: AsyncSession
) -> frozenset[str] | None:
    scopes = frozenset(key.scopes)
    if key.owner_id is None:
        return scopes
    source = permission_source_of(connection.app)
    if source is None:
        return scopes
    # What its owner has lost, the key has lost.
    present = await source.permissions_of(key.owner_id, session)
    return None if present is None else scopes & present
