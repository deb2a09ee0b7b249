"""RATE_LIMIT_*: how much everybody may ask, and whom to believe about addresses."""

from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode, SettingsConfigDict

from ..service import CommaSeparated, ComponentSettings
from .client_address import Network
from .rates import Rate


def _rates(text: str) -> str:
    for rate in text.split(","):
        Rate.parse(rate)
    return text


def _listed(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _network(value: Any) -> Network:
    network = ip_network(value)
    if network.prefixlen == 0:
        raise ValueError(
            "trusting every address lets each client choose its own; name the networks of your proxies"
        )
    return network


Rates = Annotated[str, AfterValidator(_rates)]
ProxyNetwork = Annotated[Network, BeforeValidator(_network)]


class RateLimitSettings(ComponentSettings):
    """RATE_LIMIT_*: how much everybody may ask, and whom to believe about addresses."""

    model_config = SettingsConfigDict(env_prefix="RATE_LIMIT_")

    #: Of each client over all routes together; several rates stand with commas between them.
    default: Rates = "300/minute"
    #: `memory` counts in each process apart: for one process only.
    storage: Literal["redis", "memory"] = "redis"
    #: Networks of our own proxies, whose X-Forwarded-For is believed.
    trusted_proxies: Annotated[tuple[ProxyNetwork, ...], NoDecode, BeforeValidator(_listed)] = ()
    #: Whether what comes through a unix socket comes from our own proxy.
    trust_unix_socket: bool = False
    #: Paths that the default does not count, such as those that a load balancer asks; `*` at the end means all below.
    exempt_paths: CommaSeparated = (
        "/health/live",
        "/health/ready",
        "/metrics",
    )
    #: Attempts to sign in: from one address, for one account from one address, for one account from anywhere.
    login_by_address: Rates = "30/minute,200/hour"
    login_by_account_and_address: Rates = "5/minute,20/hour"
    login_by_account: Rates = "100/hour"
