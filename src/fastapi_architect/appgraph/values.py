"""What a configured value looks like, without keeping it: nothing of a secret is ever printed."""

from __future__ import annotations

import re

from fastapi_architect.appgraph.database_urls import parse_url
from fastapi_architect.source.lazy_pattern import lazy_pattern

_SECRET_WORDS = lazy_pattern(
    r"(?:^|_)(?:secret|secrets|password|passwd|passphrase|pwd|token|apikey|api_key|private_key|privatekey|secretkey|"
    r"credential|credentials|access_key|signing_key|encryption_key|jwt_key|salt|pepper|dsn|client_key|auth_key|"
    r"session_key|hmac_key|webhook_key|service_key|secret_key)(?:_|$)",
    re.IGNORECASE,
)
_NOT_SECRET = lazy_pattern(
    r"(?:_url|_uri|_path|_file|_name|_id|_algorithm|_alg|_expire\w*|_expiry|_ttl|_lifetime|_minutes|_seconds|_hours|_days|"
    r"_length|_min\w*|_max\w*|_type|_header|_prefix|_issuer|_audience|_enabled|_rounds|_scheme|_timeout|_limit|_hash|"
    r"_policy|_field|_regex|_pattern|_location|_version|_chars|_characters|_charset|_alphabet|_symbols|_punctuation|"
    r"_digits|_letters)$",
    re.IGNORECASE,
)
_PLACEHOLDER = lazy_pattern(
    r"change|replace|placeholder|example|your[-_ ]|<[^<>]*\w[^<>]*>|\{\{.*\}\}|xxx|todo|fixme|dummy|insecure|"
    r"default|sample|"
    r"^(?:secret|password|passwd|test|testing|dev|development|admin|root|postgres|user|guest|token|key|none|null|foo|bar|"
    r"(?:my|your|the|some)[-_](?:token|password|pass|pat|key)|abc\d*|1234\d*|qwerty|letmein|minioadmin|supersecret|super-secret|mysecret|my-secret|secretkey|secret_key|secret-key)$",
    re.IGNORECASE,
)
#: How much of a value is looked at: the patterns take quadratic time.
_READ = 500
_PREFIXES = (
    ("sk-", 20), ("sk_live_", 16), ("AKIA", 20), ("ASIA", 20), ("ghp_", 30), ("gho_", 30), ("github_pat_", 30),
    ("xoxb-", 20), ("xoxp-", 20), ("AIza", 35), ("SG.", 30), ("-----BEGIN", 10), ("glpat-", 20), ("hf_", 30),
    ("eyJ", 40), ("whsec_", 20),
)  # fmt: skip
#: Keys that their providers hand to browsers: PostHog projects, Stripe's and Clerk's publishable keys, Mapbox, Sentry.
_PUBLISHABLE = ("phc_", "pk_live_", "pk_test_", "pk.eyJ", "sb_publishable_", "pub_")


def is_publishable(value: str) -> bool:
    """A key that is made to be read by everybody."""
    return value.strip().strip("\"'").startswith(_PUBLISHABLE)


def is_secret_name(name: str) -> bool:
    """A setting of this name holds something that must not be known: judged by its words.

    >>> is_secret_name("SECRET_KEY"), is_secret_name("access_token_expire_minutes"),
    is_secret_name("TOKEN_URL") (True, False, False)
    """
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return _SECRET_WORDS.search(snake) is not None and _NOT_SECRET.search(snake) is None


def classify(value: str) -> str:
    """What a value looks like.

    Returns:
        empty, reference (`${X}`), boolean, number, url, url-with-password, provider-key (a key format of a
        known provider), placeholder, random (long and without words: may be a real secret) or text.
    """
    text = value[:_READ].strip().strip("\"'")
    if not text:
        return "empty"
    if re.fullmatch(r"\$\{?\w+[^}]*\}?|\$\(.*\)", text):
        return "reference"
    if text.lower() in ("true", "false", "yes", "no", "on", "off"):
        return "boolean"
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return "number"
    if "://" in text:
        password = parse_url(text).password
        return "url-with-password" if password and not password.startswith("$") else "url"
    if any(text.startswith(prefix) and len(text) >= length for prefix, length in _PREFIXES):
        return "provider-key"
    if is_placeholder(text):
        return "placeholder"
    if is_publishable(text):
        return "text"
    return "random" if _looks_random(text) else "text"


def is_placeholder(value: str) -> bool:
    """A value that everybody knows: `changeme`, `secret`, `your-secret-key`."""
    return not value or _PLACEHOLDER.search(value[:_READ]) is not None


def _looks_random(text: str) -> bool:
    if len(text) < 20 or " " in text or not re.fullmatch(r"[A-Za-z0-9+/=_.~!@#$%^&*-]+", text):
        return False
    classes = sum(bool(re.search(p, text)) for p in (r"[a-z]", r"[A-Z]", r"\d"))
    return len(set(text)) >= 10 and (
        classes >= 3 or (re.fullmatch(r"[0-9a-f-]+", text) is not None and classes >= 2)
    )
