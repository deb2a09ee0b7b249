"""How accounts look from outside."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, EmailStr, Field, SecretStr

from app.schemas import ChangeModel, InputModel, OutputModel, ShortText
from app.users.models import Role

#: Upper and lower case are one address, or else the same person could register twice.
EmailAddress = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
NewPassword = Annotated[SecretStr, Field(min_length=12, max_length=128)]
#: An old password is compared, not judged.
GivenPassword = Annotated[SecretStr, Field(min_length=1, max_length=128)]


class Profile(OutputModel):
    """An account as its owner sees it."""

    id: UUID
    email: EmailAddress
    display_name: ShortText
    role: Role
    created_at: AwareDatetime


class ProfileChange(ChangeModel):
    """The fields of an account that its owner may change; an absent one stays as it is."""

    display_name: ShortText | None = None


class PasswordChange(InputModel):
    """A new password, and the present one as a proof."""

    current_password: GivenPassword
    new_password: NewPassword


class UserRecord(OutputModel):
    """An account as an admin sees it."""

    id: UUID
    email: EmailAddress
    display_name: ShortText
    role: Role
    is_active: bool
    version: int
    created_at: AwareDatetime


class UserRecordChange(ChangeModel):
    """The fields of an account that an admin may change, and the version they looked at."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    role: Role | None = None
    is_active: bool | None = None
