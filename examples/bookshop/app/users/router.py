"""Accounts over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, status

from app.auth.dependencies import AdminUser, CurrentUser
from app.pagination import Page, PageQuery, TimeCursor
from app.problems import CONFLICT, NOT_FOUND, TOO_MANY_REQUESTS, UNAVAILABLE
from app.throttles import throttle_credentials
from app.users.dependencies import UserServiceDep
from app.users.schemas import PasswordChange, Profile, ProfileChange, UserRecord, UserRecordChange

members = APIRouter(prefix="/users", tags=["users"])
admins = APIRouter(prefix="/users", tags=["users"])


@members.get("/me", summary="Read the own account", responses={404: NOT_FOUND})
async def read_profile(principal: CurrentUser, service: UserServiceDep) -> Profile:
    """Return the account of the caller."""
    return Profile.model_validate(await service.read_profile(principal))


@members.patch("/me", summary="Change the own account", responses={404: NOT_FOUND, 409: CONFLICT})
async def change_profile(change: ProfileChange, principal: CurrentUser, service: UserServiceDep) -> Profile:
    """Change the fields that are sent; the others stay as they are."""
    return Profile.model_validate(await service.change_profile(principal, change))


@members.put(
    "/me/password",
    summary="Change the own password",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(throttle_credentials)],
    responses={404: NOT_FOUND, 409: CONFLICT, 429: TOO_MANY_REQUESTS, 503: UNAVAILABLE},
)
async def change_password(change: PasswordChange, principal: CurrentUser, service: UserServiceDep) -> None:
    """Replace the password, which ends all sessions of the account, this one included."""
    await service.change_password(principal, change)


@admins.get("", summary="List accounts")
async def list_users(query: Annotated[PageQuery, Query()], service: UserServiceDep) -> Page[UserRecord]:
    """Return a page of all accounts, newest first."""
    cursor = TimeCursor.decode(query.cursor) if query.cursor is not None else None
    page = await service.list_users(cursor, query.limit)
    return Page(items=[UserRecord.model_validate(user) for user in page.rows], next_cursor=page.next_cursor)


@admins.patch("/{user_id}", summary="Change an account", responses={404: NOT_FOUND, 409: CONFLICT})
async def change_user(
    user_id: UUID, change: UserRecordChange, admin: AdminUser, service: UserServiceDep
) -> UserRecord:
    """Change the role of an account, or lock or unlock it; its sessions end."""
    return UserRecord.model_validate(await service.change_user(admin, user_id, change))
