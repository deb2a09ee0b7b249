"""The service as it runs, on real servers, with callers that a test names."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import pytest
from dotenv import dotenv_values
from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.components.database import Database
from app.components.service import Component, Principal, installed
# [with tenancy]
from app.components.tenancy import Tenancy
# [end]
from app.components.testing.databases import DatabaseTemplates
from app.components.testing.fixtures import *  # noqa: F403 - pytest finds them by their names
from app.main import create_app
from app.registry import components
from development import APPLICATION, OWNER, ROOT, has
# [with tenancy]
from tests.organisations import Organisations
# [end]

Headers = dict[str, str]
SignIn = Callable[..., Headers]
CountStatements = Callable[[], AbstractContextManager[list[str]]]


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

    def sign_in(self, *permissions: str, principal_id: UUID | None = None) -> Headers:
        """Make a caller, and return the headers with which it calls."""
        principal = Principal(principal_id or uuid7(), frozenset(permissions), method="test")
        self.callers[str(principal.id)] = principal
        return {"X-Named-Caller": str(principal.id)}


@pytest.fixture(scope="session")  # type: ignore[no-redef]  # on purpose: the roles of this project
def database_templates(postgresql_url: str) -> Iterator[DatabaseTemplates]:
    """What databases of this run are copied from, with the roles that this project's migrations name."""
    templates = DatabaseTemplates(postgresql_url, owner=OWNER, application=APPLICATION)
    yield templates
    templates.close()


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    migrated_database_url: str,
    database_templates: DatabaseTemplates,
) -> None:
    """The environment of a developer's machine, with a database of this test's own, made by the migrations.

    What a `.env` says plays no part in tests.
    """
    for name, value in dotenv_values(ROOT / ".env.example").items():
        monkeypatch.setenv(name, value or secrets.token_urlsafe(48))
    monkeypatch.setenv("ENV_FILE", "")
    monkeypatch.setenv("ENVIRONMENT", "local")
    monkeypatch.setenv("LOG_LEVEL", "WARNING")
    monkeypatch.setenv("DATABASE_URL", migrated_database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_templates.as_owner(migrated_database_url))
    if has("redis_pool", "celery_tasks"):
        monkeypatch.setenv("REDIS_URL", request.getfixturevalue("redis_url"))
    # All tests come from one address, which asks more often than a client may.
    monkeypatch.setenv("RATE_LIMIT_DEFAULT", "100000/second")


@pytest.fixture
def named_callers() -> NamedCallers:
    """Who may call in this test."""
    return NamedCallers()


@pytest.fixture
def app(settings: None, named_callers: NamedCallers) -> FastAPI:
    """The application as it is served."""
    # [with tenancy]
    app = create_app([named_callers, *components()])
    # Named callers are like keys: what a test grants them bounds what their role allows.
    installed(app, Tenancy).restricting_methods |= {"test"}
    return app
    # [without tenancy]
    return create_app([named_callers, *components()])
    # [end]


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of the running application."""
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def count_statements(app: FastAPI) -> CountStatements:
    """Collect the SQL that the application runs inside of a `with`: a list that grows may not cost more statements."""
    engine = installed(app, Database).engine.sync_engine

    @contextmanager
    def count() -> Iterator[list[str]]:
        found: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            found.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return count


# [with tenancy]
@pytest.fixture
def organisations(
    settings: None, migrated_database_url: str, database_templates: DatabaseTemplates
) -> Iterator[Organisations]:
    """Who belongs to which organisation; a test may change it."""
    organisations = Organisations(database_templates.as_owner(migrated_database_url))
    yield organisations
    organisations.close()


@pytest.fixture
def sign_in(named_callers: NamedCallers, organisations: Organisations) -> SignIn:
    """Make a caller with these permissions, and return the headers with which it calls.

    It owns an organisation of its own, or has a role in the one that is named.
    """

    def sign_in(*permissions: str, organisation_id: UUID | None = None, role: str = "owner") -> Headers:
        principal_id = uuid7()
        organisations.join(organisation_id or organisations.found(), principal_id, role)
        return named_callers.sign_in(*permissions, principal_id=principal_id)

    return sign_in
# [without tenancy]
@pytest.fixture
def sign_in(named_callers: NamedCallers) -> SignIn:
    """Make a caller with these permissions, and return the headers with which it calls."""
    return named_callers.sign_in
# [end]
