"""Nothing but an access token that this service signed for this service gets in."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError

from fastapi_architect.components.accounts import AccountSettings
from fastapi_architect.components.accounts.tests.asking import AUTH, EMAIL, ME, bearer, log_in, refresh, run
from fastapi_architect.components.accounts.tests.example import PASSWORD, Service, settings
from fastapi_architect.components.accounts.tokens import AccessClaims, AccessTokens
from fastapi_architect.components.database import Database
from fastapi_architect.components.problem_details import NotAuthenticated
from fastapi_architect.components.service import Environment

KEY = settings().signing_key.get_secret_value()


def part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def signed_anew(
    token: str, *, claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: str = KEY
) -> str:
    content = jwt.decode(token, options={"verify_signature": False}) | (claims or {})
    content = {name: value for name, value in content.items() if value is not None}
    head = jwt.get_unverified_header(token) | (header or {})
    return jwt.encode(content, key, algorithm="HS256", headers=head)


@pytest.fixture
def good(service: Service, client: TestClient) -> str:
    service.register(client)
    return str(log_in(client)["access_token"])


def status(client: TestClient, token: str) -> int:
    answer = client.get(ME, headers={"Authorization": f"Bearer {token}"})
    return int(answer.status_code)


def rsa_signed(token: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    content = jwt.decode(token, options={"verify_signature": False})
    headers = {name: jwt.get_unverified_header(token)[name] for name in ("typ", "kid")}
    return jwt.encode(content, key, algorithm="RS256", headers=headers)


def hmac_with_public_key(token: str) -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
    header, content, _ = token.split(".")
    from hashlib import sha256
    from hmac import new

    signature = new(pem.encode(), f"{header}.{content}".encode(), sha256).digest()
    return f"{header}.{content}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def without_signature(token: str, algorithm: str = "none") -> str:
    header = jwt.get_unverified_header(token) | {"alg": algorithm}
    return f"{part(header)}.{token.split('.')[1]}."


def test_the_token_of_the_service_is_accepted(client: TestClient, good: str) -> None:
    assert status(client, good) == 200
    assert status(client, signed_anew(good)) == 200
    # Whichever way the header is written.
    assert status(client, signed_anew(good, header={"another": "member"})) == 200


FORGERIES: list[Callable[[str], str]] = [
    without_signature,
    lambda token: without_signature(token, "None"),
    lambda token: without_signature(token, "nOnE"),
    lambda token: without_signature(token, "HS256"),
    rsa_signed,
    hmac_with_public_key,
    lambda token: signed_anew(token, key="another key of the same length, or more"),
    lambda token: signed_anew(token, header={"kid": "/dev/null"}, key="\x00" * 32),
    lambda token: signed_anew(token, header={"kid": "../../etc/passwd"}),
    lambda token: signed_anew(token, header={"kid": "' UNION SELECT 'key' --"}),
    lambda token: signed_anew(token, header={"kid": ""}),
    lambda token: f"{token[:-4]}AAAA",
    lambda token: token.replace(".", ".A", 1),
    lambda token: f"{token}{'x' * 5000}",
    lambda _: "..",
    lambda _: "a.b.c",
    lambda _: "\u00e9.\u00e9.\u00e9",
    lambda _: f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': ['x']})}.{part({})}.x",
    lambda _: f"{part({'alg': 'HS256', 'typ': {}, 'kid': {}})}.{part({})}.x",
    lambda _: "{}.{}.x".format(*[base64.urlsafe_b64encode(b"[" * 1000).decode()] * 2),
]


def test_forged_tokens_are_refused(client: TestClient, good: str) -> None:
    for number, forge in enumerate(FORGERIES):
        header = b"Bearer " + forge(good).encode("latin-1")

        assert client.get(ME, headers=[(b"Authorization", header)]).status_code == 401, number


OTHER_CLAIMS: list[dict[str, Any]] = [
    {"aud": "another-api"},
    {"aud": None},
    {"iss": "somebody"},
    {"iss": None},
    {"sub": None},
    {"sub": EMAIL},
    {"sub": 5},
    {"sub": str(uuid4())},
    {"sid": None},
    {"sid": str(uuid4())},
    {"epoch": None},
    {"epoch": 1},
    {"epoch": "x"},
    {"epoch": 2**70},
    {"exp": None},
    {"exp": 0},
    {"exp": int(datetime.now(UTC).timestamp()) - 60},
    {"iat": int(datetime.now(UTC).timestamp()) + 3600},
]


def test_tokens_of_ours_that_say_something_else_are_refused(client: TestClient, good: str) -> None:
    for claims in OTHER_CLAIMS:
        assert status(client, signed_anew(good, claims=claims)) == 401, claims


def test_another_kind_of_token_of_the_same_key_is_refused(client: TestClient, good: str) -> None:
    for kind in ("JWT", "rt+jwt", None, ""):
        assert status(client, signed_anew(good, header={"typ": kind})) == 401, kind


def test_clocks_may_differ_a_little(client: TestClient, good: str) -> None:
    just_now = int(datetime.now(UTC).timestamp()) - 3

    assert status(client, signed_anew(good, claims={"exp": just_now})) == 200


def test_a_refresh_token_does_not_call_and_an_access_token_does_not_refresh(
    service: Service, client: TestClient
) -> None:
    service.register(client)
    tokens = log_in(client)

    assert status(client, tokens["refresh_token"]) == 401
    answer = client.post(f"{AUTH}/refresh", json={"refresh_token": tokens["access_token"][:128]})
    assert answer.status_code == 401


def test_mailed_tokens_do_not_call_and_are_good_for_their_purpose_only(
    service: Service, client: TestClient
) -> None:
    service.register(client)
    client.post(f"{AUTH}/forgot-password", json={"email": EMAIL})
    reset = service.mailed_token(EMAIL)
    client.post(f"{AUTH}/register", json={"email": "bob@example.com"})
    registration = service.mailed_token("bob@example.com")

    assert status(client, reset) == 401
    body = {"password": PASSWORD}
    assert client.post(f"{AUTH}/register/confirm", json=body | {"token": reset}).status_code == 422
    assert client.post(f"{AUTH}/reset-password", json=body | {"token": registration}).status_code == 422
    assert client.post(f"{AUTH}/confirm-email", json={"token": reset}).status_code == 422
    assert client.post(f"{AUTH}/confirm-email", json={"token": registration}).status_code == 422


def test_other_headers_are_nobody(client: TestClient, good: str) -> None:
    for header in ("", "Bearer", "Bearer ", "Basic YTpi", "bearer x", "Token a.b.c", good):
        assert client.get(ME, headers={"Authorization": header}).status_code == 401, header


def test_a_token_follows_the_account_and_not_a_name_or_an_address(
    service: Service, client: TestClient, database_url: str
) -> None:
    """Alice gives her address up, Bob takes it: Alice's tokens stay Alice's."""
    alice = service.register(client, "alice@example.com")
    tokens = log_in(client, "alice@example.com")
    run(database_url, "UPDATE accounts SET email = 'a2@example.com', email_key = 'a2@example.com'")
    bob = service.register(client, "alice@example.com", "completely separate sentence")

    assert client.get("/who", headers=bearer(tokens)).json() == alice != bob
    assert client.get("/who", headers=bearer(refresh(client, tokens).json())).json() == alice


def test_keys_are_changed_without_signing_anybody_out(
    service: Service, client: TestClient, database: Database
) -> None:
    service.register(client)
    tokens = log_in(client)
    new = SecretStr("the next key, also long enough for HMAC-SHA-256")
    both = Service(database, settings(signing_key=new, previous_signing_key=settings().signing_key))
    only_new = Service(database, settings(signing_key=new))

    with TestClient(both.app) as after:
        assert after.get(ME, headers=bearer(tokens)).status_code == 200
        newer = log_in(after)
    with TestClient(only_new.app) as later:
        assert later.get(ME, headers=bearer(tokens)).status_code == 401
        assert later.get(ME, headers=bearer(newer)).status_code == 200


def test_a_token_never_outlives_its_session() -> None:
    tokens = AccessTokens(settings())
    claims = AccessClaims(uuid4(), uuid4(), 0)

    _, seconds = tokens.encode(claims, datetime.now(UTC) + timedelta(seconds=30))

    assert seconds <= 30


def test_a_token_that_is_too_long_is_not_even_parsed() -> None:
    with pytest.raises(NotAuthenticated):
        AccessTokens(settings()).decode("a" * 10_000_000)


@pytest.mark.parametrize("key", ["", "secret", "changeme" * 5, "a" * 64])
def test_a_key_that_somebody_typed_does_not_start(key: str) -> None:
    with pytest.raises(ValidationError):
        AccountSettings(
            signing_key=SecretStr(key),
            website_url="https://shop.example.com",
            environment=Environment.PRODUCTION,
        )
