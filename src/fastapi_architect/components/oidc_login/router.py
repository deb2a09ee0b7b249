"""Signing in at a provider over HTTP."""

from fastapi import APIRouter, Request, Response

from ..access import public
from ..accounts.dependencies import OriginDep
from ..outgoing_http import HostUnreachable
from ..problem_details import Conflict, InvalidInput, NotAuthenticated, Unavailable, problems
from .dependencies import OidcEquipmentDep, OidcServiceDep
from .equipment import OidcEquipment
from .schemas import Departed, Return, SignedIn

router = APIRouter(prefix="/auth/oidc", tags=["signing in"], responses=problems(Unavailable, HostUnreachable))


@router.post("/start", summary="Begin to sign in at the provider")
@public
async def start(service: OidcServiceDep, equipment: OidcEquipmentDep, response: Response) -> Departed:
    """Return where the page sends the browser, and bind the attempt to this browser by a cookie."""
    departure = await service.leave()
    _set_cookie(response, equipment, departure.browser_secret, equipment.settings.attempt_minutes * 60)
    return Departed(authorization_url=departure.url)


@router.post(
    "/finish",
    summary="Finish signing in at the provider",
    responses=problems(NotAuthenticated, Conflict, InvalidInput),
)
@public
async def finish(
    back: Return,
    service: OidcServiceDep,
    equipment: OidcEquipmentDep,
    origin: OriginDep,
    request: Request,
    response: Response,
) -> SignedIn:
    """Exchange what the provider sent with the browser for tokens of this service. It works once."""
    # An answer that another provider was tricked into is none of this one's (RFC 9207).
    if back.iss is not None and back.iss != equipment.settings.issuer:
        raise NotAuthenticated("This answer is another provider's.")
    browser_secret = request.cookies.get(equipment.cookie, "")
    tokens = await service.come_back(back.state, back.code, browser_secret, origin)
    _set_cookie(response, equipment, "", 0)
    return SignedIn.model_validate(tokens)


def _set_cookie(response: Response, equipment: OidcEquipment, secret: str, max_age: int) -> None:
    response.set_cookie(
        equipment.cookie,
        secret,
        max_age=max_age,
        path="/",
        secure=not equipment.settings.is_local,
        httponly=True,
        samesite="lax",
    )
