"""Which addresses may be called: public ones, and networks that the operator named.

The list is our own because `ipaddress.is_global` changes between versions of Python, and because some addresses inside of
the public range belong to the host's provider.
"""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from .errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Raises AddressRefused for an address that may not be called.
AddressGuard = Callable[[Address], None]

_NOT_PUBLIC_IPV4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of one provider
        "127.0.0.0/8",
        "168.63.129.16/32",  # looks public: the metadata and wire server of one provider
        "169.254.0.0/16",  # link-local; 169.254.169.254 hands out credentials
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
#: All that is given out to hosts lies in here. Loopback, IPv4-mapped, NAT64, unique local, link-local and multicast do not.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
_NOT_PUBLIC_IPV6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo and other protocols: an IPv4 address hides in them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address hides in it
        "3fff::/20",
    )
)


def public_address_only(address: Address) -> None:
    """Let public addresses pass.

    Raises:
        AddressRefused: it is none.
    """
    if not _is_public(address):
        raise AddressRefused


def public_address_or(networks: Iterable[Network | str]) -> AddressGuard:
    """Return a guard that lets public addresses pass and these networks, such as `10.20.0.0/16`."""
    named = tuple(ip_network(str(network)) for network in networks)

    def guard(address: Address) -> None:
        if not any(address in network for network in named):
            public_address_only(address)

    return guard


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _NOT_PUBLIC_IPV6)
