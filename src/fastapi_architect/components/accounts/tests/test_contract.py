"""Whatever is sent, the answer is one that the contract names, and never a failure of the service."""

import pytest
from fastapi.testclient import TestClient

from fastapi_architect.components.accounts.tests.asking import AUTH, ME, run, signed_in
from fastapi_architect.components.accounts.tests.example import Service, settings
from fastapi_architect.components.database import Database
from fastapi_architect.components.testing.contract import contract_violations

#: They end the session that asks.
ENDING = {f"POST {AUTH}/logout", f"DELETE {ME}/sessions"}


@pytest.fixture
def patient(database: Database) -> Service:
    """A service whose limits are not reached: everything comes from one address."""
    return Service(database, settings(attempts_per_address=100_000, attempts_per_account=100_000))


def test_the_contract_is_kept(patient: Service, database_url: str) -> None:
    with TestClient(patient.app) as client:
        headers = signed_in(patient, client)
    run(database_url, "UPDATE accounts SET roles = '{admin}'")

    assert contract_violations(patient.app, headers=headers, skip=ENDING, examples=8) == []
