"""The service on the session of a request."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..access import CurrentPrincipal
from ..database import SessionDep
from ..service import Principal, acts_of, installed, principal_of
from .service import ApiKeyService
from .settings import ApiKeySettings, HasApiKeySettings


async def get_api_key_settings(connection: HTTPConnection) -> ApiKeySettings:
    """Return the settings that the component was made with."""
    return installed(connection.app, HasApiKeySettings).settings


ApiKeySettingsDep = Annotated[ApiKeySettings, Depends(get_api_key_settings)]


async def get_api_key_service(
    connection: HTTPConnection, session: SessionDep, settings: ApiKeySettingsDep
) -> ApiKeyService:
    """Return the service on the session of this request."""
    return ApiKeyService(session, settings.prefix, acts_of(connection.app))


ApiKeyServiceDep = Annotated[ApiKeyService, Depends(get_api_key_service)]


async def get_caller(connection: HTTPConnection, principal: CurrentPrincipal) -> Principal:
    """Return the caller as the guard of the routes knows them, which has run before: as a member, where it asks for one."""
    return principal_of(connection) or principal


CallerDep = Annotated[Principal, Depends(get_caller)]
