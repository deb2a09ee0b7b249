"""A route says the wrong type, or none, about what comes in or goes out.

FastAPI believes annotations: a parameter without one is taken as any text, unchecked; a dependency without one gives the
handler an `Any` that no type checker follows; a handler that says `-> str` and returns nothing on some path is answered
with a 500, because the response is validated against what it says.

Known limits: only values that are written out (`None`, literals, displays) are compared with the return annotation. Missing
annotations are reported once for an application; tests and migrations are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.appgraph.declarations import annotation_heads
from fastapi_architect.appgraph.question import question
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Class,
    ClassRef,
    Confidence,
    Finding,
    Function,
    FunctionRef,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    ir,
    last_name,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route's types are missing or wrong",
    severity=Severity.MINOR,
    cwe=1076,
    references=(
        "https://fastapi.tiangolo.com/tutorial/response-model/",
        "https://fastapi.tiangolo.com/python-types/",
    ),
)

_SHOWN = 6
_REGISTERING = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace", "api_route"})
_NAMED = {
    "list": "a list", "List": "a list", "Sequence": "a list", "set": "a list", "tuple": "a list", "Page": "",
    "dict": "a dict", "Dict": "a dict", "Mapping": "a dict", "str": "text", "int": "a number", "float": "a number",
    "bool": "a number", "Decimal": "a number",
}  # fmt: skip
_CONSTANTS = {"none": "None", "str": "text", "int": "a number", "float": "a number", "bool": "a number"}
#: What validates though it is another kind: text that may be a number, a dict that may be a model.
_COERCED = {("a number", "text"), ("a model", "a dict")}


# ── what is returned ────────────────────────────────────────────────────────────────────────────────────────

_YIELDED = lazy_pattern(r"(?:\w+\.)*(?:Async)?(?:Generator|Iterator|Iterable)\[([^,]+)[,\]]")


@rule.check(per=PathOperation)
def returns_what_it_does_not_say(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http" or handler.node.returns is None or handler.is_generator:
        return
    if "response_model" in operation.keywords or operation.status_code in (204, 205, 304):
        return
    if graph.operations_running(handler)[0] is not operation or not _is_called_as_written(handler):
        return
    said = list(_said(handler, graph))
    if not said or "" in said:
        return
    for site in handler.facts.sites(ir.Return):
        given = _given(site.node.value)
        if given and all(given != each and (each, given) not in _COERCED for each in said):
            yield _contradiction(operation, handler, site, said, given)
            return


def _is_called_as_written(handler: Function) -> bool:
    """No decorator but those that register it: another one may change what comes out."""
    calls = (d.func if isinstance(d, ir.Call) else d for d in handler.node.decorators)
    return all(last_name(each) in _REGISTERING for each in calls)


def _said(handler: Function, graph: AppGraph) -> Iterator[str]:
    """Kinds of values that the return annotation allows; "" for one that is not understood."""
    for head, scope in annotation_heads(
        graph.program, handler.node.returns, handler.parent or handler.module
    ):
        if isinstance(head, ir.Constant) and head.kind == "none":
            yield "None"
            continue
        named = head.value if isinstance(head, ir.Subscript) else head
        kind = _NAMED.get(last_name(named), "")
        yield kind or ("a model" if _is_model(named, scope, graph) else "")


@question
def _models(graph: AppGraph) -> frozenset[int]:
    """Identities of the classes whose instances Pydantic makes and checks."""
    kinds = ("pydantic", "sqlmodel", "sqlmodel-table")
    return frozenset(id(schema.cls) for schema in graph.schemas if schema.kind in kinds)


def _is_model(expr: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    models = _models(graph)
    found = options(graph.program.inference.type_of(expr, scope))
    return any(
        isinstance(of, ClassRef) and isinstance(of.cls, Class) and id(of.cls) in models for of in found
    )


def _given(value: ir.Expr | None) -> str:
    if value is None:
        return "None"
    if isinstance(value, ir.Constant):
        return _CONSTANTS.get(value.kind, "")
    if isinstance(value, ir.Dict) or (isinstance(value, ir.Comprehension) and value.kind == "dict"):
        return "a dict"
    if isinstance(value, ir.Sequence) or (
        isinstance(value, ir.Comprehension) and value.kind in ("list", "set")
    ):
        return "a list"
    return "text" if isinstance(value, ir.JoinedStr) and not value.template else ""


def _contradiction(
    operation: PathOperation, handler: Function, site: Site, said: list[str], given: str
) -> Finding:
    good = "-> ... | None" if given == "None" else "-> the type that it returns"
    status = "raise HTTPException(404)" if given == "None" else f"return {_example(said[0])}"
    return rule.at(
        site,
        f"`{handler.name}` promises {' or '.join(dict.fromkeys(said))} and returns {given} here: the client gets a 500.",
        f"Consider an answer that fits, or an annotation that says so (`{good}`):\n```python\n{status}\n```",
        reasoning="Without `response_model=`, FastAPI validates what the handler returns against its return annotation.",
        exploit=f"A client sends `{operation}`; the handler is content, and FastAPI answers 500.",
        confidence=Confidence.CERTAIN,
        trace=steps((handler, "the return annotation is here"), (site, f"{given} is returned")),
        routes=routes_of([operation]),
    )


def _example(said: str) -> str:
    return {"a list": "[]", "a dict": "{}", "text": '""', "a number": "0"}.get(said, "result")


# ── what nobody says ────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=Application)
def inputs_without_a_type(application: Application, graph: AppGraph) -> Iterator[Finding]:
    bare: dict[int, tuple[Function, ir.Param]] = {}
    handlers = 0
    for operation in application.operations:
        if operation.handler is None or operation.kind != "http" or operation.handler.module.kind != "source":
            continue
        handlers += 1
        param = next((p for p in operation.handler.parameters if _is_bare(p)), None)
        if param is not None and not operation.handler.has_decorator("wraps"):
            bare.setdefault(id(operation.handler), (operation.handler, param))
    if not bare:
        return
    function, param = next(iter(bare.values()))
    count = f" (nor have parameters of {len(bare) - 1} more of {handlers} routes)" if len(bare) > 1 else ""
    injected = isinstance(param.default, ir.Call)
    kind = _provided(function, param, graph) if injected else "int" if param.name.endswith("id") else "str"
    typed = {param.name: (kind, written(graph, function, param.default))}
    why = (
        "what is injected is `Any` to every type checker"
        if injected
        else "whatever a client sends is accepted as text"
    )
    yield rule.at(
        function,
        f"`{param.name}` of `{function.name}` has no type{count}: {why}.",
        f"Consider an annotation:\n```python\n{definition(graph, function, parameters=typed)}\n```",
        reasoning="Annotations are what FastAPI validates by, documents by and completes by.",
        exploit=(
            f"A wrong name on `{param.name}` in `{function.name}` is found by a request, not by a type checker."
            if injected
            else f"Any text for `{param.name}` gets into `{function.name}`, and the schema does not say what is expected."
        ),
        confidence=Confidence.CERTAIN,
        trace=steps(*((f, f"`{p.name}` has no type") for f, p in list(bare.values())[1 : 1 + _SHOWN])),
    )


def _provided(function: Function, param: ir.Param, graph: AppGraph) -> str:
    """What the provider in `Depends(...)` says that it returns."""
    assert isinstance(param.default, ir.Call)
    for of in (
        options(graph.program.inference.type_of(param.default.args[0], function))
        if param.default.args
        else ()
    ):
        if isinstance(of, FunctionRef) and of.function is not None:
            says = written(graph, of.function, of.function.node.returns)
            yielded = _YIELDED.match(says)
            return (yielded[1] if yielded is not None else says) or "object"
        if isinstance(of, ClassRef):
            return of.name.rpartition(".")[2]
    return "object"


def _is_bare(param: ir.Param) -> bool:
    return (
        param.annotation is None
        and param.kind in ("normal", "posonly", "kwonly")
        and param.name not in ("self", "cls")
    )


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()
    titles = {1: "Emma"}


    @app.get("/books/{book_id}")
    def read_title(book_id: int) -> str:
        if book_id not in titles:
            return None  # finding: missing-or-wrong-types-on-boundary
        return titles[book_id]
"""

rule.good = """
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    titles = {1: "Emma"}


    @app.get("/books/{book_id}")
    def read_title(book_id: int) -> str:
        if book_id not in titles:
            raise HTTPException(404)
        return titles[book_id]
"""


@rule.symptom
def the_answer_does_not_fit(proof: Proof) -> None:
    """The response is refused by FastAPI itself, and the client gets a 500."""
    assert proof.client.get("/books/1").json() == "Emma"
    assert proof.client.get("/books/2").status_code == 500
    assert any("ResponseValidationError" in error for error in proof.server_errors)
