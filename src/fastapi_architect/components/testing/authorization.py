"""Every operation, called by a stranger and by each role: the matrix is made from the router, so that no route is forgotten.

def test_who_may_call_what(app: FastAPI, client: TestClient) -> None:
    callers = [STRANGER, Caller("reader", reader_headers, {"notes:read"}), Caller("admin", admin_headers, EVERYTHING)]
    assert authorization_violations(client, app, callers, public={"GET /health/live"}) == []
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import httpx2
from fastapi import FastAPI

from .operations import Operation, operations_of

_UNAUTHORIZED, _FORBIDDEN = 401, 403


@dataclass(frozen=True)
class Caller:
    """Somebody who calls: with which headers, and what they were granted."""

    name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    permissions: Collection[str] = ()
    is_stranger: bool = False


STRANGER = Caller("stranger", is_stranger=True)


def authorization_matrix(
    client: httpx2.Client,
    app: FastAPI,
    callers: Iterable[Caller],
    values: Mapping[str, object] | None = None,
) -> dict[str, dict[str, int]]:
    """Call every operation as everybody, and return the status codes: by operation, then by caller.

    Requests have no body and identifiers that nothing has: whoever is let in gets 404 or 422, and changes nothing. What has
    to be there for a role to be found, such as the organisation in a path, stands in `values` by the name of its parameter.
    """
    everybody = list(callers)
    return {
        str(operation): {caller.name: _call(client, operation, caller, values) for caller in everybody}
        for operation in operations_of(app)
    }


def authorization_violations(
    client: httpx2.Client,
    app: FastAPI,
    callers: Iterable[Caller],
    *,
    public: Collection[str],
    values: Mapping[str, object] | None = None,
) -> list[str]:
    """Return where somebody is let in who must not be, or refused who must not be; an empty list is right.

    Args:
        client: of the running application, without credentials.
        app: the application.
        callers: everybody who calls; `STRANGER` among them.
        public: the operations that strangers may call, such as `GET /health/live`. A new one is put here on purpose.
        values: of parameters in paths by which a role is found, such as `organisation_id`.
    """
    everybody = list(callers)
    operations = operations_of(app)
    found = [
        f"{operation}: it is open to strangers, and nobody decided so: mark it, or put it into `public`"
        for operation in operations
        if operation.public and str(operation) not in public
    ]
    known = {str(operation): operation for operation in operations}
    found += [
        f"{name}: there is no such public operation"
        for name in sorted(public)
        if name not in known or not known[name].public
    ]
    matrix = authorization_matrix(client, app, everybody, values)
    for operation in operations:
        for caller in everybody:
            status = matrix[str(operation)][caller.name]
            wrong = _violation(operation, caller, status)
            if wrong:
                found.append(f"{operation}: {caller.name} got {status}, {wrong}")
    return found


def _call(
    client: httpx2.Client, operation: Operation, caller: Caller, values: Mapping[str, object] | None
) -> int:
    return client.request(operation.method, operation.url(values), headers=dict(caller.headers)).status_code


def _violation(operation: Operation, caller: Caller, status: int) -> str:
    if status >= 500:
        return "which is a fault of the service"
    if operation.public:
        return ""
    if caller.is_stranger:
        return "" if status == _UNAUTHORIZED else "and must be refused with 401"
    missing = sorted(operation.permissions - set(caller.permissions))
    if missing:
        return "" if status == _FORBIDDEN else f"and must be refused with 403 without {', '.join(missing)}"
    return "and may call it" if status in (_UNAUTHORIZED, _FORBIDDEN) else ""
