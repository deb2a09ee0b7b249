"""Browser sessions as JSON."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, EmailStr, Field, SecretStr
from pydantic.config import JsonDict

from ..database import InputModel, OutputModel

_EXAMPLE: JsonDict = {"email": "anna@example.com", "password": "correct horse battery staple"}  # nosec B105


class BrowserLogin(InputModel):
    """An e-mail address and a password."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    email: Annotated[EmailStr, Field(max_length=254)]
    password: Annotated[SecretStr, Field(min_length=1, max_length=128)]


class OpenSession(OutputModel):
    """Whose session it is. A page sends the token in `X-CSRF-Token` with every change."""

    account_id: UUID
    csrf_token: str
