"""Random values, digests, keys."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class RandomValue(Concept, frozen=True, eq=False):
    """A random or unique value.

    Attributes:
        secure: nobody can guess it.
        kind: number, bytes, text, choice, uuid or generator.
        size: number of bytes, when the call says it.
    """

    secure: bool
    kind: str = "number"
    size: ir.Expr | None = None


class Digest(Concept, frozen=True, eq=False):
    """A digest of data.

    Attributes:
        algorithm: lower case, without dashes; "" when it is not written down.
        weak: collisions are practical (MD5, SHA-1).
        data: what is digested.
        for_security: `usedforsecurity` is not switched off.
    """

    algorithm: str = ""
    weak: bool = False
    data: ir.Expr | None = None
    for_security: bool = True


class MessageAuthentication(Concept, frozen=True, eq=False):
    """A keyed digest (HMAC)."""

    key: ir.Expr | None = None
    message: ir.Expr | None = None
    algorithm: ir.Expr | None = None


class KeyDerivation(Concept, frozen=True, eq=False):
    """A key is derived from a password; `scheme` is pbkdf2 or scrypt."""

    scheme: str
    password: ir.Expr | None = None
    iterations: ir.Expr | None = None


class CipherKey(Concept, frozen=True, eq=False):
    """A cipher or signer is made with a key."""

    key: ir.Expr | None = None
    scheme: str = ""


class UnverifiedTls(Concept, frozen=True, eq=False):
    """A TLS context that checks no certificate."""


class Encoding(Concept, frozen=True, eq=False):
    """Data is encoded or decoded without any key; `kind` is base64-encode, base64-decode, hex-encode or
    hex-decode.
    """

    kind: str
    data: ir.Expr | None = None
