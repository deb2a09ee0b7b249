"""Who may call what: every operation there is, whoever calls it."""

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from app.api import api
from app.components.access import RouteAccess, deny_by_default, routes_of
from tests.conftest import SignIn

#: Operations of `app/api.py` that strangers may call, each for a reason. A new one has to be put here on purpose; what
#: components open, such as a login, stands in their READMEs.
PUBLIC: set[tuple[str, str]] = set()
#: Whoever does not belong to an organisation finds none, which is 404 and no 403; `tenancy` tries these routes itself.
BY_MEMBERSHIP = "/api/v1/organisations"
#: An identifier that nothing has.
NOTHING = "018f0000-0000-7000-8000-000000000000"


def operations(app: FastAPI) -> list[tuple[str, RouteAccess]]:
    """Every operation in the contract, with its guard."""
    documented = app.openapi()["paths"]
    return [
        (method, route)
        for route in routes_of(app)
        for method in sorted(route.methods)
        if method.lower() in documented.get(route.path, {})
    ]


def call(client: TestClient, method: str, route: RouteAccess, headers: dict[str, str]) -> int:
    path = route.path
    while "{" in path:
        path = path[: path.index("{")] + NOTHING + path[path.index("}") + 1 :]
    return client.request(method, path, headers=headers).status_code


def test_what_is_open_to_strangers_was_opened_on_purpose() -> None:
    own = FastAPI(dependencies=[Depends(deny_by_default)])
    own.include_router(api)

    assert {(method, route.path) for method, route in operations(own) if not route.authenticated} == PUBLIC


def test_a_stranger_is_refused_everywhere_else(app: FastAPI, client: TestClient) -> None:
    guarded = [(method, route) for method, route in operations(app) if route.authenticated]

    assert guarded
    assert {call(client, method, route, {}) for method, route in guarded} == {401}


def test_a_forged_token_is_refused_everywhere_else(app: FastAPI, client: TestClient) -> None:
    forged = {"Authorization": "Bearer forged"}
    guarded = [(method, route) for method, route in operations(app) if route.authenticated]

    assert {call(client, method, route, forged) for method, route in guarded} == {401}


def test_a_permission_is_asked_for_wherever_one_is_needed(
    app: FastAPI, client: TestClient, sign_in: SignIn
) -> None:
    nobody = sign_in()

    for method, route in operations(app):
        if route.permissions and not route.path.startswith(BY_MEMBERSHIP):
            assert call(client, method, route, nobody) == 403, route.path
            everything = sign_in(*route.permissions)
            assert call(client, method, route, everything) not in (401, 403), route.path
