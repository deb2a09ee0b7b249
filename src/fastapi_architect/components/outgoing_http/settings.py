"""OUTGOING_HTTP_*: whom the service may call, and how long it waits."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, IPvAnyNetwork
from pydantic_settings import NoDecode, SettingsConfigDict

from ..service import ComponentSettings

Seconds = Annotated[float, Field(gt=0, le=600)]


def _split(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Port = Annotated[int, Field(ge=1, le=65535)]
#: With commas between them in a variable.
Ports = Annotated[frozenset[Port], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)]


class OutgoingHttpSettings(ComponentSettings):
    """Production calls HTTPS on port 443 at public addresses, and nothing else, until it is told more."""

    model_config = SettingsConfigDict(env_prefix="OUTGOING_HTTP_")

    ports: Ports = frozenset({443})
    #: Whether `http://` may be called, which everybody on the way can read and change.
    allow_plain_http: bool = False
    #: Networks of our own that may be called although they are not public.
    allowed_networks: Networks = ()
    connect_timeout: Seconds = 3.0
    read_timeout: Seconds = 10.0
    #: For the whole call, with retries and redirects; a host that sends one byte at a time cannot outlast it.
    total_timeout: Seconds = 30.0
    #: How long a call waits for one of the connections.
    pool_timeout: Seconds = 3.0
    max_connections: Annotated[int, Field(ge=1, le=1000)] = 100
    max_answer_bytes: Annotated[int, Field(ge=1)] = 5 * 1024 * 1024
    #: With the first one.
    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    #: Failures in a row after which a host is left alone, and for how many seconds.
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_seconds: Seconds = 30.0
    user_agent: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[ -~]+$")] = "service/1.0"
