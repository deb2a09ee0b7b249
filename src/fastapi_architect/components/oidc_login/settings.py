"""OIDC_*: at whose place people sign in, and as which client."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings

Text = Annotated[str, Field(min_length=1, max_length=500)]


class OidcSettings(ComponentSettings):
    """OIDC_*: at whose place people sign in, and as which client."""

    model_config = SettingsConfigDict(env_prefix="OIDC_")

    #: As the provider writes it, such as https://accounts.google.com.
    issuer: Text
    client_id: Text
    client_secret: SecretStr
    #: The page of this service to which the provider sends the browser back; registered there letter by letter.
    redirect_url: Text
    scopes: Text = "openid email profile"
    #: Whether somebody whose address the provider has verified gets into the account that has this address already.
    link_by_email: bool = False
    #: Minutes between leaving for the provider and coming back.
    attempt_minutes: Annotated[int, Field(ge=1, le=60)] = 10

    @model_validator(mode="after")
    def addresses_are_encrypted(self) -> Self:
        """Refuse plain HTTP outside of local development: codes and keys travel there."""
        for name in ("issuer", "redirect_url"):
            if not self.is_local and not getattr(self, name).startswith("https://"):
                raise ValueError(f"OIDC_{name.upper()} begins with https://")
        if "openid" not in self.scopes.split():
            raise ValueError("OIDC_SCOPES contains openid")
        return self
