"""The application keeps its own contract, whatever it is sent: no 5xx, and no answer that the contract does not know.

def test_the_contract_is_kept(app: FastAPI) -> None:
    assert contract_violations(app, headers=admin_headers) == []
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.transport.requests import REQUESTS_TRANSPORT
from starlette.types import ASGIApp

from .serving import serving

#: No schema says which cursor or which identifier is the right one, or which header will be ignored.
UNDECIDABLE = (positive_data_acceptance, negative_data_rejection)


def contract_violations(
    app: ASGIApp,
    *,
    headers: Mapping[str, str] | None = None,
    examples: int = 20,
    path: str = "/openapi.json",
    skip: Collection[str] = (),
    excluded_checks: Collection[Callable[..., Any]] = UNDECIDABLE,
) -> list[str]:
    """Send each operation what its contract allows and what it does not, behind a real server; return what went wrong.

    The same requests are sent each time: a failure comes back until it is mended.

    Args:
        app: the application; it serves its contract.
        headers: of a caller who may do everything.
        examples: requests for each operation that the contract allows, and again as many that it does not.
        path: of the contract.
        skip: operations to leave out, such as `POST /accounts/delete-all`.
        excluded_checks: checks of schemathesis that are not asked.
    """
    found = []
    with serving(app) as url:
        contract = schemathesis.openapi.from_url(f"{url}{path}")
        for each in contract.get_all_operations():
            if not isinstance(each, Ok):
                found.append(f"the contract is broken: {each.err()}")
                continue
            operation = each.ok()
            for body in operation.body:
                _send_as_bytes(body.media_type)
            if operation.label in skip:
                continue
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                found += _try(operation, mode, dict(headers or {}), examples, list(excluded_checks))
    return found


def _send_as_bytes(media_type: str) -> None:
    """Let schemathesis send a media type that it does not know, such as that of an archive, as it is."""
    if REQUESTS_TRANSPORT.get_first_matching_media_type(media_type) is None:
        schemathesis.serializer.alias(media_type, "application/octet-stream")


def _try(
    operation: Any, mode: GenerationMode, headers: dict[str, str], examples: int, excluded: list[Any]
) -> list[str]:
    found: dict[str, None] = {}

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        try:
            case.call_and_validate(headers=headers, excluded_checks=excluded)
        except FailureGroup as failures:
            found.update((f"{operation.label}: {failure}", None) for failure in failures.exceptions)

    try:
        check()
    except Exception as error:
        # Some operations have nothing that their contract forbids.
        if mode is GenerationMode.POSITIVE or type(error).__name__ not in {"Unsatisfiable", "SkipTest"}:
            raise
    return list(found)
