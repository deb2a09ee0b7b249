"""BROWSER_SESSION_*: how long a session lasts, and which pages may use it."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from ..service import ComponentSettings


class BrowserSessionSettings(ComponentSettings):
    """BROWSER_SESSION_*: how long a session lasts, and which pages may use it."""

    model_config = SettingsConfigDict(env_prefix="BROWSER_SESSION_")

    #: Minutes without a request after which a session ends. `ACCOUNTS_SESSION_DAYS` ends it in any case.
    idle_minutes: Annotated[int, Field(ge=1, le=43_200)] = 120
    #: Pages of other origins that may sign in and send changes, such as https://shop.example.com.
    origins: Annotated[tuple[str, ...], NoDecode] = ()
    same_site: Literal["lax", "strict"] = "lax"

    @field_validator("origins", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        """Take a list with commas, as an environment variable has it."""
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("origins")
    @classmethod
    def are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what no browser sends, and what every page would fit."""
        for origin in value:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or set("/*?#") & set(host):
                raise ValueError(f"{origin!r} is no origin such as https://shop.example.com")
        return value

    @property
    def cookie(self) -> str:
        """The name of the cookie. With `__Host-`, browsers take it over TLS only, and from no subdomain."""
        return "session" if self.is_local else "__Host-session"
