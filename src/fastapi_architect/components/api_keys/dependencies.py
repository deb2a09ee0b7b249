"""The service on the session of a request."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..database import SessionDep
from ..service import installed
from .service import ApiKeyService
from .settings import ApiKeySettings, HasApiKeySettings


async def get_api_key_settings(connection: HTTPConnection) -> ApiKeySettings:
    """Return the settings that the component was made with."""
    return installed(connection.app, HasApiKeySettings).settings


ApiKeySettingsDep = Annotated[ApiKeySettings, Depends(get_api_key_settings)]


async def get_api_key_service(session: SessionDep, settings: ApiKeySettingsDep) -> ApiKeyService:
    """Return the service on the session of this request."""
    return ApiKeyService(session, settings.prefix)


ApiKeyServiceDep = Annotated[ApiKeyService, Depends(get_api_key_service)]
