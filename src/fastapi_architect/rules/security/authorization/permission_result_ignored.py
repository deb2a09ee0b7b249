"""A check says no, and nobody listens.

`can_edit(user, page)` as a statement throws its answer away. FastAPI throws the value of a dependency in
`dependencies=[...]` away as well: a function that returns False there blocks nothing.

Known limits: a check is a function of the project that answers with a bool, never raises, and is named like one
(`check_`, `has_`, `can_`, `is_`, `verify_` ...).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The answer of a permission check is thrown away",
    severity=Severity.IMPORTANT,
    cwe=252,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-in-path-operation-decorators/#return-values",
        "https://owasp.org/API-Security/editions/2023/en/0xa5-broken-function-level-authorization/",
    ),
)

_CHECK = lazy_pattern(
    r"^_?(check|has|can|may|is|are|verify|validate|authori[sz]e|authenticate|require|ensure|owns|allow)(_|$)|"
    r"(allowed|permitted|authori[sz]ed|owner|member|admin)$"
)
_ABOUT_ACCESS = lazy_pattern(
    r"perm|role|own|admin|access|auth|scope|allow|member|superuser|staff|token|key|signature|password|credential|"
    r"can_|may_|right|privilege|tenant|policy|login|session|user"
)
_DUMMY = lazy_pattern(r"dummy|fake|timing|constant_?time|decoy", re.IGNORECASE)
_OF_PASSWORDS = lazy_pattern(r"password|passwd|hash|secret|credential")


@rule.check(per=AppGraph)
def statement_without_consequence(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    names = {
        name for name in graph.program.called_names if _CHECK.search(name) and _ABOUT_ACCESS.search(name)
    }
    for name in sorted(names):
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind != "source" or not _is_statement(site):
                continue
            targets = graph.program.calls.targets(site)
            if (
                not targets
                or not isinstance(site.scope, Function)
                or (targets[0].is_async and not site.awaited)
            ):
                continue
            if _only_takes_time(site, name):
                continue
            if all(_only_answers(t, graph) for t in targets) and graph.entries(site.scope):
                yield _of_statement(site, site.scope, targets[0], graph)


def _is_statement(site: Site) -> bool:
    """The call is a whole statement, awaited or not."""
    value = getattr(site.statement, "value", None)
    if site.statement.__class__ is not ir.ExprStmt:
        return False
    return value is site.node or (value.__class__ is ir.Await and value.value is site.node)


def _only_takes_time(site: Site, name: str) -> bool:
    """A password is compared with one that nobody has, so that unknown accounts take as long as known ones."""
    given = (*site.node.args, *(k.value for k in site.node.keywords))
    if any(_DUMMY.search(each) for argument in given for each in names_in(argument)):
        return True
    return bool(_OF_PASSWORDS.search(name)) and any(
        each.__class__ is ir.Constant or (each.__class__ is ir.Name and each.id.isupper()) for each in given
    )


def _only_answers(function: Function, graph: AppGraph) -> bool:
    """It returns a bool and raises nothing, nor does what it calls."""
    if function.is_generator or not function.facts.sites(ir.Return):
        return False
    of = graph.program.inference.return_type(function)
    found = [getattr(o, "result", o) for o in options(of)]
    if not found or any(getattr(o, "name", "") != "builtins.bool" for o in found):
        return False
    return not _raises(function, graph, 0)


def _raises(function: Function, graph: AppGraph, depth: int) -> bool:
    if function.facts.sites(ir.Raise) or function.facts.sites(ir.Assert):
        return True
    if depth > 2:
        return False
    return any(
        _raises(target, graph, depth + 1)
        for site in function.facts.calls
        for target in graph.program.calls.targets(site)
        if target is not function
    )


def _of_statement(site: Site, scope: Function, check: Function, graph: AppGraph) -> Finding:
    awaited = "await " if site.awaited else ""
    asked = written(graph, scope, site.node)
    body = f"if not {awaited}{asked}:\n    raise HTTPException(status_code=403)"
    return rule.at(
        site,
        f"`{scope.name}` calls `{check.name}` and throws its answer away: it goes on when the answer is False.",
        f"Refuse when the answer is False:\n```python\n{definition(graph, scope, body)}\n```",
        reasoning=f"`{check.name}` returns a bool and raises on no path, so only its answer can refuse anybody.",
        exploit=f"Whoever `{check.name}` answers with False goes on as if it were True.",
        confidence=Confidence.CERTAIN,
        trace=steps((site, "the answer is thrown away"), (check, f"{check.name} only answers")),
        context=Context(missing_check=True),
    )


@rule.check(per=AppGraph)
def dependency_without_consequence(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    uses: dict[tuple[str, int, int], tuple[Dependency, list[int]]] = {}
    for index, operation in enumerate(graph.operations):
        for dependency in operation.dependencies:
            place = dependency.location
            if dependency.parameter_name == "" and dependency.function is not None:
                uses.setdefault((place.path, place.line, place.column), (dependency, []))[1].append(index)
    for dependency, indexes in uses.values():
        function = dependency.function
        if function is None or not _CHECK.search(function.name) or not _only_answers(function, graph):
            continue
        yield _of_dependency(dependency, function, routes_of(graph.operations[i] for i in indexes), graph)


def _of_dependency(
    dependency: Dependency, function: Function, routes: tuple[str, ...], graph: AppGraph
) -> Finding:
    body = "if not allowed:\n    raise HTTPException(status_code=403)"
    return rule.at(
        dependency.location,
        f"`{function.name}` stands in `dependencies=[...]`, where its answer is thrown away: it blocks nobody.",
        f"Raise in `{function.name}` instead of answering with False:\n"
        f"```python\n{definition(graph, function, body, returns='None')}\n```",
        reasoning="FastAPI runs dependencies of a list for their exceptions only; False is a value like any other.",
        exploit=f"Whoever `{function.name}` answers with False is served as if it were True.",
        confidence=Confidence.CERTAIN,
        trace=steps(
            (dependency, f"{function.name} runs for its exceptions only"), (function, "it raises nothing")
        ),
        routes=routes,
        context=Context(missing_check=True),
    )


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header

    def has_key(x_api_key: Annotated[str | None, Header()] = None) -> bool:
        return x_api_key == "s3cret"

    def may_delete(name: str) -> bool:
        return name == "alice"

    app = FastAPI()

    @app.get("/orders", dependencies=[Depends(has_key)])  # finding: permission-result-ignored
    def list_orders() -> list[str]:
        return ["books"]

    @app.delete("/orders/{order_id}")
    def delete_order(order_id: int, name: Annotated[str, Header()]) -> str:
        may_delete(name)  # finding: permission-result-ignored
        return "deleted"
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException

    def require_key(x_api_key: Annotated[str | None, Header()] = None) -> None:
        if x_api_key != "s3cret":
            raise HTTPException(401)

    def may_delete(name: str) -> bool:
        return name == "alice"

    app = FastAPI()

    @app.get("/orders", dependencies=[Depends(require_key)])
    def list_orders() -> list[str]:
        return ["books"]

    @app.delete("/orders/{order_id}")
    def delete_order(order_id: int, name: Annotated[str, Header()]) -> str:
        if not may_delete(name):
            raise HTTPException(403)
        return "deleted"
"""


@rule.exploit
def a_no_is_as_good_as_a_yes(proof: Proof) -> None:
    """A request without the key lists the orders, and mallory, who may not, deletes one."""
    assert proof.client.get("/orders").json() == ["books"]
    assert proof.client.delete("/orders/7", headers={"name": "mallory"}).json() == "deleted"
