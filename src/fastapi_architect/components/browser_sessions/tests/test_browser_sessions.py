"""A cookie opens what its owner may do: for our own pages, for as long as the session lives, and for nobody who reads Redis."""

from collections.abc import Iterator

import pytest
import redis
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from sqlalchemy import create_engine, text

from fastapi_architect.components.browser_sessions import BrowserSessionSettings
from fastapi_architect.components.browser_sessions.tests.example import (
    EMAIL,
    PAGE,
    PASSWORD,
    create_app,
    open_account,
)
from fastapi_architect.components.database import Database
from fastapi_architect.components.redis_pool import RedisPool, RedisSettings
from fastapi_architect.components.service import Environment

SESSION, COOKIE = "/api/v1/browser-session", "__Host-session"


@pytest.fixture
def client(database: Database, redis_pool: RedisPool) -> Iterator[TestClient]:
    open_account(database)
    with TestClient(create_app(database, redis_pool), base_url="https://testserver") as client:
        yield client


def sign_in(client: TestClient, password: str = PASSWORD, **headers: str) -> str:
    answer = client.post(SESSION, json={"email": EMAIL, "password": password}, headers=headers)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["csrf_token"]
    return token


def test_a_password_that_was_made_for_somebody_opens_nothing_by_cookie_either(
    client: TestClient, database_url: str
) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE accounts SET initial_password_until = now() + interval '1 day'"))
    engine.dispose()
    token = sign_in(client)
    refused = client.get("/things")
    change = {"present_password": PASSWORD, "password": "four other unrelated words"}

    assert refused.status_code == 403
    assert refused.json()["path"] == "/api/v1/me/password"
    changed = client.put("/api/v1/me/password", json=change, headers={"X-CSRF-Token": token, "Origin": PAGE})
    assert changed.status_code == 204


# ── the cookie ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_browser_signs_in_and_is_known_by_its_cookie(client: TestClient) -> None:
    assert client.get("/things").status_code == 401

    sign_in(client)

    assert client.get("/things").json()["method"] == "session"


def test_the_cookie_is_out_of_reach_of_scripts_of_plain_text_and_of_subdomains(client: TestClient) -> None:
    answer = client.post(SESSION, json={"email": EMAIL, "password": PASSWORD})

    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"{COOKIE.lower()}=")
    for attribute in ("httponly", "secure", "path=/", "samesite=lax"):
        assert attribute in cookie
    assert "domain=" not in cookie


def test_signing_in_never_takes_over_a_session_that_somebody_planted(client: TestClient) -> None:
    sign_in(client)
    planted = client.cookies[COOKIE]

    sign_in(client)

    assert client.cookies[COOKIE] != planted
    client.cookies.clear()
    client.cookies.set(COOKIE, planted)
    assert client.get("/things").status_code == 401


def test_who_reads_redis_cannot_sign_in_with_what_lies_there(client: TestClient, redis_url: str) -> None:
    sign_in(client)
    secret = client.cookies[COOKIE]

    with redis.Redis.from_url(redis_url) as reader:
        keys = list(reader.scan_iter("*"))
        contents = b" ".join(
            [*keys, *(reader.get(key) or b"" for key in keys if reader.type(key) == b"string")]
        )
    assert keys
    assert secret.encode() not in contents


def test_a_made_up_cookie_opens_nothing(client: TestClient) -> None:
    client.cookies.set(COOKIE, "x" * 43)

    assert client.get("/things").status_code == 401


# ── other sites ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_change_needs_the_token_that_only_our_page_was_told(client: TestClient) -> None:
    token = sign_in(client)

    assert client.post("/things").status_code == 403
    assert client.post("/things", headers={"X-CSRF-Token": "wrong"}).status_code == 403
    assert client.post("/things", headers={"X-CSRF-Token": token}).status_code == 200
    assert client.delete(SESSION).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://shop.example.com.evil.example"},
        {"Origin": "http://shop.example.com"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing_and_signs_nobody_in(
    client: TestClient, headers: dict[str, str]
) -> None:
    login = client.post(SESSION, json={"email": EMAIL, "password": PASSWORD}, headers=headers)
    token = sign_in(client)

    assert login.status_code == 403
    assert "set-cookie" not in login.headers
    assert client.post("/things", headers={"X-CSRF-Token": token, **headers}).status_code == 403


@pytest.mark.parametrize("origin", [PAGE, "https://testserver"])
def test_our_own_pages_may(client: TestClient, origin: str) -> None:
    token = sign_in(client, Origin=origin)

    assert client.post("/things", headers={"X-CSRF-Token": token, "Origin": origin}).status_code == 200


def test_a_page_that_was_loaded_anew_asks_for_the_token(client: TestClient) -> None:
    token = sign_in(client)

    assert client.get(SESSION).json()["csrf_token"] == token


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_signing_out_ends_the_session_and_not_only_the_cookie(client: TestClient) -> None:
    token = sign_in(client)
    secret = client.cookies[COOKIE]

    assert client.delete(SESSION, headers={"X-CSRF-Token": token}).status_code == 204

    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, secret)
    assert client.get("/things").status_code == 401


def test_what_ends_the_session_in_the_account_ends_it_here(client: TestClient) -> None:
    sign_in(client)
    tokens = client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    listed = client.get("/api/v1/me/sessions", headers=bearer).json()["items"]
    assert len(listed) == 2

    oldest = listed[-1]["id"]
    assert client.delete(f"/api/v1/me/sessions/{oldest}", headers=bearer).status_code == 204

    assert client.get("/things").status_code == 401


def test_an_unused_session_is_forgotten(client: TestClient, redis_url: str) -> None:
    sign_in(client)

    with redis.Redis.from_url(redis_url) as reader:
        (key,) = reader.scan_iter("*browser-session*")
        left = reader.ttl(key)
        assert 0 < left <= 120 * 60
        reader.expire(key, 5)
        client.get("/things")
        assert reader.ttl(key) > 5
        reader.delete(key)
    assert client.get("/things").status_code == 401


def test_without_redis_nobody_is_let_in_by_a_cookie_and_others_are(
    database: Database, redis_pool: RedisPool
) -> None:
    open_account(database)
    gone = RedisPool(RedisSettings(url=SecretStr("redis://127.0.0.1:1/0"), environment=Environment.LOCAL))
    with TestClient(create_app(database, gone), base_url="https://testserver") as client:
        tokens = client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).json()
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert client.get("/things", headers=bearer).status_code == 200
        client.cookies.set(COOKIE, "x" * 43)
        answer = client.get("/things")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        login = client.post(SESSION, json={"email": EMAIL, "password": PASSWORD})
        assert login.status_code == 503


# ── input ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wrong_password_and_an_unknown_address_read_the_same(client: TestClient) -> None:
    wrong = client.post(SESSION, json={"email": EMAIL, "password": "wrong wrong wrong"})
    unknown = client.post(SESSION, json={"email": "nobody@example.com", "password": PASSWORD})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


@pytest.mark.parametrize(
    "body", [{"email": "x", "password": "y"}, {"email": EMAIL, "password": "a\x00b"}, {"email": EMAIL}, {}]
)
def test_bad_input_is_refused_as_such(client: TestClient, body: dict[str, str]) -> None:
    assert client.post(SESSION, json=body).status_code == 422


@pytest.mark.parametrize(
    "origin", ["*", "shop.example.com", "https://*.example.com", "https://shop.example.com/"]
)
def test_an_origin_that_fits_too_much_or_nothing_is_refused_at_start(origin: str) -> None:
    with pytest.raises(ValidationError):
        BrowserSessionSettings(origins=(origin,))
