"""REDIS_*: where Redis is and how long to wait for it."""

from typing import Annotated, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings


def _require_redis(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("begins with redis://, rediss:// (TLS) or unix://")
    return url


class RedisSettings(ComponentSettings):
    """REDIS_*: where Redis is and how long to wait for it."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")

    #: Secret, because it may hold a password: `rediss://user:password@host:6379/0?ssl_ca_certs=/run/ca.pem`.
    url: Annotated[SecretStr, AfterValidator(_require_redis)]
    max_connections: Annotated[int, Field(ge=1, le=1000)] = 50
    #: Seconds for a connection, an answer, and a free place in the pool.
    timeout: Annotated[float, Field(gt=0, le=10)] = 0.2
    #: Put before every key, so that two services can share a server.
    prefix: Annotated[str, Field(pattern="^[a-z0-9_-]*$")] = ""
    #: Failures in a row after which nobody waits for Redis, and seconds until one request tries again.
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_pause: Annotated[float, Field(gt=0, le=60)] = 1.0
    #: Whether the service is not ready without Redis; what stands in Redis is a help, unless it holds sessions.
    required: bool = False

    @model_validator(mode="after")
    def certificates_are_checked(self) -> Self:
        """Refuse a URL that turns certificates off: whoever stands between would read and write everything."""
        options = parse_qs(urlsplit(self.url.get_secret_value()).query)
        unchecked = options.get("ssl_cert_reqs", ["required"])[0].lower() != "required"
        if not self.is_local and unchecked:
            raise ValueError("name the authority with ssl_ca_certs=FILE in place of ssl_cert_reqs=none")
        return self
