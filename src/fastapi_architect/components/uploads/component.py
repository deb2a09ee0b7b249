"""Uploads as a part of a service."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from ..access import current_principal
from ..service import Component, RequestLimit, amend_openapi
from .documentation import document_bodies
from .policy import UploadPolicy, bytes_per_owner
from .settings import UploadSettings
from .storage import LocalStorage, Storage


class Uploads(Component):
    """Takes files and hands them out to their owners.

    Args:
        settings: the directory and the limits.
        storage: another place for the bytes than the directory.
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
        policy: UploadPolicy | None = None,
        prefix: str = "/api/v1",
        guard: Callable[..., Any] = current_principal,
    ) -> None:
        self.guard = guard
        self.settings = settings
        self.storage = storage or LocalStorage(settings.directory, settings.keep_free_bytes)
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
        await self.storage.check()
        yield

    async def check(self) -> None:
        """Raise OSError if nothing can be stored."""
        await self.storage.check()
