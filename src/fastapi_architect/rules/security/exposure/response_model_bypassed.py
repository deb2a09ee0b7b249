"""A response made by hand goes around the response model.

FastAPI validates and filters what a handler returns, but not a `Response`: `JSONResponse(jsonable_encoder(user))`
writes out every column, whatever `response_model` says.

Known limits: content is followed through encoders, `model_dump`, dicts and lists to a row or a model; responses
with an error status are left alone. It is minor where the surplus is no row of a table, no secret, and not what a class adds to
the declared model: fields that were made for answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.exposed_fields import exposure
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.program.types import Type
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A response made by hand goes around the response model",
    severity=Severity.IMPORTANT,
    cwe=200,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N",
    references=(
        "https://fastapi.tiangolo.com/advanced/response-directly/",
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
    ),
)


@rule.check(per=PathOperation)
def response_around_the_model(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http" or not _declared_fields(operation.response_type, graph):
        return
    for response in graph.within(ResponseCreation, handler):
        if (
            response.kind not in ("json", "raw", "plain")
            or response.content is None
            or _is_error(response, graph)
        ):
            continue
        for value in _sources(response.content, handler, graph):
            of = graph.program.inference.type_of(value, handler)
            wider = _wider(of, operation, graph)
            if wider is not None:
                finding = _finding(operation, response, wider)
                yield finding if wider.matters else replace(finding, severity=Severity.MINOR)
                break


def _declared_fields(of: Type | None, graph: AppGraph) -> frozenset[str]:
    """Names that the declared model lets through, its own and those of models inside."""
    found: set[str] = set()
    for option in options(of):
        if not isinstance(option, Instance):
            continue
        if isinstance(option.cls, Class):
            schema = schema_of(option.cls, graph)
            found |= {f.name for f in schema.fields} if schema is not None else set()
        for each in option.args:
            found |= _declared_fields(each, graph)
    return frozenset(found)


def _is_error(response: ResponseCreation, graph: AppGraph) -> bool:
    if response.status is None:
        return False
    value = graph.program.constants.value(response.status, response.scope)
    name = last_name(response.status)
    return (isinstance(value, int) and value >= 300) or name.startswith(("HTTP_3", "HTTP_4", "HTTP_5"))


def _sources(expr: Any, handler: Function, graph: AppGraph, depth: int = 0) -> Iterator[ir.Expr]:
    """Objects that content is made from: `user` in `jsonable_encoder({"data": user.model_dump()})`."""
    if expr is None or depth > 6:
        return
    kind = expr.__class__
    if kind is ir.Call:
        name = last_name(expr.func)
        if name in ("jsonable_encoder", "dumps", "loads", "dict", "vars", "list", "asdict") and expr.args:
            yield from _sources(expr.args[0], handler, graph, depth + 1)
        elif name in ("model_dump", "dict", "model_dump_json", "json", "to_dict", "encode") and not expr.args:
            limited = any(k.arg in ("include", "exclude") for k in expr.keywords)
            if not limited and expr.func.__class__ is ir.Attribute:
                yield from _sources(expr.func.value, handler, graph, depth + 1)
        else:
            yield expr
    elif kind is ir.Attribute and expr.attr == "__dict__":
        yield from _sources(expr.value, handler, graph, depth + 1)
    elif kind is ir.Dict:
        for value in expr.values:
            yield from _sources(value, handler, graph, depth + 1)
    elif kind is ir.Sequence:
        for value in expr.elts:
            yield from _sources(value, handler, graph, depth + 1)
    elif kind is ir.Comprehension and expr.value is None:
        yield from _sources(expr.elt, handler, graph, depth + 1)
    elif kind is ir.Name:
        bindings = handler.facts.bindings.get(expr.id, ())
        made = [
            b.value
            for b in bindings
            if b.kind in ("assign", "annotated") and not b.path and b.value is not None
        ]
        encoded = [m for m in made if m.__class__ is ir.Call and last_name(m.func) in _ENCODERS]
        if len(made) == 1 and encoded:
            yield from _sources(made[0], handler, graph, depth + 1)
        else:
            yield expr
    elif kind is ir.Await:
        yield expr


_ENCODERS = frozenset({"jsonable_encoder", "model_dump", "dict", "to_dict"})


class _Wider(msgspec.Struct, frozen=True):
    """An object that holds more than the declared model.

    Attributes:
        owner: its class.
        surplus: what is in it, and not in the model.
        secret: a secret is in it.
        matters: it is a row, has a secret, or adds to the declared model what that one was meant to leave out.
    """

    owner: str
    surplus: frozenset[str]
    secret: bool
    matters: bool


def _wider(of: Type | None, operation: PathOperation, graph: AppGraph) -> _Wider | None:
    declared = _declared_fields(operation.response_type, graph)
    models = {id(m.cls): m for m in graph.models}
    for option in options(of):
        if not isinstance(option, Instance):
            continue
        if not isinstance(option.cls, Class):
            inner = [w for a in option.args if (w := _wider(a, operation, graph)) is not None]
            if inner:
                return inner[0]
            continue
        model = models.get(id(option.cls))
        schema = schema_of(option.cls, graph)
        names = {c.attribute or c.name for c in model.table.columns} if model is not None else set()
        if schema is not None:
            names |= {f.name for f in schema.fields if not f.excluded}
        surplus = frozenset(names - declared)
        if model is not None or (surplus and names & declared):
            secret = any(f.always_secret for f in exposure(graph).secrets_in(option))
            order = graph.program.inference.hierarchy.order(option.cls)[1:]
            declaring = _declared_classes(operation.response_type)
            adds = any(ancestor.cls is each for ancestor in order for each in declaring)
            return _Wider(option.cls.name, surplus, secret, secret or adds or model is not None)
    return None


def _declared_classes(of: Type | None) -> list[Class]:
    """Classes of the declared model, those inside of lists included."""
    found = []
    for option in options(of):
        if isinstance(option, Instance):
            found += [option.cls] if isinstance(option.cls, Class) else []
            found += [cls for each in option.args for cls in _declared_classes(each)]
    return found


def _finding(operation: PathOperation, response: ResponseCreation, wider: _Wider) -> Finding:
    assert operation.handler is not None
    name, owner = operation.handler.name, wider.owner
    extra = ", ".join(f"`{s}`" for s in sorted(wider.surplus)[:5])
    goes = "go" if len(wider.surplus) > 1 else "goes"
    what = (
        f"{extra} of `{owner}` {goes} out unfiltered"
        if extra
        else f"whatever `{owner}` gets goes out unfiltered"
    )
    made = last_name(response.node.func) or "the response"
    return rule.at(
        response,
        f"`{name}` declares a response model and returns `{made}(...)`, which FastAPI does not filter: {what}.",
        f"Return the object and let the response model filter it:\n```python\n"
        f"# Bad\nreturn {made}(content=jsonable_encoder(found))\n# Good\nreturn found\n```",
        reasoning="A Response is sent as it is; validation, filtering and the declared schema are for other values.",
        exploit=f"Whoever may send `{operation}` reads {extra or 'every column'} of `{owner}`.",
        confidence=Confidence.FIRM,
        trace=steps(
            (operation.handler, "declares a response model"), (response, f"{made}(...) goes around it")
        ),
        routes=routes_of([operation]),
        context=Context(data="secret" if wider.secret else "internal", writes=False),
    )


rule.bad = """
    from fastapi import FastAPI
    from fastapi.encoders import jsonable_encoder
    from fastapi.responses import JSONResponse
    from pydantic import BaseModel

    class AuthorOut(BaseModel):
        name: str

    class Author(AuthorOut):
        tax_number: str

    AUTHOR = Author(name="Le Guin", tax_number="12-345")
    app = FastAPI()

    @app.get("/author", response_model=AuthorOut)
    def read_author():
        return JSONResponse(content=jsonable_encoder(AUTHOR))  # finding: response-model-bypassed
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic import BaseModel

    class AuthorOut(BaseModel):
        name: str

    class Author(AuthorOut):
        tax_number: str

    AUTHOR = Author(name="Le Guin", tax_number="12-345")
    app = FastAPI()

    @app.get("/author", response_model=AuthorOut)
    def read_author():
        return AUTHOR
"""


@rule.exploit
def the_tax_number_is_in_the_answer(proof: Proof) -> None:
    """The declared model has no tax number, and the answer has one."""
    assert proof.client.get("/author").json() == {"name": "Le Guin", "tax_number": "12-345"}
