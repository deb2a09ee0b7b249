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
from fastapi_architect.source.credential_marks import PRIVATE_KEY, beginnings_in_question, may_hold_address
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
#: How each key begins, the pattern, whose key it is. The plain beginning is sought first.
_KEYS = tuple(
    (beginning, lazy_pattern(re.escape(beginning) + rest), whose)
    for beginning, rest, whose in (
        (b"AKIA", rb"[0-9A-Z]{16}\b", "an AWS access key"),
        (b"ghp_", rb"[A-Za-z0-9]{36}\b", "a GitHub token"),
        (b"github_pat_", rb"[A-Za-z0-9_]{40,}", "a GitHub token"),
        (b"glpat-", rb"[A-Za-z0-9_-]{20,}", "a GitLab token"),
        (b"xoxb-", rb"[0-9]{8,}-[A-Za-z0-9-]{20,}", "a Slack token"),
        (b"xoxp-", rb"[0-9]{8,}-[A-Za-z0-9-]{20,}", "a Slack token"),
        (b"AIza", rb"[0-9A-Za-z_-]{35}\b", "a Google API key"),
        (b"sk_live_", rb"[0-9A-Za-z]{20,}", "a Stripe key"),
        (b'"sk-', rb"(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_]{24,}", "an API key"),
        (b"'sk-", rb"(?:proj-|ant-[a-z0-9]+-)?[A-Za-z0-9_]{24,}", "an API key"),
        (b"SG.", rb"[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}", "a SendGrid key"),
    )
)
_MADE_UP = lazy_pattern(
    rb"example|sample|dummy|fake|test|xxxx|your|placeholder|redacted|1234567|abcdef|0000000", re.IGNORECASE
)
_READ_KINDS = ("source", "migration")


def credentials_in_python(graph: AppGraph) -> Iterator[WrittenCredential]:
    """Credentials in the program's own files, in order of files; comments left out."""
    for path, module in graph.program.modules.items():
        if module.kind in _READ_KINDS and module.parsed.may_hold_credential:
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
    if not may_hold_address(data):
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
    sought = beginnings_in_question(data)
    for beginning, pattern, whose in _KEYS:
        if beginning in sought and beginning in data:
            for match in pattern.finditer(data):
                text = match[0][len(beginning) :]
                inside = match.start() and data[match.start() - 1 : match.start()].isalnum()
                if (
                    not inside
                    and not _MADE_UP.search(match[0])
                    and len(set(text)) >= 9
                    and re.search(rb"\d", text)
                ):
                    yield match.start(), whose
    if PRIVATE_KEY in data:
        for match in _PRIVATE_KEY.finditer(data):
            yield match.start(), "a private key"
