"""Signing in at a provider as JSON."""

from typing import Annotated

from pydantic import ConfigDict, Field

from ..database import InputModel, OutputModel

Opaque = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[\x20-\x7e]+$")]


class Departed(OutputModel):
    """Where the page sends the browser."""

    authorization_url: str


class Return(InputModel):
    """What the provider put into the address of the page to which it sent the browser back."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"state": "AbcDef", "code": "4/0AX", "iss": "https://accounts.example"}]
        }
    )

    state: Opaque
    code: Opaque
    #: RFC 9207: which provider it was; not every one says so.
    iss: Opaque | None = None


class SignedIn(OutputModel):
    """Tokens, as of `POST /auth/login`."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: str = "Bearer"
