"""A request body is used without being validated.

A parameter of type `dict`, or `await request.json()`, is whatever the client sends: a key that is missing
raises KeyError and is answered with 500, a list where an object was expected raises TypeError, and every
key that is passed on lands in the database unchecked. A model says what is expected, and FastAPI refuses
the rest with 422.

Known limits: raw bodies of webhooks with a checked signature are left out, and so is what is handed to a
model or `TypeAdapter` in the same function. Keys that a model demands of the
same body are there when it is read again by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import BulkWrite, QueryStep, SessionAdd
from fastapi_architect.concepts.http import OutboundRequest, RequestRead
from fastapi_architect.concepts.identity import SignatureVerification
from fastapi_architect.concepts.messaging import Enqueue
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    Location,
    PathOperation,
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
    "A request body is used without being validated",
    severity=Severity.IMPORTANT,
    cwe=20,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:L",
    references=(
        "https://fastapi.tiangolo.com/tutorial/body/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Input_Validation_Cheat_Sheet.html",
    ),
)

_DICTS = frozenset({"builtins.dict", "collections.abc.Mapping", "collections.abc.MutableMapping"})
_MODELS = ("pydantic.BaseModel", "sqlmodel.SQLModel", "pydantic.TypeAdapter")
_HOOK = lazy_pattern(r"webhook|hook|callback|proxy|graphql|rpc|passthrough|scim|saml|ingest", re.IGNORECASE)
_VALIDATES = (
    "model_validate",
    "validate_python",
    "parse_obj",
    "model_validate_json",
    "validate",
    "load",
    "validate_json",
)


@rule.check(per=PathOperation)
def body_that_nobody_checks(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if (
        handler is None
        or operation.kind != "http"
        or _HOOK.search(operation.path)
        or _HOOK.search(handler.name)
    ):
        return
    if any(graph.within(SignatureVerification, function) for function in operation.functions):
        return
    for name, place, shown in _bodies(operation, handler, graph):
        if _is_validated(handler, name, graph):
            continue
        used = _first_use(handler, name, _demanded(operation, graph), graph)
        if used is not None:
            yield _finding(operation, handler, (name, place, shown), used, graph)


def _bodies(
    operation: PathOperation, handler: Function, graph: AppGraph
) -> Iterator[tuple[str, Location, str]]:
    """Unchecked bodies: (the name that holds it, where it comes from, how it is written)."""
    for parameter in operation.parameters:
        if parameter.kind != "body":
            continue
        found = list(options(parameter.type))
        if found and all(
            isinstance(o, Instance) and o.name in _DICTS for o in found if o != Instance("builtins.None")
        ):
            yield parameter.name, parameter.location, "dict"
    for read in graph.within(RequestRead, handler):
        if read.kind != "json":
            continue
        for name, bindings in handler.facts.bindings.items():
            for binding in bindings:
                value = binding.value.value if isinstance(binding.value, ir.Await) else binding.value
                if value is read.node and not binding.path and len(bindings) == 1:
                    yield name, read.location, "request.json()"


def _is_validated(handler: Function, name: str, graph: AppGraph) -> bool:
    """The body is given to something that checks it, or looked at with `isinstance`."""
    hierarchy = graph.program.inference.hierarchy
    for site in handler.facts.calls:
        given = (*site.node.args, *(k.value for k in site.node.keywords))
        if not any(_is(a, name) or (a.__class__ is ir.Starred and _is(a.value, name)) for a in given):
            continue
        if getattr(site.node.func, "attr", getattr(site.node.func, "id", "")) in (*_VALIDATES, "isinstance"):
            return True
        for option in options(graph.program.inference.type_of(site.node.func, handler)):
            if (
                isinstance(option, ClassRef)
                and hierarchy.is_subclass(option.cls, *_MODELS)
                and not _is_table(option.cls)
            ):
                return True
    return False


def _is_table(cls: Class | str) -> bool:
    """A SQLModel table, which checks nothing."""
    return isinstance(cls, Class) and any(k.arg == "table" for k in cls.node.keywords)


def _is(expr: ir.Expr, name: str) -> bool:
    return expr.__class__ is ir.Name and expr.id == name


def _demanded(operation: PathOperation, graph: AppGraph) -> frozenset[str]:
    """Keys without which the request was refused before the handler began: a model reads the same body."""
    read = [each for each in operation.parameters if each.kind == "body"]
    if len(read) != 1:
        return frozenset()  # each is read from a key of its own
    classes = [each.cls for each in options(read[0].type) if isinstance(each, Instance)]
    schemas = [schema_of(cls, graph) for cls in classes if isinstance(cls, Class)]
    return frozenset(
        field.alias or field.name
        for schema in schemas
        if schema is not None
        for field in schema.fields
        if field.required
    )


def _first_use(
    handler: Function, name: str, demanded: frozenset[str], graph: AppGraph
) -> tuple[Site | Concept, str] | None:
    """Where a missing key fails, or the body goes on unchecked: (place, what happens)."""
    for site in handler.facts.sites(ir.Subscript):
        key = site.node.slice
        if not _is(site.node.value, name) or key.__class__ is not ir.Constant or _is_written(site):
            continue
        if key.value in demanded:
            continue
        if site.context.inside("try") is None and not _is_looked_up(handler, name, site):
            return site, f"a request without {key.value!r} is answered with 500"
    for kind in (SessionAdd, BulkWrite, Enqueue, OutboundRequest):
        for concept in graph.within(kind, handler):
            if any(_is(a, name) for a in _given(concept.node)):
                return concept, "whatever the client sends is passed on"
    for step in graph.within(QueryStep, handler):
        if step.kind == "values" and any(_is(k.value, name) for k in step.keywords if k.arg is None):
            return step, "whatever the client sends becomes columns"
    return None


def _given(call: ir.Call) -> Iterator[ir.Expr]:
    for each in (*call.args, *(k.value for k in call.keywords)):
        yield each.value if each.__class__ is ir.Starred else each
        if each.__class__ is ir.Call:
            yield from (k.value for k in each.keywords if k.arg is None)


def _is_written(site: Site) -> bool:
    """The key is set or deleted, not read."""
    statement = site.statement
    if isinstance(statement, ir.Assign):
        return any(target is site.node for target in statement.targets)
    return isinstance(statement, ir.Delete)


def _is_looked_up(handler: Function, name: str, used: Site) -> bool:
    """A test before the use asks for keys of the body: `if "name" not in data`."""
    for site in handler.facts.sites(ir.Compare):
        asks = any(op in ("in", "not in") for op in site.node.ops)
        if (
            asks
            and site.node.span < used.node.span
            and name in {n for c in site.node.comparators for n in names_in(c)}
        ):
            return True
    return any(
        site.node.span < used.node.span and name in set(names_in(site.node.func))
        for site in handler.facts.calls_named("get", "keys")
        if site.context.inside("if") is None and any(c.role == "if" for c in used.context)
    )


def _finding(
    operation: PathOperation,
    handler: Function,
    body: tuple[str, Location, str],
    used: tuple[Site | Concept, str],
    graph: AppGraph,
) -> Finding:
    name, place, shown = body
    site, what = used
    model = "".join(part.capitalize() for part in handler.name.split("_")[-2:]) + "In"
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) takes `{name}` as it comes ({shown}): {what} "
        f"({site.scope.location(site.node)}).",
        "Say what is expected, and let FastAPI refuse the rest with 422:\n"
        "```python\nfrom pydantic import BaseModel, ConfigDict\n\n\n"
        f'class {model}(BaseModel):\n    model_config = ConfigDict(extra="forbid")\n\n\n'
        f"{definition(graph, handler, parameters={name: (model, '')})}\n```",
        reasoning=f"`{name}` has no declared fields, nothing in `{handler.name}` validates it, and it is used directly.",
        exploit=f"A client sends `{{}}` or `[]` to `{operation}` and gets a 500, or keys that were never meant to be set.",
        confidence=Confidence.CERTAIN if isinstance(site, Site) else Confidence.FIRM,
        trace=steps((place, f"{name} comes from the body"), (site, what)),
        routes=routes_of([operation]),
        context=Context(writes=operation.is_write),
    )


rule.bad = """
    from typing import Any

    from fastapi import FastAPI

    app = FastAPI()
    ORDERS: list[dict[str, Any]] = []


    @app.post("/orders", status_code=201)
    def create_order(payload: dict[str, Any]) -> dict[str, int]:  # finding: unvalidated-request-body
        ORDERS.append({"book": payload["book"], "copies": payload["copies"] + 0})
        return {"number": len(ORDERS)}
"""

rule.good = """
    from typing import Any

    from fastapi import FastAPI
    from pydantic import BaseModel, Field

    app = FastAPI()
    ORDERS: list[dict[str, Any]] = []


    class OrderIn(BaseModel):
        book: int
        copies: int = Field(ge=1, le=50)


    @app.post("/orders", status_code=201)
    def create_order(payload: OrderIn) -> dict[str, int]:
        ORDERS.append({"book": payload.book, "copies": payload.copies})
        return {"number": len(ORDERS)}
"""


@rule.exploit
def an_empty_object_breaks_the_service(proof: Proof) -> None:
    """A client that leaves a key out gets a 500, and one that orders -5 copies gets an order."""
    with proof.client as client:
        assert client.post("/orders", json={"book": 1, "copies": -5}).status_code == 201
