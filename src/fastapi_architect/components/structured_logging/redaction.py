"""Takes secrets out of a log record: by the name of a field, and by what the text of a value looks like.

Every pattern needs time in proportion to the text, and no text is longer than `LONGEST_TEXT`: a record holds what strangers sent.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise
from typing import Any

MASK = "***"
LONGEST_TEXT = 16_384
MOST_ITEMS = 100
DEEPEST = 6

_SENSITIVE_WORDS = frozenset(
    {
        "authorization",
        "cookie",
        "cookies",
        "credential",
        "credentials",
        "csrf",
        "jwt",
        "otp",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "pin",
        "pwd",
        "secret",
        "secrets",
        "signature",
        "ticket",
        "token",
        "tokens",
        "xsrf",
    }
)
#: Two words of which neither is a secret: `api_key` is one, `cache_key` is none.
_SENSITIVE_PAIRS = frozenset(
    {
        ("access", "key"),
        ("api", "key"),
        ("auth", "code"),
        ("auth", "key"),
        ("backup", "code"),
        ("card", "number"),
        ("encryption", "key"),
        ("master", "key"),
        ("private", "key"),
        ("secret", "key"),
        ("session", "id"),
        ("signing", "key"),
    }
)
_GLUED = frozenset({"apikey", "secretkey", "privatekey", "accesskey", "sessionid"})
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_NAMES = (
    r"[\w.-]{0,40}(?:password|passwd|passphrase|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|signature|ticket"
    r"|session[_-]?id|credential|otp|jwt)[\w.-]{0,20}"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # -----BEGIN PRIVATE KEY-----
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{0,16384}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        MASK,
    ),
    # Authorization: Bearer ..., as a header, in a dictionary, in a list of ASGI pairs
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)\b(['\"]?\s{0,3}[:=,]\s{0,3}b?)"
            r"(?:'[^']{0,8192}'|\"[^\"]{0,8192}\"|[^\r\n]{0,8192})"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s{1,3}[A-Za-z0-9._~+/=-]{6,8192}"), rf"\1 {MASK}"),
    # a JSON web token, wherever it stands
    (re.compile(r"\beyJ[\w-]{6,4096}\.[\w-]{2,8192}(?:\.[\w-]{0,4096})?"), MASK),
    # postgresql://name:password@host
    (re.compile(r"(?<=://)([^\s/:@'\"]{0,100}):[^\s/@'\"]{1,500}@"), rf"\1:{MASK}@"),
    # ?access_token=..., password: '...', "client_secret": "..."
    (
        re.compile(
            rf"(?i)(?<![\w.-])({_NAMES})(['\"]?\s{{0,3}}(?:=|:)\s{{0,3}}b?)"
            r"(?:'[^']{0,8192}'|\"[^\"]{0,8192}\"|[^\s&,;'\")}\]]{1,8192})"
        ),
        rf"\1\2{MASK}",
    ),
    # what Pydantic says that it was given
    (re.compile(r"\binput_value=[^\r\n]{0,8192}?(?=, input_type=)"), f"input_value={MASK}"),
    # ?code=...&state=...&sig=... of OAuth and of signed links
    (re.compile(r"(?i)([?&](?:code|state|key|sig|auth|hash|hmac|nonce)=)[^\s&#'\"]{1,8192}"), rf"\1{MASK}"),
)
#: Cheap to look for, in small letters; where none of them stands, no pattern can match.
_HINTS = (
    "auth",
    "bearer",
    "basic",
    "cookie",
    "credential",
    "eyj",
    "input_value",
    "jwt",
    "key",
    "otp",
    "passphrase",
    "passw",
    "secret",
    "session",
    "signature",
    "ticket",
    "token",
    "://",
    "?",
    "&",
)


_BINARY = (bytes, bytearray, memoryview)


class Redaction:
    """Cleans values for a log.

    Args:
        further_names: words that make a field's name a secret's, besides the usual ones: `{"iban", "ssn"}`.
    """

    def __init__(self, further_names: Iterable[str] = ()) -> None:
        self._words = _SENSITIVE_WORDS | {name.lower() for name in further_names}
        #: The same few names come with every record.
        self._judge = lru_cache(maxsize=1024)(self._is_sensitive)

    def is_sensitive(self, name: str) -> bool:
        """Tell whether a field of this name holds a secret: `password`, `new-password`, `apiKey`, `X-Api-Key`."""
        return self._judge(name[:200])

    def _is_sensitive(self, name: str) -> bool:
        words = [word.lower() for word in _WORD.findall(name)]
        return (
            not self._words.isdisjoint(words)
            or any(pair in _SENSITIVE_PAIRS for pair in pairwise(words))
            or not _GLUED.isdisjoint(words)
        )

    def text(self, text: str) -> str:
        """Return the text with a mask in place of each secret, and not much longer than anybody reads."""
        if len(text) > LONGEST_TEXT:
            text = _shortened(text)
        lowered = text.lower()
        if any(hint in lowered for hint in _HINTS):
            for pattern, replacement in _PATTERNS:
                text = pattern.sub(replacement, text)
        return text

    def value(self, value: object, depth: int = 0) -> Any:
        """Return what JSON can hold of the value, without its secrets."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self.text(value)
        if depth < DEEPEST:
            if isinstance(value, Mapping):
                pairs = list(value.items())[:MOST_ITEMS]
                return {self.text(str(name)): self.field(str(name), item, depth + 1) for name, item in pairs}
            if isinstance(value, Sequence | AbstractSet) and not isinstance(value, _BINARY):
                return self._items(value, depth)
        return self.text(_shown(value))

    def _items(self, value: Sequence[object] | AbstractSet[object], depth: int) -> list[Any]:
        items = list(value)[:MOST_ITEMS]
        if len(items) == 2 and isinstance(items[0], str | bytes):
            # A pair as HTTP headers come: the first one names the second.
            return [self.value(items[0], depth + 1), self.field(_name(items[0]), items[1], depth + 1)]
        return [self.value(item, depth + 1) for item in items]

    def field(self, name: str, value: object, depth: int = 0) -> Any:
        """Return the value of a field, or a mask if its name says that it is secret."""
        if value is not None and not isinstance(value, bool) and self.is_sensitive(name):
            return MASK
        return self.value(value, depth)


def _name(name: str | bytes) -> str:
    return name.decode("latin-1") if isinstance(name, bytes) else name


def _shortened(text: str) -> str:
    """Return the beginning and, since a traceback says the most there, the end.

    The end starts behind a space: the rest of a secret that was cut in two could not be recognised.
    """
    half = LONGEST_TEXT // 2
    end = text[-half:].partition(" ")[2]
    return f"{text[:half]} ... ({len(text)} characters) ... {end}"


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception:  # a record about one fault must not be lost to another
        return f"<{type(value).__name__} that cannot be shown>"
