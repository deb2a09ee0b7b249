"""Authentication over HTTP."""

from fastapi import APIRouter, Depends, status

from app.auth.dependencies import AuthServiceDep, CurrentUser
from app.auth.schemas import (
    Accepted,
    EmailVerification,
    Login,
    PasswordReset,
    PasswordResetRequest,
    Refresh,
    Registration,
    TokenPair,
)
from app.problems import CONFLICT, TOO_MANY_REQUESTS, UNAUTHENTICATED, UNAVAILABLE
from app.throttles import throttle_credentials, throttle_mail

#: The way in is open to strangers, therefore each operation is throttled.
public = APIRouter(prefix="/auth", tags=["auth"], responses={429: TOO_MANY_REQUESTS, 503: UNAVAILABLE})
members = APIRouter(prefix="/auth", tags=["auth"])


@public.post(
    "/register",
    summary="Register",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(throttle_mail)],
    responses={409: CONFLICT},
)
async def register(registration: Registration, service: AuthServiceDep) -> Accepted:
    """Open an account; an e-mail says how to go on, also when there is one already."""
    await service.register(registration)
    return Accepted(detail="We have sent you an e-mail.")


@public.post(
    "/verify-email",
    summary="Verify an e-mail address",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(throttle_credentials)],
    responses={409: CONFLICT},
)
async def verify_email(verification: EmailVerification, service: AuthServiceDep) -> None:
    """Activate an account with the token from its e-mail."""
    await service.verify_email(verification.token.get_secret_value())


@public.post(
    "/login",
    summary="Log in",
    dependencies=[Depends(throttle_credentials)],
    responses={401: UNAUTHENTICATED, 409: CONFLICT},
)
async def log_in(login: Login, service: AuthServiceDep) -> TokenPair:
    """Exchange an e-mail address and a password for an access token and a refresh token."""
    return await service.log_in(login)


@public.post(
    "/refresh",
    summary="Refresh the tokens",
    dependencies=[Depends(throttle_credentials)],
    responses={401: UNAUTHENTICATED, 409: CONFLICT},
)
async def refresh(request: Refresh, service: AuthServiceDep) -> TokenPair:
    """Exchange a refresh token for the next pair. A token that is used twice ends its session."""
    return await service.refresh(request.refresh_token.get_secret_value())


@public.post(
    "/forgot-password",
    summary="Request a password reset",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(throttle_mail)],
)
async def forgot_password(request: PasswordResetRequest, service: AuthServiceDep) -> Accepted:
    """Have a link sent to the address, if it has an account."""
    await service.request_password_reset(request.email)
    return Accepted(detail="If this address has an account, we have sent it an e-mail.")


@public.post(
    "/reset-password",
    summary="Reset the password",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(throttle_credentials)],
    responses={409: CONFLICT},
)
async def reset_password(reset: PasswordReset, service: AuthServiceDep) -> None:
    """Set a new password with the token from the e-mail, which ends all sessions of the account."""
    await service.reset_password(reset)


@members.post("/logout", summary="Log out", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(request: Refresh, principal: CurrentUser, service: AuthServiceDep) -> None:
    """End the session of the refresh token."""
    await service.log_out(principal, request.refresh_token.get_secret_value())
