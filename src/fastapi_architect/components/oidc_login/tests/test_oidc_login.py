"""Whoever the provider vouches for gets in, once for each time they go there, and nobody else does."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from fastapi.testclient import TestClient
from pydantic import SecretStr, ValidationError
from sqlalchemy import MetaData, create_engine

from fastapi_architect.components.accounts.migrations import add_initial_passwords, create_accounts
from fastapi_architect.components.database import Base, Database
from fastapi_architect.components.oidc_login import OidcSettings
from fastapi_architect.components.oidc_login.migrations import create_oidc_login, drop_oidc_login
from fastapi_architect.components.oidc_login.tests.example import PAGE, FakeProvider, create_app
from fastapi_architect.components.testing.servers import for_sqlalchemy
from fastapi_architect.components.testing.serving import serving

START, FINISH = "/api/v1/auth/oidc/start", "/api/v1/auth/oidc/finish"
ADA = {"sub": "ada-1", "email": "ada@example.com", "email_verified": True, "name": "Ada"}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider(person=dict(ADA))
    with serving(fake.app) as url:
        fake.issuer = url
        yield fake


@pytest.fixture
def client(database: Database, provider: FakeProvider) -> Iterator[TestClient]:
    with TestClient(create_app(database, provider)) as client:
        yield client


def connected(database: Database) -> psycopg.Connection[tuple[Any, ...]]:
    url = database.settings.url.get_secret_value().replace("+psycopg", "")
    return psycopg.connect(url, autocommit=True)


def leave(client: TestClient) -> str:
    answer = client.post(START)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["authorization_url"]
    return url


def sign_in(client: TestClient, provider: FakeProvider) -> tuple[int, dict[str, Any]]:
    answer = client.post(FINISH, json=provider.sign_in(leave(client)))
    return answer.status_code, answer.json()


def account_of(client: TestClient, provider: FakeProvider) -> str:
    status, tokens = sign_in(client, provider)
    assert status == 200, tokens
    who: str = client.get("/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()
    return who


# ── who comes back ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_person_comes_back_to_the_same_account_whatever_their_address_is_then(
    client: TestClient, provider: FakeProvider
) -> None:
    first = account_of(client, provider)
    provider.person["email"] = "new@example.com"

    assert account_of(client, provider) == first


def test_another_person_with_the_same_address_does_not_get_in(
    client: TestClient, provider: FakeProvider
) -> None:
    account_of(client, provider)
    provider.person["sub"] = "mallory"

    status, problem = sign_in(client, provider)
    assert status == 409
    assert "access_token" not in problem


def test_an_address_that_the_provider_has_not_verified_opens_nothing(
    client: TestClient, provider: FakeProvider
) -> None:
    for person in (
        {**ADA, "email_verified": False},
        {"sub": "ada-1", "email": "ada@example.com"},
        {"sub": "x"},
    ):
        provider.person = person
        assert sign_in(client, provider)[0] == 401


def test_a_verified_address_leads_into_its_account_where_that_was_decided(
    database: Database, provider: FakeProvider
) -> None:
    with TestClient(create_app(database, provider, link_by_email=True)) as client:
        first = account_of(client, provider)
        provider.person["sub"] = "ada-at-her-new-company"
        assert account_of(client, provider) == first
        provider.person |= {"sub": "mallory", "email_verified": False}
        assert sign_in(client, provider)[0] == 401


def test_a_deactivated_account_stays_closed(
    client: TestClient, provider: FakeProvider, database: Database
) -> None:
    account_of(client, provider)
    with connected(database) as connection:
        connection.execute("UPDATE accounts SET deactivated_at = now()")

    assert sign_in(client, provider)[0] == 401


# ── the attempt ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_good_once(client: TestClient, provider: FakeProvider) -> None:
    back = provider.sign_in(leave(client))
    assert client.post(FINISH, json=back).status_code == 200
    assert client.post(FINISH, json=back).status_code == 401

    again = provider.sign_in(leave(client))
    assert client.post(FINISH, json={**again, "code": back["code"]}).status_code == 401
    assert client.post(FINISH, json=again).status_code == 401, "the state was used up by the failed attempt"


def test_an_answer_in_another_browser_signs_nobody_in(client: TestClient, provider: FakeProvider) -> None:
    back = provider.sign_in(leave(client))
    client.cookies.clear()

    assert client.post(FINISH, json=back).status_code == 401
    leave(client)
    assert client.post(FINISH, json=back).status_code == 401


def test_a_made_up_state_is_refused_before_the_provider_is_asked(
    client: TestClient, provider: FakeProvider
) -> None:
    back = provider.sign_in(leave(client))

    assert client.post(FINISH, json={**back, "state": "x" * 43}).status_code == 401
    assert client.post(FINISH, json=back).status_code == 200


def test_an_attempt_does_not_wait_for_ever(
    client: TestClient, provider: FakeProvider, database: Database
) -> None:
    back = provider.sign_in(leave(client))
    with connected(database) as connection:
        connection.execute("UPDATE oidc_attempts SET expires_at = now()")

    assert client.post(FINISH, json=back).status_code == 401


def test_a_code_without_the_verifier_that_was_promised_is_worth_nothing(
    client: TestClient, provider: FakeProvider
) -> None:
    first, second = leave(client), leave(client)
    stolen = provider.sign_in(first)["code"]

    assert client.post(FINISH, json={**provider.sign_in(second), "code": stolen}).status_code == 401


def test_an_answer_of_another_provider_is_refused(client: TestClient, provider: FakeProvider) -> None:
    back = provider.sign_in(leave(client))

    assert client.post(FINISH, json={**back, "iss": "https://evil.example"}).status_code == 401
    assert client.post(FINISH, json={**back, "iss": provider.issuer}).status_code == 200


# ── the token ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": ["shop", "another client"]},
        {"exp": 1},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
    ],
)
def test_a_token_for_somebody_else_or_of_another_time_is_refused(
    client: TestClient, provider: FakeProvider, wrong: dict[str, Any]
) -> None:
    provider.wrong = wrong

    assert sign_in(client, provider)[0] == 401


@pytest.mark.parametrize("algorithm", ["none", "HS256", "foreign"])
def test_a_token_that_the_provider_has_not_signed_is_refused(
    client: TestClient, provider: FakeProvider, algorithm: str
) -> None:
    provider.algorithm = algorithm

    assert sign_in(client, provider)[0] == 401


def test_a_new_key_of_the_provider_is_asked_for_and_made_up_ones_are_not_asked_for_each_time(
    client: TestClient, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_of(client, provider)
    provider.key_id = "made up"
    for _ in range(3):
        assert sign_in(client, provider)[0] == 401
    assert provider.requests.count("keys") == 1

    monkeypatch.setattr("fastapi_architect.components.oidc_login.provider.KEYS_AT_MOST_EVERY", 0.0)
    provider.rotate("2")
    assert sign_in(client, provider)[0] == 200


def test_the_configuration_of_another_issuer_is_not_believed(
    client: TestClient, provider: FakeProvider
) -> None:
    provider.wrong = {"configuration_issuer": "https://evil.example"}

    assert client.post(START).status_code == 502


def test_a_provider_that_is_gone_is_said_to_be(database: Database) -> None:
    gone = FakeProvider(issuer="http://127.0.0.1:1")
    with TestClient(create_app(database, gone)) as client:
        answer = client.post(START)

    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"


# ── input and settings ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body", [{}, {"state": "x"}, {"state": "x", "code": "a\x00b"}, {"state": "x", "code": "y" * 3000}]
)
def test_bad_input_is_refused_as_such(client: TestClient, body: dict[str, str]) -> None:
    assert client.post(FINISH, json=body).status_code == 422


@pytest.mark.parametrize(
    "changes",
    [{"issuer": "http://provider.example"}, {"redirect_url": "http://shop.example"}, {"scopes": "email"}],
)
def test_a_provider_over_plain_text_is_refused_at_start(changes: dict[str, str]) -> None:
    right = {"issuer": "https://provider.example", "redirect_url": "https://shop.example", "scopes": "openid"}
    settings = {**right, "client_id": "shop", "client_secret": SecretStr("s")}
    OidcSettings.model_validate(settings)

    with pytest.raises(ValidationError):
        OidcSettings.model_validate({**settings, **changes})


def test_nothing_that_signs_in_is_kept_in_clear(
    client: TestClient, provider: FakeProvider, database: Database
) -> None:
    url = leave(client)
    secrets = [provider.sign_in(url)["state"], client.cookies["oidc-attempt"]]

    with connected(database) as connection:
        row = connection.execute("SELECT oidc_attempts::text FROM oidc_attempts").fetchone()
    assert row is not None
    assert not any(secret in row[0] for secret in secrets)
    assert PAGE.replace(":", "%3A").replace("/", "%2F") in url


def test_the_migration_makes_the_tables_of_the_models_and_takes_them_back(empty_database_url: str) -> None:
    tables = ("oidc_identities", "oidc_attempts")
    wanted = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in ("accounts", *tables):
        Base.metadata.tables[table].to_metadata(wanted)
    engine = create_engine(for_sqlalchemy(empty_database_url))
    with engine.begin() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_name": lambda name, kind, _: kind != "table" or name in ("accounts", *tables),
            },
        )
        create_accounts(Operations(context))
        add_initial_passwords(Operations(context))
        create_oidc_login(Operations(context))
        assert compare_metadata(context, wanted) == []
        drop_oidc_login(Operations(context))
        for table in tables:
            assert connection.exec_driver_sql(f"SELECT to_regclass('{table}')").scalar() is None
    engine.dispose()
