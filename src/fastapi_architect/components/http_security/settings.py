"""What is allowed; everything else is not."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_settings import SettingsConfigDict

from ..service import CommaSeparated, ComponentSettings

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]", "testserver")
_HOST = re.compile(
    r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|\[[0-9a-f:.]+\]"
)
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?")
YEAR = 365 * 24 * 3600


class HttpSecuritySettings(ComponentSettings):
    """HTTP_*: which hosts, origins and schemes are let in."""

    model_config = SettingsConfigDict(env_prefix="HTTP_")

    #: The names under which the API is reached: `api.example.com`, or `*.example.com` for all below it.
    allowed_hosts: CommaSeparated = ()
    #: Websites whose programs may read answers: `https://app.example.com`. None, unless named.
    allowed_origins: CommaSeparated = ()
    #: Whether those websites may send cookies. Not needed for bearer tokens.
    allow_credentials: bool = False
    #: Whether plain HTTP is refused; left out, everywhere but on a developer's machine.
    require_https: bool | None = None
    #: Seconds for which browsers use HTTPS only.
    hsts_seconds: Annotated[int, Field(ge=0)] = 2 * YEAR
    #: Paths, compared whole, for which neither host nor scheme is asked: the platform's probes come by address, unencrypted.
    probe_paths: CommaSeparated = ("/health/live", "/health/ready")

    @property
    def requires_https(self) -> bool:
        """Whether plain HTTP is refused."""
        return not self.is_local if self.require_https is None else self.require_https

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that are let in."""
        return self.allowed_hosts + LOCAL_HOSTS if self.is_local else self.allowed_hosts

    @model_validator(mode="after")
    def hosts_are_names(self) -> Self:
        """Refuse a list that lets every host in: links in mails and caches would be a stranger's."""
        if not self.hosts:
            raise ValueError(
                "HTTP_ALLOWED_HOSTS: name the hosts under which the API is reached: api.example.com"
            )
        for host in self.allowed_hosts:
            if not _HOST.fullmatch(host):
                raise ValueError(
                    f"HTTP_ALLOWED_HOSTS: {host!r} is no name of a host, in small letters and without a port"
                )
            if host.startswith("*.") and host.count(".") < 2:
                raise ValueError(f"HTTP_ALLOWED_HOSTS: {host!r} lets in hosts of strangers")
        return self

    @model_validator(mode="after")
    def origins_are_websites(self) -> Self:
        """Refuse a wildcard, a path, and plain HTTP outside of local development."""
        for origin in self.allowed_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"HTTP_ALLOWED_ORIGINS: {origin!r} is no origin such as https://app.example.com"
                )
            if not self.is_local and not origin.startswith("https://"):
                raise ValueError(
                    f"HTTP_ALLOWED_ORIGINS: {origin!r} can be changed on its way; name it with https://"
                )
        return self
