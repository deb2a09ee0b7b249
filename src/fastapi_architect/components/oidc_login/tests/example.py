"""The smallest application that people sign in to elsewhere, and a provider for its tests."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import Depends, FastAPI, Form, HTTPException
from pydantic import SecretStr

from fastapi_architect.components.access import Access, CurrentPrincipal, deny_by_default
from fastapi_architect.components.accounts import Accounts, AccountSettings
from fastapi_architect.components.database import Database
from fastapi_architect.components.mail import Mailing, MailSettings
from fastapi_architect.components.oidc_login import OidcLogin, OidcSettings
from fastapi_architect.components.outbox import Outbox, OutboxSettings
from fastapi_architect.components.outgoing_http import OutgoingHttp, OutgoingHttpSettings
from fastapi_architect.components.problem_details import ProblemDetails
from fastapi_architect.components.service import Environment, install

LOCAL = Environment.LOCAL
CLIENT, CLIENT_SECRET = "shop", "of the client, known to the provider and to us"
PAGE = "http://localhost:3000/signed-in"


@dataclass
class FakeProvider:
    """A provider at which everybody is signed in as `person`. What it does wrong, tests choose."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    #: Claims that the token gets over the right ones; None takes one out.
    wrong: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key_id: str = "1"
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._keys = {"1": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self._codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self._configuration)
        self.app.get("/keys")(self._published_keys)
        self.app.post("/token")(self._token)

    def rotate(self, key_id: str) -> None:
        """Sign with a new key from now on."""
        self._keys[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_id = key_id

    def sign_in(self, authorization_url: str) -> dict[str, str]:
        """Play the browser at the provider: return what it brings back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return {"state": query["state"], "code": code}

    async def _configuration(self) -> dict[str, str]:
        self.requests.append("configuration")
        return {
            "issuer": self.wrong.get("configuration_issuer", self.issuer),
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    async def _published_keys(self) -> dict[str, Any]:
        self.requests.append("keys")
        algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
        return {
            "keys": [
                algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": name, "alg": "RS256", "use": "sig"}
                for name, key in self._keys.items()
            ]
        }

    async def _token(
        self,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        client_id: Annotated[str, Form()],
        client_secret: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
    ) -> dict[str, str]:
        query = self._codes.pop(code, None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
        )
        if (
            query is None
            or query["code_challenge"] != challenge
            or (client_id, client_secret) != (CLIENT, CLIENT_SECRET)
            or redirect_uri != query["redirect_uri"]
        ):
            raise HTTPException(400)
        now = datetime.now(UTC)
        right = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "nonce": query["nonce"],
        }
        claims = {
            name: value for name, value in (right | self.person | self.wrong).items() if value is not None
        }
        key: Any = self._keys.get(self.key_id, self._keys["1"])
        if self.algorithm == "HS256":
            key = CLIENT_SECRET
        elif self.algorithm == "none":
            key = None
        elif self.algorithm == "foreign":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        algorithm = "RS256" if self.algorithm == "foreign" else self.algorithm
        return {"id_token": jwt.encode(claims, key, algorithm, headers={"kid": self.key_id})}


def create_app(database: Database, provider: FakeProvider, *, link_by_email: bool = False) -> FastAPI:
    """Return the application."""
    app = FastAPI(dependencies=[Depends(deny_by_default)])

    @app.get("/me")
    async def me(principal: CurrentPrincipal) -> str:
        return str(principal.id)

    port = urlsplit(provider.issuer).port or 80
    outgoing = OutgoingHttpSettings.model_validate(
        {"ports": [port], "allow_plain_http": True, "allowed_networks": ["127.0.0.0/8"], "environment": LOCAL}
    )
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id=CLIENT,
        client_secret=SecretStr(CLIENT_SECRET),
        redirect_url=PAGE,
        link_by_email=link_by_email,
        environment=LOCAL,
    )
    accounts = AccountSettings(
        signing_key=SecretStr("kZ3-4vV9qj1Lr8_sWq0Xb7Tt5Yy2Uu6Ii"),
        website_url="http://localhost:3000",
        environment=LOCAL,
    )
    install(
        app,
        [
            ProblemDetails(),
            database,
            OutgoingHttp(outgoing),
            Outbox(OutboxSettings(environment=LOCAL)),
            Mailing(MailSettings(sender="shop@example.com", environment=LOCAL)),
            Access(),
            Accounts(accounts),
            OidcLogin(oidc),
        ],
    )
    return app
