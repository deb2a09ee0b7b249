"""Which credentials stand in the files as text: addresses with passwords, keys in the format of a known provider.

The text is searched, not the program: a key is as leaked in a default argument as in a dictionary. Nothing of a value
is kept but its kind and its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.values import is_placeholder
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.tree import Unreadable


class WrittenCredential(msgspec.Struct, frozen=True):
    """One credential.

    Attributes:
        what: its kind in words: "the password of shop@db.shop.net".
        location: where it stands.
    """

    what: str
    location: Location


_ADDRESS = lazy_pattern(rb"://([^\s/:@'\"{}$%<>\\#]{1,64})?:([^\s/@'\"{}$<>\\]{3,128})@([A-Za-z0-9._-]+)")
_HERE = lazy_pattern(
    r"^(localhost|127\.|0\.0\.0\.0|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|host\.docker\.internal)"
)
_RESERVED = lazy_pattern(
    r"(^|\.)(example|test|invalid|localhost|local|internal|lan|domain|host|server|hostname|yourdomain|mycompany)(\.(com|org|net|io))?$",
    re.IGNORECASE,
)
_PRIVATE_KEY = lazy_pattern(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----(?:\\n|\s|[\"'+()])*[A-Za-z0-9+/=]{40}")
#: What every text begins with, the pattern, whose key it is. The plain beginning is sought first.
_KEYS = tuple(
    (pattern.partition(b"[")[0].replace(b"\\.", b".").partition(b"(")[0], lazy_pattern(pattern), whose)
    for pattern, whose in (
        (rb"AKIA[0-9A-Z]{16}\b", "an AWS access key"),
        (rb"ghp_[A-Za-z0-9]{36}\b", "a GitHub token"),
        (rb"github_pat_[A-Za-z0-9_]{40,}", "a GitHub token"),
        (rb"glpat-[A-Za-z0-9_-]{20,}", "a GitLab token"),
        (rb"xoxb-[0-9]{8,}-[A-Za-z0-9-]{20,}", "a Slack token"),
        (rb"xoxp-[0-9]{8,}-[A-Za-z0-9-]{20,}", "a Slack token"),
        (rb"AIza[0-9A-Za-z_-]{35}\b", "a Google API key"),
        (rb"sk_live_[0-9A-Za-z]{20,}", "a Stripe key"),
        (rb'"sk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_]{24,}', "an API key"),
        (rb"'sk-(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_]{24,}", "an API key"),
        (rb"SG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}", "a SendGrid key"),
    )
)
#: Those that may be shorter than `_LONG_WORD`: most files hold no word of that length, and need not be searched for the others.
_SHORT_KEYS = _KEYS[:1]
_LONG_WORD = b"w" * 26
_WORDS = bytes(
    b"w"[0] if chr(each).isascii() and (chr(each).isalnum() or each in b"_-") else b" "[0]
    for each in range(256)
)
_MADE_UP = lazy_pattern(
    rb"example|sample|dummy|fake|test|xxxx|your|placeholder|redacted|1234567|abcdef|0000000", re.IGNORECASE
)
_READ_KINDS = ("source", "migration")


def credentials_in_python(graph: AppGraph) -> Iterator[WrittenCredential]:
    """Credentials in the program's own files, in order of files; comments left out."""
    for path, module in graph.program.modules.items():
        if module.kind in _READ_KINDS:
            data = graph.tree.read(path)
            if not isinstance(data, Unreadable):
                yield from credentials_in(data, path, comment=b"#")


def credentials_in(data: bytes, path: str, comment: bytes = b"#") -> Iterator[WrittenCredential]:
    """Credentials in one file's bytes, in order of places; one a line."""
    found: dict[int, tuple[int, str]] = {}
    for position, what in (*_addresses(data), *_keys(data)):
        start = data.rfind(b"\n", 0, position) + 1
        if not data[start:position].lstrip().startswith((comment, b";")):
            found.setdefault(data.count(b"\n", 0, position) + 1, (position - start, what))
    for line in sorted(found):
        column, what = found[line]
        yield WrittenCredential(what, Location(path, line, column))


def _addresses(data: bytes) -> Iterator[tuple[int, str]]:
    if b"@" not in data or b"://" not in data:
        return
    for match in _ADDRESS.finditer(data):
        user, password, host = ((part or b"").decode("ascii", "replace") for part in match.groups())
        if is_remote(host) and not is_placeholder(password) and not _is_template(password):
            who = f"{user}@{host}" if user and len(user) < 30 else host
            yield match.start(), f"the password of {who}"


def is_remote(host: str) -> bool:
    """A name or address outside of the machine and of its containers, which is not made up."""
    return (
        "." in host
        and not _HERE.search(host)
        and not _RESERVED.search(host)
        and ".example." not in f".{host}"
    )


def _is_template(password: str) -> bool:
    return "%s" in password or "..." in password or set(password) <= set("*x.-_") or password == "pass"


def _keys(data: bytes) -> Iterator[tuple[int, str]]:
    holds_long_word = _LONG_WORD in data.translate(_WORDS)
    for prefix, pattern, whose in _KEYS if holds_long_word else _SHORT_KEYS:
        if prefix in data:
            for match in pattern.finditer(data):
                text = match[0][len(prefix) :]
                inside = match.start() and data[match.start() - 1 : match.start()].isalnum()
                if (
                    not inside
                    and not _MADE_UP.search(match[0])
                    and len(set(text)) >= 9
                    and re.search(rb"\d", text)
                ):
                    yield match.start(), whose
    if b"PRIVATE KEY-----" in data:
        for match in _PRIVATE_KEY.finditer(data):
            yield match.start(), "a private key"
