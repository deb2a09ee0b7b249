"""Whatever is sent, the answer is one that the contract names, and never a failure of the service."""

from fastapi_architect.components.api_keys.tests.example import create_app
from fastapi_architect.components.database import Database
from fastapi_architect.components.testing.contract import contract_violations


def test_the_contract_is_kept(database: Database) -> None:
    assert contract_violations(create_app(database), headers={"X-Name": "admin"}, examples=10) == []
