"""The API keeps its own contract, whatever it is sent: nothing that a client sends may end in a fault of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app.components.testing.serving import serving
from tests.conftest import Headers, SignIn

UNDECIDABLE = (positive_data_acceptance, not_a_server_error)


@pytest.fixture
def contract(app: FastAPI) -> Iterator[BaseSchema]:
    """What the API says of itself, behind a real server."""
    with serving(app) as url:
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")


def test_the_contract_is_kept(contract: BaseSchema, sign_in: SignIn, subtests: pytest.Subtests) -> None:
    everything = sign_in("notes:read", "notes:write")
    for found in contract.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        with subtests.test(operation.label):
            keep_the_contract(operation.as_strategy(), everything)


def keep_the_contract(cases: SearchStrategy[schemathesis.Case[Any]], headers: Headers) -> None:
    """Call one operation with whatever its contract allows, and some of what it does not.

    That all that a schema allows is accepted is not asked for: no schema says which cursor or ETag is the right one.
    """

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: schemathesis.Case[Any]) -> None:
        answer = case.call_and_validate(headers=headers, excluded_checks=[*UNDECIDABLE])
        # 502 to 504: a service that this one needs cannot be reached from here.
        assert answer.status_code < 500 or answer.status_code in (502, 503, 504)

    check()
