"""API_KEY_*: how keys look and how long they live."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from ..service import Component, ComponentSettings


class ApiKeySettings(ComponentSettings):
    """API_KEY_*: how keys look and how long they live."""

    model_config = SettingsConfigDict(env_prefix="API_KEY_")

    #: The beginning of every key, one that nobody else uses. Changing it ends all keys.
    prefix: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{1,19}$")] = "app"
    default_days: Annotated[int, Field(ge=1, le=3650)] = 90
    maximum_days: Annotated[int, Field(ge=1, le=3650)] = 365
    #: Minutes within which the use of a key is noted once.
    last_used_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60

    @model_validator(mode="after")
    def default_is_allowed(self) -> Self:
        """Refuse a default that is longer than the maximum."""
        if self.default_days > self.maximum_days:
            raise ValueError("API_KEY_DEFAULT_DAYS is at most API_KEY_MAXIMUM_DAYS")
        return self


class HasApiKeySettings(Component):
    """The part of the component that its routes ask for."""

    def __init__(self, settings: ApiKeySettings) -> None:
        self.settings = settings
