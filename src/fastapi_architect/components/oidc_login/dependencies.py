"""How an operation asks for sign-in at a provider."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..accounts.dependencies import EquipmentDep, SignInDep
from ..database import SessionDep
from ..service import installed
from .equipment import OidcEquipment
from .service import OidcService


async def get_oidc_equipment(connection: HTTPConnection) -> OidcEquipment:
    """Return what the component was made with."""
    return installed(connection.app, OidcEquipment)


OidcEquipmentDep = Annotated[OidcEquipment, Depends(get_oidc_equipment)]


async def get_oidc_service(
    session: SessionDep, equipment: OidcEquipmentDep, sign_in: SignInDep, accounts: EquipmentDep
) -> OidcService:
    """Return the service on the session of this request."""
    return OidcService(
        session, equipment.settings, equipment.provider, sign_in, list(accounts.new_account_roles)
    )


OidcServiceDep = Annotated[OidcService, Depends(get_oidc_service)]
