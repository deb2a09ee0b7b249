"""Accounts: one's own, and what staff may do with those of others."""

from typing import Annotated

from fastapi import APIRouter, Depends

from app.core.database import SessionDep
from app.dependencies import CurrentUser, Principal, get_principal
from app.repositories import activity_repository
from app.schemas.fields import AfterId, EntityId, PageLimit
from app.schemas.user import (
    ActivityOut,
    PreferenceOut,
    PreferenceUpdate,
    ProfileUpdate,
    RoleUpdate,
    UserOut,
    UserRecord,
)
from app.services import account_service

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserOut)
async def get_me(user: CurrentUser) -> UserOut:
    """The caller's own account."""
    return UserOut.model_validate(user)


@router.patch("/me")
def update_me(payload: ProfileUpdate, user: CurrentUser, session: SessionDep) -> UserOut:
    """Change what the caller says about themselves."""
    return UserOut.model_validate(account_service.update_profile(session, user, payload))


@router.get("/me/account")
async def get_account(user: CurrentUser) -> UserOut | UserRecord:  # finding: sensitive-field-in-response
    """The caller's account, as the account page shows it."""
    return UserRecord.model_validate(user, from_attributes=True)


@router.patch("/me/preferences")
def update_preferences(payload: PreferenceUpdate, user: CurrentUser, session: SessionDep) -> PreferenceOut:
    """Change how the shop may talk to the caller."""
    return PreferenceOut.model_validate(account_service.update_preference(session, user.id, payload))


@router.get("/me/activities")
def list_activities(
    principal: Annotated[Principal, Depends(get_principal)],
    session: SessionDep,
    after: AfterId = 0,
    limit: PageLimit = 20,
) -> list[ActivityOut]:
    """What the caller did."""
    rows = activity_repository.list_of_user(session, principal.user_id, after, limit)
    return [ActivityOut.model_validate(row) for row in rows]


@router.put("/{user_id}/role")
def change_role(user_id: EntityId, payload: RoleUpdate, user: CurrentUser, session: SessionDep) -> UserOut:  # finding: privileged-route-without-role-check
    """Say what somebody may do."""
    return UserOut.model_validate(account_service.change_role(session, user_id, payload.role))
