"""How an operation asks for covers."""

from typing import Annotated

from fastapi import Depends

from app.covers.repository import CoverRepository
from app.covers.service import CoverService
from app.covers.storage import CoverStorage
from app.dependencies import SessionDep, SettingsDep


async def get_cover_storage(settings: SettingsDep) -> CoverStorage:
    """Return the folder of pictures."""
    return CoverStorage(settings.cover_directory)


CoverStorageDep = Annotated[CoverStorage, Depends(get_cover_storage)]


async def get_cover_service(session: SessionDep, storage: CoverStorageDep) -> CoverService:
    """Return the service on the session of this request."""
    return CoverService(session, CoverRepository(session), storage)


CoverServiceDep = Annotated[CoverService, Depends(get_cover_service)]
