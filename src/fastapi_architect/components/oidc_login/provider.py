"""The provider: where it is reached, which keys it signs with, and what its tokens say."""

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

import jwt
from pydantic import BaseModel, Field, ValidationError

from ..outgoing_http import HostUnreachable, OutgoingHttp
from ..problem_details.errors import NotAuthenticated
from .settings import OidcSettings

#: Signatures with the provider's private key. Never `none`, nor HS256, whose key would be one that everybody can read.
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
#: Seconds for which the provider's document and keys are believed, and after which an unknown key is asked for again.
FRESH, KEYS_AT_MOST_EVERY = 3600.0, 60.0
LEEWAY = 30
_REFUSED = "The provider's answer is not valid. Sign in again."


class _Metadata(BaseModel):
    """What of the discovery document is used (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _TokenAnswer(BaseModel):
    id_token: str


class Claims(BaseModel):
    """What the provider says of somebody."""

    sub: Annotated[str, Field(min_length=1, max_length=255)]
    nonce: str
    email: Annotated[str | None, Field(max_length=254)] = None
    email_verified: bool = False
    name: str = ""


@dataclass
class _Kept:
    value: Any
    at: float


class Provider:
    """One provider, as this client sees it.

    Args:
        settings: which.
        http: calls it.
    """

    def __init__(self, settings: OidcSettings, http: OutgoingHttp) -> None:
        self._settings = settings
        self._http = http
        self._metadata: _Kept | None = None
        self._keys: _Kept | None = None

    async def authorization_url(self, state: str, nonce: str, code_verifier: str) -> str:
        """Return where the browser goes."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_url,
            "scope": self._settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        endpoint = (await self._discover()).authorization_endpoint
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def exchange(self, code: str, code_verifier: str, nonce: str) -> Claims:
        """Exchange a code for what the provider says of whoever signed in there.

        Raises:
            NotAuthenticated: the code, the token or what it says is not valid.
            HostUnreachable: the provider does not answer.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_url,
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret.get_secret_value(),
            "code_verifier": code_verifier,
        }
        answer = await self._http.post((await self._discover()).token_endpoint, form=form)
        if answer.status_code != 200:
            raise NotAuthenticated(_REFUSED)
        try:
            token = _TokenAnswer.model_validate_json(answer.content).id_token
            claims = Claims.model_validate(await self._verified(token))
        except (ValidationError, jwt.PyJWTError) as error:
            raise NotAuthenticated(_REFUSED) from error
        if claims.nonce != nonce:
            raise NotAuthenticated(_REFUSED)
        return claims

    async def _verified(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        key = await self._key(str(header.get("kid", "")))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=self._settings.client_id,
            issuer=self._settings.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
        if isinstance(claims["aud"], list) and claims.get("azp") != self._settings.client_id:
            raise jwt.InvalidAudienceError("issued to another client")
        return claims

    async def _key(self, key_id: str) -> jwt.PyJWK:
        keys = await self._signing_keys(renew_after=FRESH)
        if key_id not in keys:
            # The provider may have begun to use a new one. Made-up identifiers do not make us ask each time.
            keys = await self._signing_keys(renew_after=KEYS_AT_MOST_EVERY)
        if key_id not in keys:
            raise jwt.InvalidTokenError("signed with a key that is not the provider's")
        return keys[key_id]

    async def _signing_keys(self, renew_after: float) -> dict[str, jwt.PyJWK]:
        if self._keys is None or time.monotonic() - self._keys.at > renew_after:
            document = await self._json((await self._discover()).jwks_uri)
            try:
                found = jwt.PyJWKSet.from_dict(document).keys
            except jwt.PyJWTError as error:
                raise HostUnreachable("The provider's keys cannot be read.", sent=True) from error
            usable = (key for key in found if key.public_key_use in (None, "sig") and key.key_type != "oct")
            self._keys = _Kept({str(key.key_id or ""): key for key in usable}, time.monotonic())
        keys: dict[str, jwt.PyJWK] = self._keys.value
        return keys

    async def _discover(self) -> _Metadata:
        if self._metadata is None or time.monotonic() - self._metadata.at > FRESH:
            issuer = self._settings.issuer
            document = await self._json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            try:
                metadata = _Metadata.model_validate(document)
            except ValidationError as error:
                raise HostUnreachable("The provider's configuration cannot be read.", sent=True) from error
            # Somebody else's document would send codes to somebody else (section 4.3).
            if metadata.issuer != issuer:
                raise HostUnreachable("The provider's configuration is another one's.", sent=True)
            self._metadata = _Kept(metadata, time.monotonic())
        found: _Metadata = self._metadata.value
        return found

    async def _json(self, url: str) -> dict[str, Any]:
        answer = await self._http.get(url)
        if answer.status_code != 200:
            raise HostUnreachable("The provider does not answer as it should.", sent=True)
        try:
            document = answer.json()
        except ValueError as error:
            raise HostUnreachable("The provider does not answer as it should.", sent=True) from error
        return document if isinstance(document, dict) else {}
