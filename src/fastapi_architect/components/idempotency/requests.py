"""Which request is this, and is it the same as before? Free of the web."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from ..problem_details import BadRequest, Conflict, InvalidInput

_LONGEST_KEY = 255
#: A String of RFC 9651, as the draft wants it: quoted, and of printable ASCII.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
#: What many clients send in its place, following well-known payment services. No comma, which joins several fields.
_BARE = re.compile(r"[!#-+\-.-:<-\[\]-~]+")


class KeyMissing(BadRequest):
    """This operation needs an Idempotency-Key."""

    title = "Idempotency-Key is missing"


class KeyMalformed(BadRequest):
    """The Idempotency-Key is no string of printable characters, or too long."""

    title = "Idempotency-Key is malformed"


class KeyReused(InvalidInput):
    """The Idempotency-Key was sent before with other content."""

    title = "Idempotency-Key is already used"


class RequestInFlight(Conflict):
    """A request with this Idempotency-Key is being processed."""

    title = "A request is outstanding for this Idempotency-Key"
    status = HTTPStatus.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "The same request is being processed. Repeat it in a moment.", headers={"Retry-After": "1"}
        )


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """A request that has its effect once, however often it is sent.

    Attributes:
        place: the digest of caller, operation and key.
        fingerprint: the digest of what was sent.
        keep: for how long its answer is kept.
        replayed: called when the answer is one that was kept.
    """

    place: bytes
    fingerprint: bytes
    keep: timedelta = timedelta(hours=24)
    replayed: Callable[[], None] = lambda: None


def parse_key(field: str) -> str:
    """Return the key that the header field holds.

    Raises:
        KeyMalformed: it holds none.
    """
    quoted = _QUOTED.fullmatch(field.strip())
    if quoted is not None:
        key = re.sub(r"\\(.)", r"\1", quoted.group(1))
    elif _BARE.fullmatch(field.strip()):
        key = field.strip()
    else:
        raise KeyMalformed('Send a string such as "8e03978e-40d5-43e8-bc93-6894a57f9324".')
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise KeyMalformed(f"The key has 1 to {_LONGEST_KEY} characters.")
    return key


def digest_of(parts: Iterable[str | bytes]) -> bytes:
    """Return the digest of the parts; their lengths keep ("ab", "c") and ("a", "bc") apart."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
