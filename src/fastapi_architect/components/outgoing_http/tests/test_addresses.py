"""Which addresses and URLs are refused. Each entry has been somebody's way into a private network."""

from ipaddress import ip_address

import pytest

from fastapi_architect.components.outgoing_http import (
    AddressRefused,
    UrlRefused,
    UrlRules,
    public_address_only,
    public_address_or,
)

NOT_PUBLIC = {
    "this network": "0.0.0.0",
    "this network, another": "0.1.2.3",
    "private": "10.0.0.1",
    "private, middle": "172.16.0.1",
    "private, last": "172.31.255.255",
    "private, small": "192.168.1.1",
    "carrier-grade NAT": "100.64.0.1",
    "metadata in carrier-grade NAT": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback, another": "127.255.0.9",
    "metadata": "169.254.169.254",
    "metadata of containers": "169.254.170.2",
    "metadata that looks public": "168.63.129.16",
    "protocol assignments": "192.0.0.192",
    "documentation": "203.0.113.7",
    "benchmarks": "198.18.0.1",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "unspecified, v6": "::",
    "loopback, v6": "::1",
    "IPv4-mapped": "::ffff:127.0.0.1",
    "IPv4-mapped public": "::ffff:93.184.216.34",
    "IPv4-compatible": "::7f00:1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::1",
    "6to4": "2002:7f00:1::",
    "Teredo": "2001:0:7f00:1::",
    "documentation, v6": "2001:db8::1",
    "documentation, v6, new": "3fff::1",
    "unique local": "fc00::1",
    "metadata, v6": "fd00:ec2::254",
    "link-local, v6": "fe80::1",
    "link-local, v6, with zone": "fe80::1%eth0",
    "site-local": "fec0::1",
    "multicast, v6": "ff02::1",
    "discard": "100::1",
    "segment routing": "5f00::1",
}
PUBLIC = ["93.184.216.34", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "2a00:1450::1"]


@pytest.mark.parametrize("address", NOT_PUBLIC.values(), ids=NOT_PUBLIC.keys())
def test_an_address_inside_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        public_address_only(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    public_address_only(ip_address(address))


def test_a_network_that_the_operator_named_passes_and_no_other() -> None:
    guard = public_address_or(["10.20.0.0/16"])

    guard(ip_address("10.20.3.4"))
    guard(ip_address("8.8.8.8"))
    with pytest.raises(AddressRefused):
        guard(ip_address("10.21.0.1"))
    with pytest.raises(AddressRefused):
        guard(ip_address("::ffff:10.20.3.4"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://example.org/",
        "ftp://example.org/",
        "http://example.org/",
        "//example.org/",
        "example.org",
        "",
        "https://",
        "https:///path",
        "https://user@example.org/",
        "https://user:pass@example.org/",
        "https://example.org@127.0.0.1/",
        "https://127.0.0.1\\@example.org/",
        "https://example.org\\.evil.example/",
        "https://example.org/ space",
        "https://example.org/\r\nHost: other",
        "https://example.org/\x00",
        "https://exa\tmple.org/",
        "https://%31%32%37.0.0.1/",
        "https://127%2e0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.01/",
        "https://127.0.0.1./",
        "https://127.0.0.0x1/",
        "https://１２７.0.0.1/",
        "https://ⓛocalhost/",
        "https://[::1%25lo]/",
        "https://[::ffff:127.0.0.1/",
        "https://example.org:22/",
        "https://example.org:6379/",
        "https://example.org:80/",
        "https://example.org:99999/",
        "https://example.org/" + "x" * 3000,
    ],
)
def test_a_url_that_is_not_plain_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        UrlRules().check(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://EXAMPLE.org/a%20b?c=d&e=%2F#f",
        "https://xn--bcher-kva.example/",
        "https://example.org:443/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1::1]/",
        "https://4chan.example/",
        "https://a.b-c.example./",
    ],
)
def test_a_plain_url_passes(url: str) -> None:
    assert UrlRules().check(url).scheme == "https"
