"""How an operation asks for browser sessions."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..accounts.dependencies import EquipmentDep, SignInDep
from ..service import installed
from .equipment import BrowserSessionEquipment
from .service import BrowserSignIn


async def get_browser_equipment(connection: HTTPConnection) -> BrowserSessionEquipment:
    """Return what the component was made with."""
    return installed(connection.app, BrowserSessionEquipment)


BrowserEquipmentDep = Annotated[BrowserSessionEquipment, Depends(get_browser_equipment)]


async def get_browser_sign_in(
    connection: HTTPConnection, equipment: BrowserEquipmentDep, sign_in: SignInDep, accounts: EquipmentDep
) -> BrowserSignIn:
    """Return the service of this request."""
    return BrowserSignIn(sign_in, accounts.tokens, equipment.store(connection))


BrowserSignInDep = Annotated[BrowserSignIn, Depends(get_browser_sign_in)]
