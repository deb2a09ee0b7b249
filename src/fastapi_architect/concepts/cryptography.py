"""Random values, digests, keys."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


@dataclass(frozen=True, slots=True, eq=False)
class RandomValue(Concept):
    """A random or unique value.

    Attributes:
        secure: nobody can guess it.
        kind: number, bytes, text, choice, uuid or generator.
        size: number of bytes, when the call says it.
    """

    secure: bool
    kind: str = "number"
    size: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Digest(Concept):
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


@dataclass(frozen=True, slots=True, eq=False)
class MessageAuthentication(Concept):
    """A keyed digest (HMAC)."""

    key: ir.Expr | None = None
    message: ir.Expr | None = None
    algorithm: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class KeyDerivation(Concept):
    """A key is derived from a password; `scheme` is pbkdf2 or scrypt."""

    scheme: str
    password: ir.Expr | None = None
    iterations: ir.Expr | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CipherKey(Concept):
    """A cipher or signer is made with a key."""

    key: ir.Expr | None = None
    scheme: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class UnverifiedTls(Concept):
    """A TLS context that checks no certificate."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoding(Concept):
    """Data is encoded or decoded without any key; `kind` is base64-encode, base64-decode, hex-encode or hex-decode."""

    kind: str
    data: ir.Expr | None = None
