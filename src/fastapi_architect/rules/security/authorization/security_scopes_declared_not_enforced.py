"""Routes declare the scopes they need, and no code compares them with those of the caller.

`Security(get_current_user, scopes=["items:write"])` checks nothing by itself: FastAPI writes the scopes into the
documentation and hands them to a parameter of type `SecurityScopes`. If no dependency below takes that parameter
and looks at it, a token without any scope passes.

Known limits: a dependency of a library, and one that hands its SecurityScopes on, are taken to enforce them. A
route that takes the guard with `Depends` among siblings that use `Security` is tentative.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.rules.kit import (
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
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Scopes are declared and never compared",
    severity=Severity.CRITICAL,
    cwe=863,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=("https://fastapi.tiangolo.com/advanced/security/oauth2-scopes/",),
)


@rule.check(per=AppGraph)
def scopes_for_show(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    declared: dict[int, tuple[Dependency, list[PathOperation]]] = {}
    for operation in graph.operations:
        for dependency in operation.all_dependencies():
            if dependency.security_scopes and not _enforced(dependency, graph):
                key = id(dependency.function) if dependency.function is not None else id(dependency.provider)
                declared.setdefault(key, (dependency, []))[1].append(operation)
    for dependency, operations in declared.values():
        yield _finding(dependency, operations, graph)


def _enforced(dependency: Dependency, graph: AppGraph) -> bool:
    """Some function below takes SecurityScopes and looks at it, or what is below is not known."""
    for each in dependency.walk():
        if each.function is None:
            if not graph.guards.is_scheme(each):
                return True
            continue
        if any(p.kind == "security-scopes" and _used(p.name, each.function) for p in each.parameters):
            return True
    return False


def _used(name: str, function: Function) -> bool:
    """The parameter is looked at for more than a header: compared, looped over, or handed on."""
    for site in function.facts.calls:
        if any(a.__class__ is ir.Name and a.id == name for a in _given(site.node)):
            return True
        if name in names_in(site.node) and site.context.role == "iter":
            return True
    for kind in (ir.For, ir.Compare, ir.Comprehension, ir.Assign, ir.Call, ir.While, ir.BinOp, ir.AnnAssign):
        for site in function.facts.sites(kind):
            parts = [getattr(site.node, f, None) for f in ("iter", "left", "value", "right", "test")]
            parts += [*getattr(site.node, "comparators", ()), *getattr(site.node, "args", ())]
            parts += [g.iter for g in getattr(site.node, "generators", ())]
            if any(p is not None and _is_scopes(p, name) for p in parts):
                return True
    return False


def _given(call: ir.Call) -> list[ir.Expr]:
    return [*call.args, *(k.value for k in call.keywords)]


def _is_scopes(expr: Any, name: str) -> bool:
    """`security_scopes.scopes`, also inside another expression that is no formatted text."""
    if expr.__class__ is ir.JoinedStr:
        return False
    if expr.__class__ is ir.Attribute and expr.attr == "scopes":
        return expr.value.__class__ is ir.Name and expr.value.id == name
    inner = [getattr(expr, f, None) for f in ("value", "left", "right", "operand", "elt")]
    inner += [*getattr(expr, "args", ()), *getattr(expr, "comparators", ()), *getattr(expr, "values", ())]
    inner += [g.iter for g in getattr(expr, "generators", ())]
    return any(i is not None and isinstance(i, ir.Node) and _is_scopes(i, name) for i in inner)


def _finding(dependency: Dependency, operations: list[PathOperation], graph: AppGraph) -> Finding:
    function = dependency.function
    guard = function.name if function is not None else dependency.name.rpartition(".")[2]
    scopes = ", ".join(f'"{s}"' for s in dependency.security_scopes)
    body = (
        "granted = ...  # the scopes of the token\n"
        "if any(scope not in granted for scope in security_scopes.scopes):\n"
        "    raise HTTPException(status_code=403)"
    )
    code = f"def {guard}(security_scopes: SecurityScopes):\n{textwrap.indent(body, '    ')}"
    if function is not None:
        code = definition(graph, function, body, parameters={"security_scopes": ("SecurityScopes", "")})
    count = f"{len(operations)} operations" if len(operations) > 1 else f"`{operations[0]}`"
    return rule.at(
        function if function is not None else dependency.location,
        f"`{guard}` guards {count} that {'declare' if len(operations) > 1 else 'declares'} scopes ({scopes}) and "
        "never looks at them: a token without any scope passes.",
        f"Take SecurityScopes and compare:\n```python\n{code}\n```",
        reasoning="FastAPI hands declared scopes to a SecurityScopes parameter and enforces nothing itself.",
        exploit=f"A token that was issued without {scopes} is accepted by `{operations[0]}`.",
        confidence=Confidence.FIRM,
        trace=steps(
            (dependency, f"Security(..., scopes=[{scopes}])"),
            *([(function, "no SecurityScopes")] if function else []),
        ),
        routes=routes_of(operations),
        context=Context(missing_check=True),
    )


_FEWEST_SIBLINGS = 3
_SHARE = 0.8


@rule.check(per=AppGraph)
def guard_without_its_scopes(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    families: dict[tuple[object, int], list[tuple[PathOperation, Dependency]]] = defaultdict(list)
    for operation in graph.operations:
        for dependency in operation.dependencies:
            if dependency.function is not None and not operation.is_websocket:
                families[operation.router_location, id(dependency.function)].append((operation, dependency))
    for uses in families.values():
        scoped = [o for o, d in uses if d.security_scopes]
        if len(scoped) < _FEWEST_SIBLINGS or len(scoped) < _SHARE * len(uses):
            continue
        names = {id(o) for o in scoped}
        for operation, dependency in uses:
            if id(operation) not in names and operation.is_write and operation.handler is not None:
                yield _outlier(operation, dependency, scoped)


def _outlier(operation: PathOperation, dependency: Dependency, scoped: list[PathOperation]) -> Finding:
    assert operation.handler is not None
    assert dependency.function is not None
    guard = dependency.function.name
    return rule.at(
        operation.handler,
        f"`{operation}` takes `{guard}` without scopes, which {len(scoped)} siblings declare: any token passes here.",
        f"Declare what it needs:\n```python\nSecurity({guard}, scopes=[...])\n```",
        reasoning=f"With Depends the list that `{guard}` compares is empty.",
        exploit=f"A token without any scope is accepted by `{operation}`.",
        confidence=Confidence.TENTATIVE,
        trace=steps(*((o.handler, f"{o} declares scopes") for o in scoped[:5] if o.handler is not None)),
        routes=routes_of([operation]),
        context=Context(missing_check=True),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.security import OAuth2PasswordBearer

    TOKENS = {"reader": ["items:read"], "writer": ["items:read", "items:write"]}
    oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"items:write": "change items"})

    def current_token(token: Annotated[str, Depends(oauth2_scheme)]) -> str:  # finding: security-scopes-declared-not-enforced
        if token not in TOKENS:
            raise HTTPException(401)
        return token

    app = FastAPI()

    @app.put("/items/{item_id}")
    def replace_item(item_id: int, token: Annotated[str, Security(current_token, scopes=["items:write"])]) -> str:
        return "replaced"
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException, Security
    from fastapi.security import OAuth2PasswordBearer, SecurityScopes

    TOKENS = {"reader": ["items:read"], "writer": ["items:read", "items:write"]}
    oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"items:write": "change items"})

    def current_token(needed: SecurityScopes, token: Annotated[str, Depends(oauth2_scheme)]) -> str:
        if token not in TOKENS:
            raise HTTPException(401)
        if any(scope not in TOKENS[token] for scope in needed.scopes):
            raise HTTPException(403)
        return token

    app = FastAPI()

    @app.put("/items/{item_id}")
    def replace_item(item_id: int, token: Annotated[str, Security(current_token, scopes=["items:write"])]) -> str:
        return "replaced"
"""


@rule.exploit
def a_reader_writes(proof: Proof) -> None:
    """A token for reading only replaces an item whose route declares items:write."""
    answer = proof.client.put("/items/1", headers={"Authorization": "Bearer reader"})
    assert answer.status_code == 200
