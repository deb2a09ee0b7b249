"""What is sent to prove who one is, and what comes back."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from app.schemas import InputModel, OutputModel, ShortText
from app.users.schemas import EmailAddress, GivenPassword, NewPassword

OpaqueToken = Annotated[SecretStr, Field(min_length=40, max_length=64)]


class Registration(InputModel):
    """Somebody who wants an account."""

    email: EmailAddress
    display_name: ShortText
    password: NewPassword


class Login(InputModel):
    """Somebody who says they have an account."""

    email: EmailAddress
    password: GivenPassword


class EmailVerification(InputModel):
    """The token from the e-mail that followed a registration."""

    token: OpaqueToken


class Refresh(InputModel):
    """A refresh token: to exchange, or to end its session."""

    refresh_token: OpaqueToken


class PasswordResetRequest(InputModel):
    """Somebody who has forgotten their password."""

    email: EmailAddress


class PasswordReset(InputModel):
    """The token from the e-mail, and the new password."""

    token: OpaqueToken
    new_password: NewPassword


class TokenPair(OutputModel):
    """An access token to call with, and a refresh token that buys the next pair, once."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int


class Accepted(OutputModel):
    """The same answer whether or not there is an account."""

    detail: str
