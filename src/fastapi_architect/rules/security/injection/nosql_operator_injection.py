"""A filter of a document database takes what a client sent, whatever its shape.

In MongoDB `{"password": {"$ne": ""}}` is a condition and no value. A handler that reads `credentials["password"]` from a JSON body
without saying that it is a text hands the choice to the client: with `{"$ne": ""}` every password is right, `{"$regex": "^a"}` spells
a secret out letter by letter, and a whole filter from the body reads the whole collection. A field that is declared as `str`, `int` or
`ObjectId` cannot hold an operator.

Known limits: pymongo and motor, and objects that are named for a collection. What is declared as text is taken for one, also
when it is parsed again by hand; pipelines and text of `$where` are followed as filters are.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.request_flows import Flow, flows_to
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.concepts.database import DocumentOperation
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Files,
    Finding,
    Instance,
    Proof,
    Rule,
    Scope,
    Severity,
    Type,
    ir,
    last_name,
    options,
    walk,
)

rule = Rule(
    __name__,
    "A client's value can be an operator of a filter",
    severity=Severity.IMPORTANT,
    cwe=943,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:L/A:N",
    references=(
        "https://www.mongodb.com/docs/manual/reference/operator/query/eq/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Injection_Prevention_Cheat_Sheet.html",
    ),
)

#: Operations whose first argument is a document that is stored, and no filter.
_STORES = ("insert", "bulk_write", "create_index", "drop")
#: What is declared so has fields of its own, which may be anything.
_OPEN = frozenset(
    {"builtins.dict", "builtins.list", "typing.Any", "builtins.object", "collections.abc.Mapping"}
)
#: Parts of a request that arrive as text.
_TEXTS = frozenset({"path", "query", "header", "cookie", "form"})
#: Calls that give a text, a number or an identifier.
_MAKES_VALUES = frozenset(
    {"str", "int", "float", "bool", "ObjectId", "UUID", "PydanticObjectId", "escape", "Decimal"}
)
_DEPTH = 4


@rule.check(per=AppGraph)
def client_value_in_a_filter(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for flow in flows_to(graph, "nosql"):
        fact = flow.fact
        assert isinstance(fact, DocumentOperation)
        if fact.operation.startswith(_STORES):
            continue
        if not any(_may_be_operator(path, graph) for path in flow.paths):
            continue
        if _is_wrapped(flow.sink.argument, flow.sink.scope, graph):
            continue
        yield _finding(flow, fact)


def _may_be_operator(path: TaintPath, graph: AppGraph) -> bool:
    """The value may have arrived as an object: from a JSON body, in a place that is not declared as a text or a number."""
    fact, steps = path.source.fact, path.path[1:]
    if any(_makes_value(trace.node) for trace in path.traces):
        return False
    if not isinstance(fact, Parameter):
        return False
    if fact.kind == "request":
        return bool(steps) and steps[0].strip(".()") == "json"
    if fact.kind == "websocket":
        return "json" in " ".join(steps)
    if fact.kind in _TEXTS or not fact.is_input:
        return False
    return _holds_object(fact.type, list(steps), graph, 0)


def _makes_value(node: ir.Node) -> bool:
    value = getattr(node, "value", node)
    return isinstance(value, ir.JoinedStr) or (
        isinstance(value, ir.Call) and last_name(value.func) in _MAKES_VALUES
    )


def _holds_object(of: Type | None, steps: list[str], graph: AppGraph, depth: int) -> bool:
    """A value of this type, after these steps into it, may be a mapping that the client fills in."""
    found = list(options(of))
    if not found:
        return True
    return depth <= _DEPTH and any(
        isinstance(each, Instance) and _instance_holds(each, steps, graph, depth) for each in found
    )


def _instance_holds(of: Instance, steps: list[str], graph: AppGraph, depth: int) -> bool:
    if isinstance(of.cls, Class):
        schema = schema_of(of.cls, graph)
        if schema is None:
            return False
        name = steps[0].strip(".[]'\"") if steps else ""
        fields = [field for field in schema.fields if field.name == name] or list(schema.fields)
        rest = steps[1:] if any(field.name == name for field in fields) else []
        return any(
            _is_any(field.annotation)
            or (field.type is not None and _holds_object(field.type, rest, graph, depth + 1))
            for field in fields
        )
    if of.name in _OPEN:
        inner = [each for each in of.args if each is not None]
        if of.name == "typing.Any" or not inner:
            return True
        return _holds_object(inner[-1], steps[1:], graph, depth + 1) if steps else of.name == "builtins.dict"
    return False


def _is_any(annotation: ir.Expr | None) -> bool:
    return annotation is not None and last_name(annotation) == "Any"


def _is_wrapped(argument: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """Every value of a written filter is a text, or stands behind `$eq`."""
    if argument.__class__ is ir.Name:
        argument, scope = graph.program.inference.expand(argument, scope)
    if argument.__class__ is not ir.Dict or any(key is None for key in argument.keys):
        return False
    pairs = zip(argument.keys, argument.values, strict=True)
    return all(_is_value(value, scope, graph) or _is_equal(key) for key, value in pairs)


def _is_equal(key: ir.Expr | None) -> bool:
    return isinstance(key, ir.Constant) and key.value == "$eq"


def _is_value(expr: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """A constant, a text by its type, what a conversion gives, or a filter of such."""
    if expr.__class__ is ir.Constant or _makes_value(expr):
        return True
    if expr.__class__ is ir.Dict:
        return _is_wrapped(expr, scope, graph)
    of = list(options(graph.program.inference.type_of(expr, scope)))
    return bool(of) and all(
        isinstance(each, Instance) and each.name not in _OPEN and not each.cls for each in of
    )


def _finding(flow: Flow, fact: DocumentOperation) -> Finding:
    value = flow.field if flow.field.isidentifier() else "value"
    whole = not any(node.__class__ is ir.Dict for node in walk(flow.sink.argument))
    sent = '`{"$ne": ""}`' if not whole else '`{}` or `{"$where": "..."}`'
    return rule.at(
        fact,
        f"`{flow.name}` of {flow.route}{flow.others} is part of the filter of `{fact.operation}`, and nothing says that it is no object.",
        "Declare what may arrive; an object is then refused with 422:\n"
        f"```python\nclass Query(BaseModel):\n    {value}: str\n\n"
        f'collection.{fact.operation}({{"{value}": {{"$eq": query.{value}}}}})\n```',
        reasoning=f"`{flow.name}` is read from the {flow.place} as it is. The database takes an object in its place for operators.",
        exploit=f"{flow.route} with {sent} for `{flow.field}` is true for every document.",
        confidence=flow.confidence,
        trace=flow.trace("it is part of a filter"),
        routes=flow.routes,
    )


_DOCUMENTS = """
    class Accounts:
        \"\"\"Stands for a collection of MongoDB: values, and one of its operators.\"\"\"

        def __init__(self, documents: list[dict]) -> None:
            self.documents = documents

        def find_one(self, wanted: dict) -> dict | None:
            return next((d for d in self.documents if all(matches(d[k], v) for k, v in wanted.items())), None)

    def matches(held: str, wanted: object) -> bool:
        return held != wanted["$ne"] if isinstance(wanted, dict) else held == wanted
