"""SecAPI as it runs, on real servers, with people and organisations that a test names."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from alembic.config import Config
from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from fastapi_architect.components.service import Component, Principal
from fastapi_architect.components.testing.databases import DatabaseTemplates
from fastapi_architect.components.testing.fixtures import *  # noqa: F403 - pytest finds them by their names
from fastapi_architect.secapi.app import create_app
from fastapi_architect.secapi.migrating import APPLICATION, OWNER
from fastapi_architect.secapi.migrating import alembic_config as secapi_alembic_config
from fastapi_architect.secapi.permissions import OF_ACCOUNTS
from fastapi_architect.secapi.registry import components

Headers = dict[str, str]
SignIn = Callable[..., Headers]


class NamedCallers(Component):
    """Believes whoever names a caller that a test made; every authenticator of the service stays as it is."""

    security_scheme: tuple[str, dict[str, Any]] = (
        "named_caller",
        {"type": "apiKey", "in": "header", "name": "X-Named-Caller"},
    )

    def __init__(self) -> None:
        self.callers: dict[str, Principal] = {}

    async def authenticate(self, connection: HTTPConnection, session: AsyncSession) -> Principal | None:
        """Return the caller of this name."""
        return self.callers.get(connection.headers.get("x-named-caller", ""))


@pytest.fixture(scope="session")  # type: ignore[no-redef]  # on purpose: the roles of this service
def database_templates(postgresql_url: str) -> Iterator[DatabaseTemplates]:
    """What databases of this run are copied from, with the roles that SecAPI's migrations name."""
    templates = DatabaseTemplates(postgresql_url, owner=OWNER, application=APPLICATION)
    yield templates
    templates.close()


@pytest.fixture(scope="session")  # type: ignore[no-redef]
def alembic_config() -> Config:
    """SecAPI's own revisions."""
    return secapi_alembic_config()


@pytest.fixture
def service_environment(
    migrated_database_url: str, database_templates: DatabaseTemplates, redis_url: str
) -> Mapping[str, str]:
    """The environment in which SecAPI and its workers run in this test."""
    return {
        "ENV_FILE": "",
        "ENVIRONMENT": "local",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": migrated_database_url,
        "DATABASE_OWNER_URL": database_templates.as_owner(migrated_database_url),
        "REDIS_URL": redis_url,
        "CELERY_BROKER_URL": redis_url.removesuffix("/0") + "/1",
        "ACCOUNTS_SIGNING_KEY": secrets.token_urlsafe(48),
        "WEBHOOK_SIGNING_KEY": secrets.token_urlsafe(48),
        # A test asks more often than a person does.
        "RATE_LIMIT_DEFAULT": "100000/minute",
        "MAIL_SENDER": "secapi@example.com",
        "ACCOUNTS_WEBSITE_URL": "http://localhost",
    }


@pytest.fixture
def app(
    service_environment: Mapping[str, str], named_callers: NamedCallers, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    """The application as it is served."""
    for name, value in service_environment.items():
        monkeypatch.setenv(name, value)
    return create_app([named_callers, *components()])


@pytest.fixture
def named_callers() -> NamedCallers:
    """Who may call in this test."""
    return NamedCallers()


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the running application."""
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


class People:
    """Makes organisations and their members, as the owner of the tables does."""

    def __init__(self, callers: NamedCallers, owner_url: str) -> None:
        self._callers = callers
        self._owner_url = owner_url

    def organisation(self, name: str = "Acme") -> UUID:
        """Make an organisation."""
        identifier = uuid7()
        statement = "INSERT INTO organisations (id, name, version) VALUES (:id, :name, 1)"
        self._run(statement, {"id": identifier, "name": name})
        return identifier

    def member(self, organisation: UUID, role: str, *, scopes: frozenset[str] | None = None) -> Headers:
        """Make somebody with a role in an organisation, and return the headers with which they call.

        Args:
            organisation: whose member.
            role: of tenancy.
            scopes: they call with a key that has these; None: with all that their role allows.
        """
        person = uuid7()
        statement = (
            "INSERT INTO memberships (id, tenant_id, account_id, role) VALUES (:id, :tenant, :account, :role)"
        )
        self._run(statement, {"id": uuid7(), "tenant": organisation, "account": person, "role": role})
        method = "test" if scopes is None else "api_key"
        self._callers.callers[str(person)] = Principal(
            person, OF_ACCOUNTS if scopes is None else scopes, method=method
        )
        return {"X-Named-Caller": str(person)}

    def _run(self, statement: str, values: dict[str, Any]) -> None:
        engine = create_engine(self._owner_url)
        with engine.begin() as connection:
            connection.execute(text(statement), values)
        engine.dispose()


@pytest.fixture
def people(named_callers: NamedCallers, service_environment: Mapping[str, str]) -> People:
    """Makes organisations and members."""
    return People(named_callers, service_environment["DATABASE_OWNER_URL"])


@pytest.fixture
def developer(people: People) -> Headers:
    """A developer of an organisation."""
    return people.member(people.organisation(), "developer")


def archive(**files: str) -> bytes:
    """A ZIP archive; `__` in a name stands for a slash, and `.py` is added."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name.replace("__", "/") + ".py", content)
    return made.getvalue()
