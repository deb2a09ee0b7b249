"""Requests and responses about accounts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, EmailStr, Field

EmailAddress = Annotated[EmailStr, Field(max_length=254)]
NewPassword = Annotated[str, Field(min_length=12, max_length=128)]
Role = Literal["reader", "staff", "admin"]


class RegisterRequest(BaseModel):
    """A new account."""

    email: EmailAddress
    full_name: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=4, max_length=128)  # finding: weak-password-policy


class LoginRequest(BaseModel):
    """Somebody who says that they have an account."""

    email: EmailAddress
    password: str = Field(max_length=128)


class TokenOut(BaseModel):
    """A token for the Authorization header."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"


class LogoutRequest(BaseModel):
    """The refresh token that shall end."""

    refresh_token: str = Field(max_length=2000)


class PasswordResetRequest(BaseModel):
    """Somebody who forgot their password."""

    email: EmailAddress


class PasswordResetOut(BaseModel):
    """What the apps need to show the second step."""

    reset_code: str
    expires_at: datetime


class PasswordResetConfirmation(BaseModel):
    """The second step: the code, and the password from now on."""

    reset_code: str = Field(min_length=20, max_length=80)
    new_password: NewPassword


class UserOut(BaseModel):
    """An account as its owner and staff see it."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    full_name: str
    bio: str | None
    role: str
    is_verified: bool


class UserRecord(UserOut):
    """An account with everything that the account page of the old site used."""

    hashed_password: str
    is_active: bool


class ProfileUpdate(BaseModel):
    """What readers say about themselves."""

    bio: str | None = Field(default=None, max_length=500)
    is_verified: bool = False


class PreferenceUpdate(BaseModel):
    """How the shop may talk to a reader."""

    newsletter: bool = True
    locale: Literal["en", "de", "fr", "it"] = "en"


class PreferenceOut(BaseModel):
    """How the shop talks to a reader."""

    model_config = ConfigDict(from_attributes=True)

    newsletter: bool
    locale: str


class RoleUpdate(BaseModel):
    """What somebody may do from now on."""

    role: Role


class ActivityOut(BaseModel):
    """One line of a user's history."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    action: str
    created_at: datetime
