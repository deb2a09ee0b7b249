"""Every operation, called by a stranger and by each of the others."""

from fastapi.testclient import TestClient

from fastapi_architect.components.api_keys.tests.example import IDENTIFIERS, People, create_app
from fastapi_architect.components.database import Database
from fastapi_architect.components.testing.authorization import STRANGER, Caller, authorization_violations


def test_who_may_call_what(database: Database) -> None:
    people = People()
    app = create_app(database, people)
    callers = [
        Caller(name, {"X-Name": name}, people.permissions[identifier])
        for name, identifier in IDENTIFIERS.items()
    ]
    with TestClient(app) as client:
        assert authorization_violations(client, app, [STRANGER, *callers], public=set()) == []
