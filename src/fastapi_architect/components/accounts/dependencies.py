"""Services on the session of a request, and the caller as the holder of an account."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ..access import CurrentPrincipal
from ..database import SessionDep
from ..problem_details import Forbidden
from ..service import installed
from .attempts import network_of
from .equipment import AccountEquipment
from .principal import AccountPrincipal
from .service import AccountService
from .session_repository import Origin
from .sign_in import SignIn


async def current_account(principal: CurrentPrincipal) -> AccountPrincipal:
    """Return the caller, who signed in to an account.

    Raises:
        Forbidden: they came with something else, such as an API key, which must not change its owner's password.
    """
    if not isinstance(principal, AccountPrincipal):
        raise Forbidden("Sign in to an account for this.")
    return principal


CurrentAccount = Annotated[AccountPrincipal, Depends(current_account)]


async def get_equipment(connection: HTTPConnection) -> AccountEquipment:
    """Return what the component was made with."""
    return installed(connection.app, AccountEquipment)


EquipmentDep = Annotated[AccountEquipment, Depends(get_equipment)]


async def get_origin(connection: HTTPConnection) -> Origin:
    """Return where the request came from.

    The address is the peer's, or what a trusted proxy said (uvicorn's `--forwarded-allow-ips`); no header is read for
    it here, because any client can write any header.
    """
    agent = "".join(letter for letter in connection.headers.get("user-agent", "") if letter.isprintable())
    host = connection.client.host if connection.client else "unknown"
    return Origin(client=agent[:200], address=network_of(host))


OriginDep = Annotated[Origin, Depends(get_origin)]


async def get_sign_in(session: SessionDep, equipment: EquipmentDep) -> SignIn:
    """Return the service on the session of this request."""
    return SignIn(session, equipment.settings, equipment.hashing, equipment.tokens)


SignInDep = Annotated[SignIn, Depends(get_sign_in)]


async def get_account_service(
    session: SessionDep, equipment: EquipmentDep, sign_in: SignInDep
) -> AccountService:
    """Return the service on the session of this request."""
    return AccountService(
        session=session,
        settings=equipment.settings,
        hashing=equipment.hashing,
        policy=equipment.policy,
        sign_in=sign_in,
        roles=equipment.roles,
        new_account_roles=equipment.new_account_roles,
    )


AccountServiceDep = Annotated[AccountService, Depends(get_account_service)]
