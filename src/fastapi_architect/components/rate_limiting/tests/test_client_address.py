"""Whose address is believed?"""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fastapi_architect.components.rate_limiting import RateLimitSettings, address_group, client_address
from fastapi_architect.components.rate_limiting.client_address import _parse

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


HOPS = st.lists(st.one_of(st.text(max_size=50), st.ip_addresses().map(str)), max_size=5)


@given(header=HOPS)
def test_a_stranger_is_who_connected_whatever_it_writes(header: list[str]) -> None:
    assert client_address("203.0.113.9", header, PROXIES) == "203.0.113.9"


@given(forged=HOPS)
def test_what_stands_before_the_word_of_our_proxy_is_not_read(forged: list[str]) -> None:
    header = [*forged, "203.0.113.9"]
    assert client_address("10.0.0.1", header, PROXIES) == "203.0.113.9"


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9:4711, 10.0.0.2", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1, fd00::2", "2001:db8::1"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("", "10.0.0.1"),
        ("203.0.113.9, nonsense", "10.0.0.1"),
        ("203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"),
        (",,,", "10.0.0.1"),
    ],
)
def test_the_list_is_read_from_the_end_over_our_own_proxies(header: str, client: str) -> None:
    assert client_address("10.0.0.1", [header], PROXIES) == client


def test_lines_of_the_header_are_one_list() -> None:
    assert client_address("10.0.0.1", ["1.1.1.1", "203.0.113.9"], PROXIES) == "203.0.113.9"


def test_a_long_header_is_not_read_for_ever() -> None:
    header = ", ".join(["10.0.0.2"] * 100_000)
    assert client_address("10.0.0.1", [header], PROXIES) == "10.0.0.2"


def test_what_a_client_writes_is_not_remembered() -> None:
    before = _parse.cache_info().currsize
    for number in range(10):
        assert client_address("10.0.0.1", [f"{number}" * 60_000], PROXIES) == "10.0.0.1"
    assert _parse.cache_info().currsize <= before + 1


def test_a_unix_socket_is_our_own_proxy() -> None:
    assert client_address(None, ["1.1.1.1, 203.0.113.9"], PROXIES) == "203.0.113.9"
    assert client_address(None, [], PROXIES) is None


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_customer_is_counted_as_one(address: str, group: str) -> None:
    assert address_group(address) == group


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "::/0", "10.0.0.0/8, nonsense"])
def test_everybody_is_no_proxy(networks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_TRUSTED_PROXIES", networks)
    with pytest.raises(ValidationError):
        RateLimitSettings()


def test_proxies_are_named_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMIT_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    assert list(RateLimitSettings().trusted_proxies) == PROXIES
