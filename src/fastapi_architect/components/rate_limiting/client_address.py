"""Who is at the other end? A header says whatever a client likes; only what our own proxies appended is believed."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Hops that are looked at: nobody has more proxies, and a header may be long.
_MOST_HOPS = 20
#: Characters of the longest address, with room for the name of an interface.
_LONGEST = 64


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Iterable[Network]) -> str | None:
    """Return the address of the client.

    Each proxy appends the address that connected to it, so the list is read from its end. What stands left of the
    first address that is no proxy of ours was written by the client itself.

    Args:
        peer: who connected to us, as the socket tells; None for a unix socket, where it is our own proxy.
        forwarded_for: the values of X-Forwarded-For, in their order.
        trusted: the networks of our own proxies.

    Returns:
        An address, or what the socket told if that is no address, or None if nothing is known.
    """
    networks = tuple(trusted)
    known = peer
    if peer is not None and not _is_trusted(peer, networks):
        return peer
    hops = ",".join(forwarded_for).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    for hop in reversed(hops):
        address = _without_port(hop.strip())
        # Nothing longer is remembered by the cache below, which a client could fill otherwise.
        if len(address) > _LONGEST or _parse(address) is None:
            return known
        known = address
        if not _is_trusted(address, networks):
            return known
    return known


@lru_cache(maxsize=4096)
def address_group(address: str) -> str:
    """Return who shares a counter with this address: a /64 of IPv6 is one customer with 2**64 addresses."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed or address)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    # A socket of both families shows 192.0.2.1 as ::ffff:192.0.2.1.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_trusted(text: str, networks: tuple[Network, ...]) -> bool:
    address = _parse(text)
    return address is not None and any(address in network for network in networks)


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and hop.count(":") == 1 else hop
