"""A check of who may do what is never run, so everybody passes.

Calling an `async def` gives a coroutine, and a coroutine is always true: `if can_edit(...)` lets everybody in,
`if not can_edit(...)` refuses nobody, and `require_owner(...)` as a statement never raises.

Known limits: what decides about access is recognised by the check's name, or because a refusal (401, 403, an
exception named like one) depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.coroutines import Unawaited, unawaited
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    steps,
)

rule = Rule(
    __name__,
    "A permission check is a coroutine that nobody awaits",
    severity=Severity.CRITICAL,
    cwe=863,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H",
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#detect-never-awaited-coroutines",
        "https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/",
    ),
)

_SO = {
    "tested": "a coroutine is always true, so everybody passes",
    "discarded": "its body, and its refusal, never run",
}


@rule.check(per=AppGraph)
def check_never_runs(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for found in unawaited(graph):
        if found.decides_access and found.use in _SO:
            yield _finding(found, graph)


def _finding(found: Unawaited, graph: AppGraph) -> Finding:
    scope = found.site.scope
    assert isinstance(scope, Function)
    declared = (
        [(found.function, f"{found.function.name} is declared with async def")] if found.function else []
    )
    body = f"# Bad\n{found.name}(...)\n# Good\nawait {found.name}(...)"
    return rule.at(
        found.site,
        f"`{scope.name}` decides about access with `{found.name}(...)` and does not await it: {_SO[found.use]}.",
        f"Await the check:\n```python\n{definition(graph, scope, body, is_async=True)}\n```",
        reasoning=f"`{found.name}` is a coroutine function; only `await` runs its body and gives its answer.",
        exploit=f"Whoever is signed in gets past `{found.name}`, whatever they are allowed to do.",
        confidence=Confidence.CERTAIN,
        trace=steps((found.site, f"{found.name}(...) is never awaited"), *declared),
        fix=_fix(found, scope),
        context=Context(missing_check=True),
    )


def _fix(found: Unawaited, scope: Function) -> Fix | None:
    if not scope.is_async or found.site.context.inside("lambda") is not None:
        return None
    place = scope.location(found.site.node)
    return Fix(
        f"Await {found.name}", (Edit(Location(place.path, place.line, place.column), "await "),), safe=True
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    OWNERS = {7: "alice"}

    def current_user(x_user: Annotated[str | None, Header()] = None) -> str:
        if x_user is None:
            raise HTTPException(401)
        return x_user

    async def owns_order(user: str, order_id: int) -> bool:
        return OWNERS.get(order_id) == user

    app = FastAPI()

    @app.delete("/orders/{order_id}")
    async def delete_order(order_id: int, user: Annotated[str, Depends(current_user)]) -> str:
        if not owns_order(user, order_id):  # finding: authorization-coroutine-not-awaited
            raise HTTPException(403)
        return f"order {order_id} is gone"
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    OWNERS = {7: "alice"}

    def current_user(x_user: Annotated[str | None, Header()] = None) -> str:
        if x_user is None:
            raise HTTPException(401)
        return x_user

    async def owns_order(user: str, order_id: int) -> bool:
        return OWNERS.get(order_id) == user

    app = FastAPI()

    @app.delete("/orders/{order_id}")
    async def delete_order(order_id: int, user: Annotated[str, Depends(current_user)]) -> str:
        if not await owns_order(user, order_id):
            raise HTTPException(403)
        return f"order {order_id} is gone"
"""


@rule.exploit
def mallory_deletes_the_order_of_alice(proof: Proof) -> None:
    """Mallory, signed in and no owner, deletes order 7 of alice and is answered with 200."""
    answer = proof.client.delete("/orders/7", headers={"X-User": "mallory"})
    assert answer.status_code == 200
    assert answer.json() == "order 7 is gone"
