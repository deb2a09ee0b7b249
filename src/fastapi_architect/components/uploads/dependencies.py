"""How operations ask for uploads."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..access import CurrentPrincipal
from ..database import SessionDep
from ..service import installed
from .component import Uploads
from .service import UploadService


async def get_uploads(connection: HTTPConnection) -> Uploads:
    """Return the component."""
    return installed(connection.app, Uploads)


UploadsDep = Annotated[Uploads, Depends(get_uploads)]


async def get_upload_service(
    uploads: UploadsDep, principal: CurrentPrincipal, session: SessionDep
) -> UploadService:
    """Return the service for the caller's files, on the session of this request."""
    return UploadService(session, principal.id, uploads.storage, uploads.policy)


UploadServiceDep = Annotated[UploadService, Depends(get_upload_service)]
