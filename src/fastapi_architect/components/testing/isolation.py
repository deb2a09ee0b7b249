"""Nobody reaches what belongs to another tenant: tests of every route with an identifier, made from the router.

def test_tenants_are_kept_apart(app: FastAPI, client: TestClient) -> None:
    violations = cross_tenant_violations(
        client, app, owner=alice_headers, stranger=mallory_headers, owned={"note_id": note.id}
    )
    assert violations == []
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import product
from typing import Any

import httpx2
from fastapi import FastAPI

from .operations import Operation, RequestOptions, example_request, operations_of

_NOT_FOUND = 404
#: What differs between two answers that say the same.
_OF_THE_REQUEST = ("request_id", "instance")


def cross_tenant_violations(
    client: httpx2.Client,
    app: FastAPI,
    *,
    owner: Mapping[str, str],
    stranger: Mapping[str, str],
    owned: Mapping[str, object],
    own: Mapping[str, object] | None = None,
    shared: Collection[str] = (),
    requests: Mapping[str, RequestOptions] | None = None,
) -> list[str]:
    """Return where a member of another tenant learns of or changes what is not theirs; an empty list is right.

    What belongs to somebody else has to look exactly like what does not exist.

    Args:
        client: of the running application, without credentials.
        app: the application.
        owner: headers of somebody whom the things belong to.
        stranger: headers of a member of another tenant who was granted the same.
        owned: for each parameter of a path, the identifier of a thing of the owner's.
        own: for parameters of paths with several, the stranger's own thing: a foreign child below an own parent is tried too.
        shared: operations whose things everybody may see, such as `GET /countries/{code}`.
        requests: for operations whose example in the contract is not enough, what to send: `{"json": {...}}`.
    """
    found = []
    operations = [each for each in operations_of(app) if each.parameters and str(each) not in shared]
    readings = [each for each in operations if each.method == "GET" and set(each.parameters) <= owned.keys()]
    before = {str(each): _send(client, app, each, owner, owned, requests) for each in readings}
    found += [
        f"{name}: the owner gets {answer.status_code}, so that nothing was proved"
        for name, answer in before.items()
        if answer.status_code >= 300
    ]
    for operation in operations:
        unknown = [name for name in operation.parameters if name not in owned]
        if unknown:
            found.append(f"{operation}: name a thing of the owner's for {', '.join(unknown)} in `owned`")
            continue
        for values in _foreign(operation, owned, own or {}):
            # What is the stranger's own stays: nothing below their parent is told in other words than nothing at all.
            nothing = {name: value for name, value in values.items() if value != owned[name]}
            found += _compare(
                operation,
                _send(client, app, operation, stranger, values, requests),
                _send(client, app, operation, stranger, nothing, requests),
            )
    for each in readings:
        now = _send(client, app, each, owner, owned, requests)
        if (now.status_code, now.content) != (before[str(each)].status_code, before[str(each)].content):
            found.append(f"{each}: the owner sees something else than before the stranger called")
    return found


def _foreign(
    operation: Operation, owned: Mapping[str, object], own: Mapping[str, object]
) -> Iterator[dict[str, object]]:
    """Yield every choice of identifiers of which at least one is the owner's."""
    choices = [[owned[name], *([own[name]] if name in own else [])] for name in operation.parameters]
    for chosen in product(*choices):
        values = dict(zip(operation.parameters, chosen, strict=True))
        if any(values[name] == owned[name] for name in values):
            yield values


def _compare(operation: Operation, theirs: httpx2.Response, none: httpx2.Response) -> list[str]:
    if none.status_code == 422:
        return [
            f"{operation}: the example of the contract does not validate; give one in `requests`: {none.text}"
        ]
    if theirs.status_code != none.status_code:
        return [
            f"{operation}: a foreign identifier gets {theirs.status_code}, one of nothing {none.status_code}"
        ]
    if operation.method == "GET" and theirs.status_code != _NOT_FOUND:
        return [f"{operation}: a foreign identifier gets {theirs.status_code} instead of 404"]
    if _said(theirs) != _said(none):
        return [f"{operation}: the answer tells a foreign thing from none: {theirs.text!r}, {none.text!r}"]
    return []


def _said(response: httpx2.Response) -> Any:
    try:
        body = response.json()
    except ValueError:
        return response.text
    if isinstance(body, dict):
        return {name: value for name, value in body.items() if name not in _OF_THE_REQUEST}
    return body


def _send(
    client: httpx2.Client,
    app: FastAPI,
    operation: Operation,
    caller: Mapping[str, str],
    values: Mapping[str, object],
    requests: Mapping[str, RequestOptions] | None,
) -> httpx2.Response:
    options = example_request(app, operation) | (requests or {}).get(str(operation), {})
    headers = {**options.pop("headers", {}), **caller}
    return client.request(operation.method, operation.url(values), headers=headers, **options)
