"""Which URLs may be called, by how they are written: before anything is resolved."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from httpx2 import URL, InvalidURL

from .errors import UrlRefused

MAX_LENGTH = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRINTABLE = re.compile(r"[!-\[\]-~]+")  # ASCII without space and backslash
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")


@dataclass(frozen=True, slots=True)
class UrlRules:
    """What every URL has to look like, also one that a redirect names."""

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443})

    def check(self, url: str) -> URL:
        """Return the URL, parsed once: what was checked is what is called.

        Raises:
            UrlRefused: it is not one that the service calls, or two parsers could read it differently.
        """
        if len(url) > MAX_LENGTH or not _PRINTABLE.fullmatch(url):
            raise UrlRefused(
                "A URL has at most 2048 characters, ASCII and printable, without spaces and backslashes."
            )
        try:
            parsed = URL(url)
        except InvalidURL as error:
            raise UrlRefused("This is not a URL.") from error
        if parsed.scheme not in self.schemes:
            raise UrlRefused(
                f"A URL begins with {' or '.join(f'{name}://' for name in sorted(self.schemes))}."
            )
        if parsed.userinfo:
            raise UrlRefused("A URL holds no user name and no password.")
        _check_host(parsed.host)
        if port_of(parsed) not in self.ports:
            raise UrlRefused("This port is not called.")
        return parsed


def port_of(url: URL) -> int:
    """Return the port of a URL, also when it goes without saying."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def _check_host(host: str) -> None:
    if not host or "%" in host:
        raise UrlRefused("A URL names its host, without encoded characters and without a zone.")
    if ":" in host:
        try:
            IPv6Address(host)
        except AddressValueError as error:
            raise UrlRefused("This is not an IPv6 address.") from error
    elif _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        # 2130706433, 0x7f.1, 0177.0.0.1 and 127.1 are all 127.0.0.1 to some resolver: one spelling is enough.
        try:
            IPv4Address(host)
        except AddressValueError as error:
            raise UrlRefused("An IPv4 address is written as four decimal numbers.") from error
