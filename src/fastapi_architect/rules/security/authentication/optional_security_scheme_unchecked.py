"""A security scheme with `auto_error=False` lets every request pass, and nobody looks at what it found.

Such a scheme answers None instead of 401 when the credential is missing. That is right when something tests the value
afterwards. Here nothing does, neither in the operation nor in a dependency: the lock in the documentation locks nothing.

Known limits: a value that is handed to any call counts as looked at, whatever the call does with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.injected_values import is_looked_at
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A security scheme that may find nothing is never checked",
    severity=Severity.CRITICAL,
    cwe=287,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/reference/security/#fastapi.security.APIKeyHeader",
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
    ),
)

_ROUTE_DECORATORS = frozenset(
    {
        "get",
        "put",
        "post",
        "delete",
        "options",
        "head",
        "patch",
        "trace",
        "api_route",
        "route",
        "websocket",
        "websocket_route",
    }
)


@rule.check(per=PathOperation)
def scheme_without_a_test(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    if operation.handler is None or not operation.dependencies:
        return
    access = graph.access(operation)
    if access.level != AccessLevel.OPTIONAL or access.public_reason or _is_wrapped(operation):
        return
    found: list[tuple[Dependency, bool]] = []
    for dependency in operation.dependencies:
        own = operation.handler if dependency.level == "parameter" else None
        found += _schemes(graph, dependency, ((dependency, own),))
    if found and not any(looked_at for _, looked_at in found):
        yield _finding(operation, found[0][0], _confidence(graph, operation))


def _is_wrapped(operation: PathOperation) -> bool:
    """Something of the project stands around the handler: a decorator of its own may check the caller."""
    assert operation.handler is not None
    names = [last_name(d.func if d.__class__ is ir.Call else d) for d in operation.handler.node.decorators]
    return any(name not in _ROUTE_DECORATORS for name in names)


def _confidence(graph: AppGraph, operation: PathOperation) -> Confidence:
    """Tentative where a middleware might authenticate."""
    names = [m.name for m in graph.application_of(operation).middleware]
    return Confidence.TENTATIVE if any("auth" in name.lower() for name in names) else Confidence.FIRM


def _schemes(
    graph: AppGraph, dependency: Dependency, chain: tuple[tuple[Dependency, Function | None], ...]
) -> Iterator[tuple[Dependency, bool]]:
    """Optional schemes, and whether any function on the way to the operation looks at their value."""
    if graph.guards.is_scheme(dependency):
        if graph.guards.scheme_is_optional(dependency):
            yield dependency, any(_looks(graph, each, receiver) for each, receiver in chain)
        else:
            yield dependency, True
        return
    unknown = dependency.function is None
    for child in dependency.dependencies:
        for scheme, looked_at in _schemes(graph, child, (*chain, (child, dependency.function))):
            yield scheme, looked_at or unknown


def _looks(graph: AppGraph, dependency: Dependency, receiver: Function | None) -> bool:
    name = dependency.parameter_name
    return receiver is not None and name != "" and is_looked_at(graph, receiver, name)


def _finding(operation: PathOperation, scheme: Dependency, confidence: Confidence) -> Finding:
    assert operation.handler is not None
    name = operation.handler.name
    kind = (scheme.instance_of or scheme.name).rpartition(".")[2]
    value = scheme.parameter_name or "credential"
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) declares {kind} with `auto_error=False`, and nothing tests whether it found a credential.",
        "Refuse a request without a valid credential, in a dependency of its own:\n"
        "```python\n"
        f"def require_{value}({value}: Annotated[str | None, Security(scheme)]) -> str:\n"
        f"    if {value} is None or not is_valid({value}):\n"
        '        raise HTTPException(status_code=401, headers={"WWW-Authenticate": "Bearer"})\n'
        f"    return {value}\n"
        "```",
        reasoning="With auto_error=False the scheme gives None when the credential is missing, and the operation goes on.",
        exploit=f"Send `{operation}` without any credential: it is answered.",
        confidence=confidence,
        trace=steps(
            (scheme, f"{kind} gives None when the credential is missing"), (operation, f"{name} runs anyway")
        ),
        routes=routes_of([operation]),
        context=Context(access="none", writes=operation.is_write),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import FastAPI, Security
    from fastapi.security import APIKeyHeader

    partner_key = APIKeyHeader(name="X-Partner-Key", auto_error=False)
    app = FastAPI()

    @app.get("/prices")
    def prices(key: Annotated[str | None, Security(partner_key)]) -> list[int]:  # finding: optional-security-scheme-unchecked
        return [799, 1299]
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.security import APIKeyHeader

    partner_key = APIKeyHeader(name="X-Partner-Key", auto_error=False)
    app = FastAPI()

    def require_partner(key: Annotated[str | None, Security(partner_key)]) -> str:
        if key != "k-17":
            raise HTTPException(401)
        return key

    @app.get("/prices")
    def list_prices(partner: Annotated[str, Depends(require_partner)]) -> list[int]:
        return [799, 1299]
"""


@rule.exploit
def prices_without_a_key(proof: Proof) -> None:
    """A request without any key is answered with the partners' prices."""
    answer = proof.client.get("/prices")
    assert answer.status_code == 200
    assert answer.json() == [799, 1299]
