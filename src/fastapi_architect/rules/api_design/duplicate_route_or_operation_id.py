"""Two operations share a method and path, or an operation id.

Only the first of two routes with the same method and path ever answers: whoever edits the second wonders
why nothing changes. A router that is included twice under one prefix doubles all of its routes. Two
operations with one operation id break generated clients, in which the second replaces the first or gets a
number.

Known limits: ids that a custom function makes are followed only where it is put together from the route's
name and tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.route_order import Shadow, shadows
from fastapi_architect.appgraph.path_operations import Inclusion
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Two operations share a method and path, or an operation id",
    severity=Severity.IMPORTANT,
    cwe=691,
    references=(
        "https://spec.openapis.org/oas/v3.1.1.html#fixed-fields-7",
        "https://fastapi.tiangolo.com/advanced/path-operation-advanced-configuration/#openapi-operationid",
    ),
)

_DELIBERATE = lazy_pattern(r"overrid|supersed|takes precedence|shadows? ", re.IGNORECASE)


@rule.check(per=AppGraph)
def same_method_and_path(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    twice: dict[int, list[Shadow]] = {}
    for shadow in shadows(graph):
        if not shadow.equal or not isinstance(shadow.earlier, PathOperation):
            continue
        if shadow.earlier.registration[0] is shadow.later.registration[0] and shadow.later.inclusions:
            twice.setdefault(id(_differing(shadow).call), []).append(shadow)
        elif not _is_deliberate(shadow) and not _only_under_a_condition(shadow, graph):
            yield _unreached(shadow, shadow.earlier)
    for found in twice.values():
        yield _included_twice(found)


def _is_deliberate(shadow: Shadow) -> bool:
    """A docstring or the module's name says that one replaces the other."""
    both = [o.handler for o in (shadow.earlier, shadow.later) if isinstance(o, PathOperation)]
    texts = [text for f in both if f is not None for text in (f.node.docstring or "", f.module.name)]
    return any(_DELIBERATE.search(text) is not None for text in texts)


def _only_under_a_condition(shadow: Shadow, graph: AppGraph) -> bool:
    """A function registers the earlier one, and every call of it stands in a branch that may not be taken."""
    assert isinstance(shadow.earlier, PathOperation)
    function = shadow.earlier.registration[1]
    if not isinstance(function, Function) or function is shadow.later.registration[1]:
        return False
    callers = [site for site in graph.program.calls.callers(function) if site.scope.module.kind != "test"]
    return bool(callers) and all(s.context.inside("if", "else", "case", "handler") for s in callers)


def _differing(shadow: Shadow) -> Inclusion:
    """The inclusion by which the second set of routes gets there."""
    assert isinstance(shadow.earlier, PathOperation)
    for mine, theirs in zip(shadow.earlier.inclusions, shadow.later.inclusions, strict=False):
        if mine is not theirs:
            return theirs
    return shadow.later.inclusions[-1]


def _unreached(shadow: Shadow, earlier: PathOperation) -> Finding:
    later = shadow.later
    first, second = (o.handler_name.rpartition(".")[2] for o in (earlier, later))
    methods = "|".join(shadow.methods)
    same = earlier.handler is not None and earlier.handler is later.handler
    found = rule.at(
        later.handler or later.location,
        f"`{methods} {later.path}` is registered twice: `{second}` never answers, because `{first}` "
        f"({earlier.location}) is tried first."
        if not same
        else f"`{methods} {later.path}` registers `{second}` twice.",
        f"Remove one of the two, or give `{second}` a path of its own."
        if not same
        else f"Register `{second}` once: remove one of the two decorators or inclusions.",
        reasoning="Starlette takes the first route that fits; both templates match the same paths.",
        exploit=f"A client sends `{methods} {later.path}`: `{first}` answers, and `{second}` is not called."
        if not same
        else f"The schema has the operation id of `{second}` twice, and generated clients lose one of the two.",
        confidence=Confidence.CERTAIN if shadow.ordered and shadow.complete else Confidence.FIRM,
        trace=steps((earlier, f"{earlier} is registered first"), (later, f"{later} is registered again")),
        routes=routes_of([later]),
    )
    return replace(found, severity=Severity.MINOR) if same else found


def _included_twice(found: list[Shadow]) -> Finding:
    inclusion = _differing(found[0])
    later = [shadow.later for shadow in found]
    made = rule.at(
        inclusion,
        f"This includes a router that is already included under the same prefix: {len(later)} of its "
        "operations, "
        f"such as `{later[0]}`, are registered twice.",
        "Remove this `include_router`, or give it a prefix of its own.",
        reasoning="The first inclusion answers every request; the second only doubles the operation ids.",
        exploit=f"A client sends `{later[0]}` and is answered by what was included first; the schema shows one operation.",
        confidence=Confidence.CERTAIN,
        trace=steps((later[0].router_location, "the router")),
        routes=routes_of(later),
    )
    return replace(made, severity=Severity.MINOR)


