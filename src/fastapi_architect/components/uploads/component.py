"""Uploads as a part of a service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from ..access import current_principal
from ..database import Database, DatabaseSettings
from ..service import Component, RequestLimit, amend_openapi
from .database_storage import CONNECTIONS, DatabaseStorage
from .documentation import document_bodies
from .policy import UploadPolicy, bytes_per_owner
from .settings import UploadSettings
from .storage import LocalStorage, Storage


class Uploads(Component):
    """Takes files and hands them out to their owners.

    Args:
        settings: the directory, if there is one, and the limits.
        storage: another place for the bytes than the settings say.
        database: in which they lie where the settings name no directory; None: one of `DATABASE_URL`, with connections of its own.
        policy: other kinds, quotas and examinations than the settings say.
        prefix: of the routes.
        guard: a dependency that says who may upload, by default everybody who is known; with organisations such as
            `require_in_tenant("files:write")`. A file stays its owner's, whatever they act for.
    """

    def __init__(
        self,
        settings: UploadSettings,
        *,
        storage: Storage | None = None,
        database: Database | None = None,
        policy: UploadPolicy | None = None,
        prefix: str = "/api/v1",
        guard: Callable[..., Any] = current_principal,
    ) -> None:
        self.guard = guard
        self.settings = settings
        self._own_database: Database | None = None
        self.storage = storage or self._storage_of(settings, database)
        self.policy = policy or UploadPolicy(
            quota=bytes_per_owner(settings.owner_bytes), max_file_bytes=settings.max_file_bytes
        )
        self._prefix = prefix
        #: What `request_limits` asks for, where it is installed: uploads are larger and take longer than other requests.
        self.request_limits = {
            f"{prefix}/uploads": RequestLimit(settings.max_request_bytes, settings.seconds),
            f"{prefix}/uploads/{{upload_id}}": RequestLimit(self.policy.max_file_bytes, settings.seconds),
        }

    def install(self, app: FastAPI) -> None:
        """Add the routes, and say in OpenAPI what they take."""
        from .router import router

        app.include_router(router, prefix=self._prefix, dependencies=[Depends(self.guard)])
        amend_openapi(
            app,
            lambda document: document_bodies(
                document, f"{self._prefix}/uploads", self.policy.kinds, self.settings.max_files
            ),
        )

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        """Refuse to start when nothing can be stored."""
        try:
            await self.storage.check()
            yield
        finally:
            if self._own_database is not None:
                await self._own_database.close()

    async def check(self) -> None:
        """Raise if nothing can be stored."""
        await self.storage.check()

    def _storage_of(self, settings: UploadSettings, database: Database | None) -> Storage:
        if settings.directory is not None:
            return LocalStorage(settings.directory, settings.keep_free_bytes)
        if database is None:
            few = {"pool_size": CONNECTIONS, "max_overflow": 0}
            database = self._own_database = Database(DatabaseSettings(), engine_options=few)
        return DatabaseStorage(database, settings.database_bytes)
