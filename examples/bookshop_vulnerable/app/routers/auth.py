"""Logging in and out, and getting back in."""

import random
import secrets
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Header, Query, Response
from fastapi.responses import RedirectResponse

from app.core.database import AsyncSessionDep, SessionDep
from app.core.errors import PermissionDenied
from app.core.security import create_access_token, create_refresh_token, password_hasher
from app.dependencies import CurrentUser, limit_by_client
from app.models import User
from app.schemas.user import (
    LoginRequest,
    LogoutRequest,
    PasswordResetConfirmation,
    PasswordResetOut,
    PasswordResetRequest,
    RegisterRequest,
    TokenOut,
    UserOut,
)
from app.services import account_service

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/register", status_code=201, dependencies=[Depends(limit_by_client)])
async def register(payload: RegisterRequest, session: AsyncSessionDep, response: Response) -> UserOut:
    """Open an account."""
    hashed_password = password_hasher.hash(payload.password)  # finding: cpu-bound-work-on-loop
    user = User(email=payload.email, full_name=payload.full_name, hashed_password=hashed_password)
    session.add(user)
    await session.commit()
    response.headers["Location"] = "/api/v1/users/me"
    return UserOut.model_validate(user)


@router.post("/login")
def login(payload: LoginRequest, session: SessionDep, response: Response) -> TokenOut:  # finding: login-or-otp-without-throttling, expensive-public-route-unthrottled
    """Exchange an address and a password for tokens."""
    user = account_service.log_in(session, payload)
    response.set_cookie("refresh_token", create_refresh_token(user.id), httponly=True, samesite="strict")  # finding: insecure-session-cookie
    response.set_cookie("csrf_token", f"{random.getrandbits(128):032x}", secure=True, samesite="strict")  # finding: predictable-security-token
    return TokenOut(access_token=create_access_token(user.id))


@router.post("/refresh", dependencies=[Depends(limit_by_client)])
def refresh(
    session: SessionDep,
    refresh_token: Annotated[str, Cookie(max_length=2000)],
    csrf_cookie: Annotated[str, Cookie(alias="csrf_token", max_length=64)],
    csrf_header: Annotated[str, Header(alias="X-CSRF-Token", max_length=64)],
) -> TokenOut:
    """Exchange the refresh cookie for an access token."""
    if not secrets.compare_digest(csrf_cookie.encode(), csrf_header.encode()):
        raise PermissionDenied("The CSRF token does not match.")
    return account_service.refresh(session, refresh_token)


@router.post("/logout", status_code=204)
def logout(payload: LogoutRequest, user: CurrentUser, session: SessionDep) -> None:
    """End a refresh token."""
    account_service.revoke(session, user, payload.refresh_token)


@router.post("/password-resets", status_code=201, dependencies=[Depends(limit_by_client)])
def request_password_reset(payload: PasswordResetRequest, session: SessionDep) -> PasswordResetOut:  # finding: reset-or-verify-token-lifecycle
    """Ask for a code with which a new password can be chosen."""
    return account_service.start_reset(session, payload.email)


@router.post("/password-resets/confirmation", status_code=204, dependencies=[Depends(limit_by_client)])
def confirm_password_reset(payload: PasswordResetConfirmation, session: SessionDep) -> None:
    """Choose a new password."""
    account_service.finish_reset(session, payload)


@router.get("/landing", response_class=RedirectResponse)
async def landing(next_page: Annotated[str, Query(alias="next", max_length=200)] = "/") -> RedirectResponse:
    """Send somebody who has just logged in back to where they came from."""
    return RedirectResponse(next_page)  # finding: open-redirect
