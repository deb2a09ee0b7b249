"""How accounts and signing in look from outside."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic.config import JsonDict

from ..database import InputModel, OutputModel
from .emails import deliverable
from .passwords import MAX_LENGTH, MIN_LENGTH

EmailAddress = Annotated[
    str,
    Field(min_length=3, max_length=254, json_schema_extra={"format": "email"}),
    AfterValidator(deliverable),
]
NewPassword = Annotated[SecretStr, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
#: A present password is compared, not judged.
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=MAX_LENGTH)]
MailedTokenText = Annotated[SecretStr, Field(min_length=40, max_length=64)]
RefreshTokenText = Annotated[SecretStr, Field(min_length=80, max_length=128)]
#: Text that people type; control characters such as NUL are none.
DisplayName = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
RoleName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-z0-9_-]+$")]

_RANDOM = "Zq3mYkT1h0cVx8uWb5nJr2dLs7fGpA9eKiQoRtUvXyz"
_PHRASE, _OLD_PHRASE = "four unrelated words here", "the old words"
_JWT, _SCHEME = "eyJ…", "Bearer"
_ID = "01980a52-7c1e-7bbd-9f35-6c1b2b7a0f11"
_MOMENT = "2026-11-21T20:00:00Z"
_PROFILE: JsonDict = {
    "id": _ID,
    "email": "ada@example.com",
    "display_name": "Ada",
    "roles": ["editor"],
    "created_at": _MOMENT,
}


def _example(example: JsonDict) -> JsonDict:
    return {"examples": [example]}


class RegistrationRequest(InputModel):
    """Somebody who wants an account."""

    model_config = ConfigDict(json_schema_extra=_example({"email": "ada@example.com"}))

    email: EmailAddress


class Registration(InputModel):
    """The token from the mail, and what the account is to have."""

    model_config = ConfigDict(
        json_schema_extra=_example({"token": _RANDOM, "password": _PHRASE, "display_name": "Ada"})
    )

    token: MailedTokenText
    password: NewPassword
    display_name: DisplayName = ""


class Login(InputModel):
    """Somebody who says they have an account."""

    model_config = ConfigDict(json_schema_extra=_example({"email": "ada@example.com", "password": _PHRASE}))

    #: Any text: whoever mistypes it is not told more than that it is wrong.
    email: Annotated[str, Field(min_length=1, max_length=254, pattern=r"^[^\x00-\x1f\x7f]+$")]
    password: GivenPassword


class Refresh(InputModel):
    """A refresh token, to exchange for the next one."""

    model_config = ConfigDict(json_schema_extra=_example({"refresh_token": f"{_RANDOM}.{_RANDOM}"}))

    refresh_token: RefreshTokenText


class TokenPair(OutputModel):
    """An access token to call with, and a refresh token that buys the next pair, once."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            {
                "access_token": _JWT,
                "refresh_token": f"{_RANDOM}.{_RANDOM}",
                "token_type": _SCHEME,
                "expires_in": 600,
            }
        ),
    )

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    #: Seconds.
    expires_in: int


class ResetRequest(InputModel):
    """Somebody who has forgotten their password."""

    model_config = ConfigDict(json_schema_extra=_example({"email": "ada@example.com"}))

    email: EmailAddress


class PasswordReset(InputModel):
    """The token from the mail, and the new password."""

    model_config = ConfigDict(json_schema_extra=_example({"token": _RANDOM, "password": _PHRASE}))

    token: MailedTokenText
    password: NewPassword


class EmailConfirmation(InputModel):
    """The token that was sent to a new address."""

    model_config = ConfigDict(json_schema_extra=_example({"token": _RANDOM}))

    token: MailedTokenText


class Accepted(OutputModel):
    """The same answer whether or not there is an account."""

    model_config = ConfigDict(json_schema_extra=_example({"detail": "We have sent an e-mail."}))

    detail: str


class Profile(OutputModel):
    """An account as its owner sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROFILE]})

    id: UUID
    email: str
    display_name: str
    roles: list[str]
    created_at: AwareDatetime


class ProfileChange(InputModel):
    """What an owner may change without a proof."""

    model_config = ConfigDict(json_schema_extra=_example({"display_name": "Ada L."}))

    display_name: DisplayName


class PasswordChange(InputModel):
    """A new password, and the present one as a proof."""

    model_config = ConfigDict(
        json_schema_extra=_example({"present_password": _OLD_PHRASE, "password": _PHRASE})
    )

    present_password: GivenPassword
    password: NewPassword


class EmailChange(InputModel):
    """A new address, and the password as a proof."""

    model_config = ConfigDict(json_schema_extra=_example({"email": "ada@example.org", "password": _PHRASE}))

    email: EmailAddress
    password: GivenPassword


class SessionRecord(OutputModel):
    """A place where the caller is signed in."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            {
                "id": _ID,
                "client": "Mozilla/5.0",
                "address": "203.0.113.7",
                "created_at": _MOMENT,
                "refreshed_at": _MOMENT,
                "expires_at": "2026-12-05T20:00:00Z",
                "is_present": True,
            }
        ),
    )

    id: UUID
    client: str
    address: str
    created_at: AwareDatetime
    refreshed_at: AwareDatetime
    expires_at: AwareDatetime
    #: This is the session that asks.
    is_present: bool = False


class SessionList(OutputModel):
    """The caller's sessions that are alive, newest first, a hundred at most."""

    items: list[SessionRecord]


class AccountRecord(Profile):
    """An account as an administrator sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROFILE | {"is_active": True, "version": 3}]})

    is_active: bool
    version: int


class Administration(InputModel):
    """What an administrator changes; what is left out stays as it is."""

    model_config = ConfigDict(
        json_schema_extra=_example({"version": 3, "roles": ["editor"], "is_active": True})
    )

    #: Of the record that they looked at.
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    roles: Annotated[list[RoleName], Field(max_length=50)] | None = None
    is_active: bool | None = None

    @model_validator(mode="after")
    def changes_something(self) -> Self:
        """Refuse a change of nothing."""
        if self.roles is None and self.is_active is None:
            raise ValueError("name roles, is_active or both")
        return self
