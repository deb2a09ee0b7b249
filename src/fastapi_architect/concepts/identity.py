"""Who somebody is: tokens, passwords, schemes, signatures."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class TokenEncode(Concept, frozen=True, eq=False):
    """A token is signed.

    Attributes:
        payload: the claims.
        key: the signing key.
        algorithm: the algorithm; None when left to the default.
        library: pyjwt, jose, authlib, joserfc or itsdangerous.
    """

    payload: ir.Expr | None = None
    key: ir.Expr | None = None
    algorithm: ir.Expr | None = None
    library: str = ""


class TokenDecode(Concept, frozen=True, eq=False):
    """A token is read.

    Attributes:
        token: the token.
        key: the key it is verified with.
        algorithms: the algorithms that are accepted; None when not pinned.
        options: the options as given.
        verified: the signature is checked, as far as literals show.
        expiry_checked: an `exp` claim that is present is checked, as far as literals show.
        library: pyjwt, jose, authlib, joserfc or itsdangerous.
        audience: the audience that is demanded.
    """

    token: ir.Expr | None = None
    key: ir.Expr | None = None
    algorithms: ir.Expr | None = None
    options: ir.Expr | None = None
    verified: bool = True
    expiry_checked: bool = True
    library: str = ""
    audience: ir.Expr | None = None


class TokenHeaderRead(Concept, frozen=True, eq=False):
    """A token's header is read before its signature is checked."""

    token: ir.Expr | None = None


class PasswordHasher(Concept, frozen=True, eq=False):
    """A hasher is configured.

    Attributes:
        schemes: the schemes as given; None for a hasher of one scheme.
        scheme: that one scheme, "" when there are several.
    """

    schemes: ir.Expr | None = None
    scheme: str = ""


class PasswordHash(Concept, frozen=True, eq=False):
    """A password is hashed; `scheme` is bcrypt, argon2, pbkdf2, scrypt ... or "" when the hasher decides."""

    password: ir.Expr | None = None
    scheme: str = ""
    salt: ir.Expr | None = None


class PasswordVerify(Concept, frozen=True, eq=False):
    """A password is compared with its hash."""

    password: ir.Expr | None = None
    hash: ir.Expr | None = None
    scheme: str = ""


class SecurityScheme(Concept, frozen=True, eq=False):
    """A scheme that reads credentials from a request.

    Attributes:
        kind: bearer, basic, digest, oauth2-password, oauth2-code, oauth2, openid, api-key-header,
            api-key-query or
            api-key-cookie.
        auto_error: the argument; None means the default, True.
        scopes: the scopes as given.
        parameter: name of the header, query parameter or cookie; the token's address for OAuth 2.
    """

    kind: str
    auto_error: ir.Expr | None = None
    scopes: ir.Expr | None = None
    parameter: ir.Expr | None = None


class SignatureVerification(Concept, frozen=True, eq=False):
    """A signed message is verified by its provider's kit; raises when it does not fit.

    Attributes:
        provider: stripe, svix, itsdangerous, github ...
        payload: what was signed.
        signature: the signature or the headers that carry it.
        key: the secret.
    """

    provider: str
    payload: ir.Expr | None = None
    signature: ir.Expr | None = None
    key: ir.Expr | None = None


class SecretComparison(Concept, frozen=True, eq=False):
    """Two secrets are compared in constant time."""

    left: ir.Expr | None = None
    right: ir.Expr | None = None


class SecretReveal(Concept, frozen=True, eq=False):
    """A wrapped secret is unwrapped (`get_secret_value`)."""

    secret: ir.Expr | None = None
