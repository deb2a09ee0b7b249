"""WEBHOOK_*: how deliveries are signed, whom they may reach, and when an endpoint is given up."""

from typing import Annotated

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import SettingsConfigDict

from ..service import ComponentSettings, GeneratedSecret


class WebhookSettings(ComponentSettings):
    """WEBHOOK_*: production calls HTTPS on port 443 at public addresses, whatever the rest of the service may call."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOK_")

    #: The secrets of all endpoints are derived from it; no secret lies in the database.
    signing_key: GeneratedSecret
    #: While the key is replaced, deliveries are signed with the secrets of both.
    previous_signing_key: SecretStr | None = None
    ports: frozenset[Annotated[int, Field(ge=1, le=65_535)]] = frozenset({443})
    allow_plain_http: bool = False
    #: Networks of your own that users may name although they are not public.
    allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    #: Seconds for one delivery, with everything.
    timeout: Annotated[float, Field(gt=0, le=60)] = 15.0
    #: Of an answer; what is longer is not read.
    max_answer_bytes: Annotated[int, Field(ge=0, le=1024 * 1024)] = 64 * 1024
    endpoints_per_owner: Annotated[int, Field(ge=1, le=1000)] = 20
    #: Hours that the secret before stays good after a rotation.
    rotation_hours: Annotated[float, Field(ge=0, le=720)] = 24.0
    #: Days of nothing but failures after which an endpoint is disabled.
    disable_after_days: Annotated[float, Field(gt=0, le=90)] = 5.0
    #: Days that messages and the log of their deliveries are kept.
    keep_days: Annotated[float, Field(ge=1, le=3650)] = 30.0
