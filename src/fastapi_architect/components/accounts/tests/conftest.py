"""A service with accounts, and a client of it."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.tests.example import Service
from fastapi_architect.components.database import Database


@pytest.fixture
def service(database: Database) -> Service:
    """The service on an empty database."""
    return Service(database)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    """A client of the running service."""
    with TestClient(service.app) as client:
        yield client