"""

_MAIN = """
    from typing import Annotated

    from fastapi import Body, FastAPI, HTTPException, Request
    from pydantic import BaseModel

    from documents import Accounts

    app = FastAPI()
    app.state.accounts = Accounts([{"name": "alice", "password": "a long password"}])

    class Credentials(BaseModel):
        name: str
        password: str

    @app.post("/sessions")
    def log_in(credentials: %s, request: Request) -> str:
        collection = request.app.state.accounts
        account = collection.find_one(%s
        if account is None:
            raise HTTPException(401)
        return account["name"]
"""

rule.bad = Files({
    "documents.py": _DOCUMENTS,
    "main.py": _MAIN
    % (
        "Annotated[dict, Body()]",
        '{"name": credentials["name"], "password": credentials["password"]})  # finding: nosql-operator-injection',
    ),
})  # fmt: skip

rule.good = Files({
    "documents.py": _DOCUMENTS,
    "main.py": _MAIN % ("Credentials", '{"name": credentials.name, "password": credentials.password})'),
})  # fmt: skip


@rule.exploit
def every_password_is_right(proof: Proof) -> None:
    """A password that is an operator instead of a text logs Alice in."""
    assert proof.client.post("/sessions", json={"name": "alice", "password": "wrong"}).status_code == 401
    answer = proof.client.post("/sessions", json={"name": "alice", "password": {"$ne": ""}})
    assert answer.json() == "alice"
