"""Everything that differs between two deployments, read once from the environment.

A secret has no default: a service that starts with a well-known key is worse than one that does not start.
"""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDERS = ("change", "secret", "password", "placeholder", "example", "default", "your", "test", "dev")


class Environment(StrEnum):
    """Where the service runs. Production is the default, so that a forgotten variable means strict."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def refuse_placeholder(secret: SecretStr) -> SecretStr:
    """Refuse a key that somebody typed instead of generating it."""
    value = secret.get_secret_value()
    if len(value) < 32 or len(set(value)) < 12 or value.lower().startswith(PLACEHOLDERS):
        raise ValueError("generate it: python -c 'import secrets; print(secrets.token_urlsafe(48))'")
    return secret


def refuse_wildcard(hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a list of hosts that lets every host through."""
    if not hosts or any("*" in host for host in hosts):
        raise ValueError("name each host; a wildcard lets a forged Host header through")
    return hosts


def require_psycopg(url: SecretStr) -> SecretStr:
    """Refuse another driver: API, workers and migrations share one, which is both sync and async."""
    if not url.get_secret_value().startswith("postgresql+psycopg://"):
        raise ValueError("begins with postgresql+psycopg://")
    return url


def require_redis(url: SecretStr) -> SecretStr:
    """Refuse what is not Redis."""
    if not url.get_secret_value().startswith(("redis://", "rediss://")):
        raise ValueError("begins with redis:// or rediss://")
    return url


SigningKey = Annotated[SecretStr, AfterValidator(refuse_placeholder)]
HostNames = Annotated[tuple[str, ...], AfterValidator(refuse_wildcard)]
#: Secret, because both may hold a password.
DatabaseUrl = Annotated[SecretStr, AfterValidator(require_psycopg)]
RedisUrl = Annotated[SecretStr, AfterValidator(require_redis)]


class Settings(BaseSettings):
    """The settings of one process; frozen, because a setting that changes at run time is state."""

    model_config = SettingsConfigDict(
        env_prefix="BOOKSHOP_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Environment = Environment.PRODUCTION
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    database_url: DatabaseUrl
    database_pool_size: Annotated[int, Field(ge=1, le=50)] = 10
    database_max_overflow: Annotated[int, Field(ge=0, le=50)] = 5
    redis_url: RedisUrl

    access_token_key: SigningKey
    payment_webhook_key: SigningKey
    mail_api_key: SigningKey

    mail_api_url: HttpUrl
    mail_sender: Annotated[str, Field(max_length=254)]
    breached_passwords_url: HttpUrl = HttpUrl("https://api.pwnedpasswords.com")
    #: The shop window that people see: links in e-mails lead there, never to the Host of a request.
    website_url: HttpUrl

    allowed_hosts: HostNames
    allowed_origins: HostNames
    cover_directory: Path

    redis_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 2.0
    mail_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 10.0
    breached_passwords_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 2.0

    max_body_bytes: Annotated[int, Field(ge=1_024)] = 6 * 1024 * 1024
    request_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 30.0

    @model_validator(mode="after")
    def origins_are_encrypted(self) -> Self:
        """Refuse a plain-text origin outside development."""
        if self.is_production and not all(origin.startswith("https://") for origin in self.allowed_origins):
            raise ValueError("allowed_origins: every origin starts with https:// in production")
        return self

    @property
    def is_production(self) -> bool:
        """Whether real customers use this deployment."""
        return self.environment is Environment.PRODUCTION


@lru_cache
def get_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        pydantic.ValidationError: a variable is missing or refused; the service must not start.
    """
    return Settings()