@rule.check(per=Application)
def same_operation_id(application: Application, graph: AppGraph) -> Iterator[Finding]:
    make = _made_ids(application, graph)
    dead = {id(s.later) for s in shadows(graph) if s.equal}
    first: dict[str, PathOperation] = {}
    for operation in application.operations:
        if not operation.in_schema or operation.kind != "http" or id(operation) in dead:
            continue
        name = _operation_id(operation, graph) or (make(operation) if make is not None else "")
        if not name:
            continue
        if name in first and (first[name].path, first[name].methods) != (operation.path, operation.methods):
            yield _same_id(operation, first[name], name, graph)
        first.setdefault(name, operation)


def _operation_id(operation: PathOperation, graph: AppGraph) -> str:
    given = operation.keywords.get("operation_id")
    if given is None:
        return ""
    return graph.program.constants.string(given, operation.registration[1]) or ""


class _MadeIds:
    """Ids that `generate_unique_id_function` makes from a route's name and tags."""

    def __init__(self, parts: list[ir.Expr]) -> None:
        self._parts = parts

    def __call__(self, operation: PathOperation) -> str:
        texts = [self._text(part, operation) for part in self._parts]
        return "".join(text for text in texts if text is not None) if None not in texts else ""

    def _text(self, part: ir.Expr, operation: PathOperation) -> str | None:
        if isinstance(part, ir.Constant):
            return str(part.value)
        if isinstance(part, ir.FormattedValue):
            return self._text(part.value, operation)
        if isinstance(part, ir.Attribute) and part.attr == "name":
            named = operation.keywords.get("name")
            if named is not None:
                return (
                    named.value if isinstance(named, ir.Constant) and isinstance(named.value, str) else None
                )
            return operation.handler.name if operation.handler is not None else None
        if (
            isinstance(part, ir.Subscript)
            and isinstance(part.value, ir.Attribute)
            and part.value.attr == "tags"
        ):
            return operation.tags[0] if operation.tags else None
        return None


def _made_ids(application: Application, graph: AppGraph) -> _MadeIds | None:
    given = application.keywords.get("generate_unique_id_function")
    if given is None:
        return None
    body: ir.Expr | None = given.body if isinstance(given, ir.Lambda) else None
    for of in options(graph.program.inference.type_of(given, application.scope)):
        function = getattr(of, "function", None)
        if isinstance(function, Function):
            returns = function.facts.sites(ir.Return)
            body = returns[0].node.value if len(returns) == 1 else None
    if body is None:
        return None
    return _MadeIds(list(body.values) if isinstance(body, ir.JoinedStr) else [body])


def _same_id(operation: PathOperation, first: PathOperation, name: str, graph: AppGraph) -> Finding:
    own = f'"{name}_{operation.methods[0].lower()}"'
    return rule.at(
        operation.handler or operation.location,
        f"`{operation}` and `{first}` both have the operation id `{name}`: generated clients lose one of "
        "them.",
        f"Give each its own id:\n```python\n{registered(graph, operation, keywords={'operation_id': own})}\n```",
        reasoning="An operationId is unique among all operations of an API (OpenAPI 3.1, section 4.8.10).",
        exploit=f"A client that is generated from the schema has one function `{name}`, for one of the two operations.",
        confidence=Confidence.CERTAIN if "operation_id" in operation.keywords else Confidence.FIRM,
        trace=steps((first, f"{first} has the id {name}"), (operation, f"{operation} has the id {name}")),
        routes=routes_of([operation, first]),
    )


rule.bad = """
    from fastapi import APIRouter, FastAPI

    health = APIRouter(tags=["health"])


    @health.get("/health")
    def check() -> dict[str, str]:
        return {"status": "ready"}


    app = FastAPI()
    app.include_router(health)


    @app.get("/health")
    def check_database() -> dict[str, str]:  # finding: duplicate-route-or-operation-id
        return {"status": "database ready"}
"""

rule.good = """
    from fastapi import APIRouter, FastAPI

    health = APIRouter(tags=["health"])


    @health.get("/health")
    def check() -> dict[str, str]:
        return {"status": "ready"}


    app = FastAPI()
    app.include_router(health)


    @app.get("/health/database")
    def check_database() -> dict[str, str]:
        return {"status": "database ready"}
"""


@rule.symptom
def one_of_the_two_never_answers(proof: Proof) -> None:
    """Of two handlers for one path, only the first is ever called; the schema shows one operation."""
    paths = proof.client.get("/openapi.json").json()["paths"]
    assert list(paths) == ["/health"]
    assert proof.client.get("/health").json() == {"status": "ready"}
