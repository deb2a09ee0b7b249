"""Browser sessions over HTTP."""

from fastapi import APIRouter, Request, Response, status

from ..access import CurrentPrincipal, public
from ..accounts import CurrentAccount
from ..accounts.dependencies import OriginDep
from ..problem_details import Forbidden, NotAuthenticated, TooManyRequests, Unavailable, problems
from .cross_site import refuse_foreign_page
from .dependencies import BrowserEquipmentDep, BrowserSignInDep
from .schemas import BrowserLogin, OpenSession
from .settings import BrowserSessionSettings
from .store import BrowserSession

router = APIRouter(
    prefix="/browser-session",
    tags=["browser session"],
    responses=problems(NotAuthenticated, Forbidden, Unavailable),
)


@router.post("", summary="Sign in with a cookie", responses=problems(TooManyRequests))
@public
async def sign_in(
    login: BrowserLogin,
    service: BrowserSignInDep,
    equipment: BrowserEquipmentDep,
    origin: OriginDep,
    request: Request,
    response: Response,
) -> OpenSession:
    """Begin a session in the browser that asks. Pages of other sites may not, lest they sign somebody in as themselves."""
    refuse_foreign_page(request, equipment.settings.origins)
    session, secret = await service.open(
        login.email, login.password.get_secret_value(), origin, equipment.secret(request)
    )
    set_cookie(response, equipment.settings, secret)
    return published(session)


@router.get("", summary="Read the session")
async def read_session(
    principal: CurrentPrincipal, service: BrowserSignInDep, equipment: BrowserEquipmentDep, request: Request
) -> OpenSession:
    """Return the session's token for changes, which a page asks for when it was loaded anew."""
    return published(await service.find(equipment.secret(request)))


@router.delete("", summary="Sign out", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(
    principal: CurrentAccount,
    service: BrowserSignInDep,
    equipment: BrowserEquipmentDep,
    request: Request,
    response: Response,
) -> None:
    """End the session and take the cookie back."""
    await service.end(principal, equipment.secret(request))
    set_cookie(response, equipment.settings, "", max_age=0)


def published(session: BrowserSession) -> OpenSession:
    """Return what a page may know."""
    return OpenSession(account_id=session.account_id, csrf_token=session.csrf_token)


def set_cookie(
    response: Response, settings: BrowserSessionSettings, secret: str, *, max_age: int | None = None
) -> None:
    """Give the browser the secret, or take it back. Without an age it ends with the browser."""
    response.set_cookie(
        settings.cookie,
        secret,
        max_age=max_age,
        path="/",
        secure=not settings.is_local,
        httponly=True,
        samesite=settings.same_site,
    )
