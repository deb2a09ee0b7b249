"""Could a file hold a credential? Asked of each while it is parsed and its bytes are at hand, so that few are read again."""

from __future__ import annotations

#: How a key begins that may be shorter than a long word.
SHORT_BEGINNINGS = (b"AKIA",)
#: How the other keys begin: what holds one of them holds a long word.
LONG_BEGINNINGS = (
    b"ghp_",
    b"github_pat_",
    b"glpat-",
    b"xoxb-",
    b"xoxp-",
    b"AIza",
    b"sk_live_",
    b'"sk-',
    b"'sk-",
    b"SG.",
)
PRIVATE_KEY = b"PRIVATE KEY-----"
_LONG_WORD = b"w" * 26
_WORDS = bytes(
    b"w"[0] if chr(each).isascii() and (chr(each).isalnum() or each in b"_-") else b" "[0]
    for each in range(256)
)


def may_hold_credential(data: bytes) -> bool:
    """Something in the bytes looks like an address with a password, or like the beginning of a key.

    Most files hold no word as long as a key: they are not searched for each beginning.
    """
    return (
        may_hold_address(data)
        or PRIVATE_KEY in data
        or any(beginning in data for beginning in beginnings_in_question(data))
    )


def may_hold_address(data: bytes) -> bool:
    """There is an address, and what could part a password from a host."""
    return b"@" in data and b"://" in data


def beginnings_in_question(data: bytes) -> tuple[bytes, ...]:
    """Beginnings of the keys that the bytes have room for."""
    has_room = _LONG_WORD in data.translate(_WORDS)
    return (*SHORT_BEGINNINGS, *LONG_BEGINNINGS) if has_room else SHORT_BEGINNINGS
