"""ACCOUNTS_*: keys, lifetimes and limits of signing in."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings, GeneratedSecret
from ..service.settings import GENERATED


def _is_website(url: str) -> str:
    if not url.startswith(("http://", "https://")) or "#" in url or "?" in url:
        raise ValueError("is a URL such as https://shop.example.com")
    return url.rstrip("/")


class AccountSettings(ComponentSettings):
    """ACCOUNTS_*: keys, lifetimes and limits of signing in."""

    model_config = SettingsConfigDict(env_prefix="ACCOUNTS_")

    #: Signs access tokens. To change it, put the old one into `previous_signing_key` for as long as tokens live.
    signing_key: GeneratedSecret
    previous_signing_key: Annotated[SecretStr | None, GENERATED] = None
    #: Where the pages are to which mails lead. Never the host that a request names: whoever asks would choose it.
    website_url: Annotated[str, AfterValidator(_is_website)]
    issuer: Annotated[str, Field(min_length=1, max_length=200)] = "app"
    audience: Annotated[str, Field(min_length=1, max_length=200)] = "app-api"
    access_minutes: Annotated[int, Field(ge=1, le=60)] = 10
    #: From the login on, however often it is refreshed.
    session_days: Annotated[int, Field(ge=1, le=365)] = 14
    registration_hours: Annotated[int, Field(ge=1, le=168)] = 24
    email_change_hours: Annotated[int, Field(ge=1, le=168)] = 24
    reset_minutes: Annotated[int, Field(ge=5, le=1440)] = 30
    #: How far clocks may be apart.
    leeway_seconds: Annotated[int, Field(ge=0, le=120)] = 10
    #: Within the window: tries of one address for one account, for one account from everywhere, of one address.
    attempts_per_client: Annotated[int, Field(ge=3, le=1000)] = 10
    attempts_per_account: Annotated[int, Field(ge=3, le=100_000)] = 100
    attempts_per_address: Annotated[int, Field(ge=3, le=100_000)] = 100
    attempt_window_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    #: Mails to one address within an hour.
    mails_per_address: Annotated[int, Field(ge=1, le=100)] = 3
    #: Passwords that are hashed at once; each takes a core and 64 MiB for a moment.
    hashes_at_once: Annotated[int, Field(ge=1, le=64)] = 2
