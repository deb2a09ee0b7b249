"""Secrets are taken out of what is kept: a record is committed, and read by everybody."""

from __future__ import annotations

import re

from fastapi_architect.source.lazy_pattern import lazy_pattern

MASK = "***"
#: Longer texts are cut: no pattern here needs more than time in proportion to it, but no reader needs it either.
LONGEST = 20_000

_NAME = (
    r"[\w.-]{0,40}(?:password|passwd|passphrase|pwd|secret|token|api[ _-]?key|private[ _-]?key|access[ _-]?key"
    r"|signing[ _-]?key|encryption[ _-]?key|client[ _-]?key|session[ _-]?id|credentials?|\botp|\bjwt|\bpin|\bdsn)[\w.-]{0,20}"
)
_PATTERNS = (
    (
        lazy_pattern(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.{0,16384}?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        MASK,
    ),
    # Authorization: ..., in a header, in a mapping
    (
        lazy_pattern(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(['\"]?\s{0,3}[:=]\s{0,3})(?:'[^'\n]*'|\"[^\"\n]*\"|[^\n]+)"
        ),
        rf"\1\2{MASK}",
    ),
    (lazy_pattern(r"(?i)\b(bearer|basic)\s{1,3}[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    # a JSON web token
    (lazy_pattern(r"\beyJ[\w-]{6,}\.[\w-]{2,}(?:\.[\w-]*)?"), MASK),
    # postgresql://name:password@host; a password may hold what an address should not
    (lazy_pattern(r"(?<=://)([^\s/:@'\"]{0,100}):[^\s'\"]{1,500}@(?=[\w.\[-])"), rf"\1:{MASK}@"),
    # keys that tell by themselves whose they are
    (
        lazy_pattern(
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
            r"|\bxox[abeoprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\b[srp]k_(?:live|test)_\w{10,}|\bsk-[\w-]{16,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
            r"|\bpypi-[\w-]{20,}|\bnpm_\w{20,}|\bhf_[A-Za-z0-9]{20,}|\bwhsec_[\w+/=-]{16,}|\bya29\.[\w-]{16,}|\bhv[sb]\.[\w-]{16,}"
        ),
        MASK,
    ),
    # SECRET_KEY=..., password: "...", "client_secret": "...", ?access_token=...
    (
        lazy_pattern(
            rf"(?i)(?<![\w.-])({_NAME})(['\"]?\s{{0,3}}(?:=|:)\s{{0,3}}b?)(?:'[^'\n]*'|\"[^\"\n]*\"|`[^`\n]*`|[^\s&,;'\")}}\]]+)"
        ),
        rf"\1\2{MASK}",
    ),
    # the password is "hunter2", the token was abc123...: a plain word behind it is no value
    (
        lazy_pattern(
            r"(?i)\b(password|passwd|passphrase|pwd|secret|token|api[ _-]?key|credential|pin)(\s+(?:is|was|are|of)\s+)"
            r"(?:'[^'\n]+'|\"[^\"\n]+\"|`[^`\n]+`|(?=\S*[\d!#$%^&*+=@])\S+)"
        ),
        rf"\1\2{MASK}",
    ),
    (lazy_pattern(r"(?i)([?&](?:code|state|key|sig|auth|hash|hmac|nonce)=)[^\s&#'\"]+"), rf"\1{MASK}"),
)
#: A long word of digits and letters: the form of a key whose giver nobody knows.
_LONG = lazy_pattern(r"(?<![\w/.+=-])[A-Za-z0-9_+=-]{32,}(?![\w/]|\.\w)")
_MOST_FREQUENT = 0.3


def redacted(text: str) -> str:
    """The text with a mask in place of each secret, and not much longer than `LONGEST`.

    Addresses with passwords, headers, tokens, keys of known form, values of names that mean a secret, and long words of
    digits and letters, which no sentence holds: a commit's full id is among them.
    """
    if len(text) > LONGEST:
        # The rest of a secret that was cut in two could not be recognised: the cut stands at a space.
        text = f"{text[:LONGEST].rpartition(' ')[0] or ''} ... ({len(text)} characters)"
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _LONG.sub(_unless_plain, text)


def _unless_plain(match: re.Match[str]) -> str:
    word = match[0]
    digits = sum(sign.isdigit() for sign in word)
    letters = sum(sign.isalpha() for sign in word)
    frequent = max(word.count(sign) for sign in set(word)) / len(word)
    # `test_a_long_name_of_2_words` and `====...` are no keys.
    words = re.split(r"[_-]", word)
    named = max(map(len, words)) < 20
    return word if digits < 3 or not letters or frequent > _MOST_FREQUENT or named else MASK
