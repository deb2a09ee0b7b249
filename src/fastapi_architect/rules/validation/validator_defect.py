"""A Pydantic validator loses the value, never runs, or turns bad input into a 500.

A validator returns the value that the field will have: one that falls off its end sets the field to None.
With `@classmethod` outermost, Pydantic does not see the validator at all. An exception other than
`ValueError` or `AssertionError` is no validation error: the client is told 500. So is a `mode="before"`
validator that calls a method on input that is not yet checked, and a validator that waits for a database
holds up every request.

Known limits: exceptions are judged where the validator itself raises them.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.endings import falls_off, reaches_end
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.request_models import schema_uses
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.schemas import Schema, Validator
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import DatabaseCall
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.program.types import may_be_none
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Location,
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    last_name,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A validator loses the value, never runs, or turns bad input into a 500",
    severity=Severity.CRITICAL,
    cwe=440,
    references=(
        "https://docs.pydantic.dev/latest/concepts/validators/",
        "https://docs.pydantic.dev/latest/errors/errors/",
    ),
)

#: Exceptions that leave Pydantic as they are.
_ESCAPING = frozenset(
    f"builtins.{name}"
    for name in [
        "Exception",
        "KeyError",
        "IndexError",
        "LookupError",
        "TypeError",
        "AttributeError",
        "RuntimeError",
        "ArithmeticError",
    ]
)
_METHODS_OF_TEXT = frozenset(
    [
        "strip",
        "lower",
        "upper",
        "split",
        "replace",
        "startswith",
        "endswith",
        "lstrip",
        "rstrip",
        "title",
        "capitalize",
        "casefold",
        "encode",
    ]
)
_METHODS_OF_MAPPINGS = frozenset(["get", "pop", "items", "keys", "values", "setdefault", "update", "copy"])


@rule.check(per=AppGraph)
def validators_of_schemas(graph: AppGraph, _graph: AppGraph) -> Iterator[Finding]:
    read = schema_uses(graph).read
    found: dict[int, tuple[Validator, Schema, tuple[PathOperation, ...]]] = {}
    for schema in graph.schemas:
        use = read.get(id(schema.cls))
        operations = use.operations if use is not None else ()
        for validator in schema.validators:
            function = validator.function
            if function is None or function.owner is None or function.module.kind == "test":
                continue
            if id(function) not in found or (operations and not found[id(function)][2]):
                found[id(function)] = (validator, schema, operations)
    for validator, schema, operations in found.values():
        if validator.function is not None:
            yield from _defects(validator, validator.function, schema, operations, graph)


def _defects(
    validator: Validator,
    function: Function,
    schema: Schema,
    operations: tuple[PathOperation, ...],
    graph: AppGraph,
) -> Iterator[Finding]:
    if _is_hidden(function):
        yield _never_runs(function, operations, graph)
        return
    value = "" if _needs_value(validator, function, schema, graph) else _value_parameter(validator, function)
    if _loses_value(function, value):
        lost = _value_lost(validator, function, operations, graph)
        yield _as_refused(lost, validator, function) if _is_refused(validator, schema) else lost
        return
    if not operations or schema.pydantic_major < 2:
        return
    yield from _escaping(function, operations, graph)
    if validator.mode == "before":
        yield from _assumes_type(validator, function, operations)
    for kind in (DatabaseCall, OutboundRequest):
        waits = next((c for c in graph.within(kind, function) if getattr(c, "round_trip", True)), None)
        if waits is not None:
            yield _waits(function, waits, operations)


# ── returns ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _is_hidden(function: Function) -> bool:
    """`@classmethod` stands outside the validator's decorator, which then gives Pydantic a class method and no mark."""
    names = [last_name(d.func if isinstance(d, ir.Call) else d) for d in function.node.decorators]
    marks = [i for i, name in enumerate(names) if name in ("field_validator", "model_validator")]
    return bool(marks) and "classmethod" in names[: marks[0]]


def _needs_value(validator: Validator, function: Function, schema: Schema, graph: AppGraph) -> bool:
    """One of the fields may not be None, or the whole model is what the validator returns."""
    fields = [field for field in schema.fields if field.name in validator.fields]
    if fields:
        return not all(field.nullable for field in fields)
    given = function.parameters[-1] if validator.fields and function.parameters else None
    return given is None or not may_be_none(graph.program.inference.parameter_type(given, function))


def _loses_value(function: Function, value: str) -> bool:
    """Some way gives None; where `value` is named, other than for a value that was absent to begin with."""
    if function.is_generator or not function.body:
        return False
    for site in function.facts.sites(ir.Return):
        branch = site.context.inside("if")
        if site.node.value is None and not (branch is not None and _is_absence(branch.node, value)):
            return True
    return falls_off(function) and not _is_presence(function.body[-1], value)


def _is_absence(branch: ir.Node | None, value: str) -> bool:
    """`if value is None:` or `if not value:`."""
    test = getattr(branch, "test", None)
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return isinstance(test.operand, ir.Name) and test.operand.id == value
    return _compares_to_none(test, value, "is") or _compares_to_none(test, value, "==")


def _is_presence(last: ir.Stmt, value: str) -> bool:
    """`if value:` or `if value is not None:` with every way inside returning: nothing stays nothing."""
    if not isinstance(last, ir.If) or last.elifs or last.orelse or reaches_end(last.body):
        return False
    return (isinstance(last.test, ir.Name) and last.test.id == value) or _compares_to_none(
        last.test, value, "is not"
    )


def _compares_to_none(test: ir.Node | None, value: str, operator: str) -> bool:
    return (
        isinstance(test, ir.Compare)
        and test.ops == [operator]
        and isinstance(test.left, ir.Name)
        and test.left.id == value
        and isinstance(test.comparators[0], ir.Constant)
        and test.comparators[0].kind == "none"
    )


def _value_parameter(validator: Validator, function: Function) -> str:
    """What the validator calls the value (`self` for a model that is already made)."""
    names = [p.name for p in function.parameters]
    if validator.kind == "model" and validator.mode == "after" and not function.has_decorator("classmethod"):
        return names[0] if names else "self"
    return names[1] if len(names) > 1 else "value"


def _value_lost(
    validator: Validator, function: Function, operations: tuple[PathOperation, ...], graph: AppGraph
) -> Finding:
    value = _value_parameter(validator, function)
    assert function.owner is not None
    what = (
        f"`{function.owner.name}.{validator.fields[0]}`"
        if validator.fields
        else f"the whole `{function.owner.name}`"
    )
    always = not any(site.node.value is not None for site in function.facts.sites(ir.Return))
    return rule.at(
        function,
        f"`{function.name}` {'returns nothing' if always else 'returns nothing on one way through it'}: {what} becomes None"
        f"{', whatever was sent' if always else ' there'}.",
        f"Return the value on every way:\n```python\n{definition(graph, function, f'...{chr(10)}return {value}')}\n```",
        reasoning="Pydantic takes what a validator returns as the new value, and a function without `return` returns None.",
        exploit=f"A client sends a value to {first_route(operations, function.name)}, and {what} is None.",
        confidence=Confidence.CERTAIN,
        fix=_returning(function, value, graph) if always else None,
        routes=routes_of(operations),
    )


def _is_refused(validator: Validator, schema: Schema) -> bool:
    """The validator runs before the type is checked, and the type of every field denies the None that it gives."""
    fields = [field for field in schema.fields if field.name in validator.fields]
    return (
        validator.mode == "before"
        and bool(fields)
        and all(
            field.type is not None and not field.nullable and not may_be_none(field.type) for field in fields
        )
    )


def _as_refused(lost: Finding, validator: Validator, function: Function) -> Finding:
    """The field never becomes None: what takes the way without `return` is refused, which may have been meant."""
    always = not any(site.node.value is not None for site in function.facts.sites(ir.Return))
    field = f"`{validator.fields[0]}`"
    way = "returns nothing" if always else "returns nothing on one way through it"
    refused = "every request with it" if always else "what takes this way"
    return replace(
        lost,
        issue=f"`{function.name}` {way}, and {field} may not be None: {refused} is refused with 422 for a None that nobody sent.",
        reasoning="It runs before the type is checked: Pydantic takes what it returns as the input, and a function without "
        "`return` returns None.",
        exploit=f"A client sends a value of {field}, and is told that None is not allowed.",
        severity=lost.severity if always else Severity.MINOR,
        confidence=lost.confidence if always else Confidence.FIRM,
    )


def _returning(function: Function, value: str, graph: AppGraph) -> Fix | None:
    """`return value` as the last line."""
    last = function.body[-1]
    first = function.location(function.body[0])
    end = function.location(last)
    inside = function.module.location(function.node)
    if (
        isinstance(last, ir.Raise | ir.Return)
        or first.line <= function.location().line
        or inside.end_line != end.end_line
    ):
        return None
    behind = Location(end.path, end.end_line, end.end_column)
    if text_at(graph, Location(end.path, end.end_line, end.end_column, end.end_line, 10_000)).strip():
        return None
    return Fix(f"Return {value}", (Edit(behind, f"\n{' ' * first.column}return {value}"),), safe=True)


def _never_runs(function: Function, operations: tuple[PathOperation, ...], graph: AppGraph) -> Finding:
    mark = next(
        d
        for d in function.node.decorators
        if last_name(d.func if isinstance(d, ir.Call) else d) != "classmethod"
    )
    name = last_name(mark.func if isinstance(mark, ir.Call) else mark)
    return rule.at(
        function,
        f"`{function.name}` never runs: `@classmethod` stands above `@{name}`, so that Pydantic does not see the validator.",
        f"Put `@classmethod` below:\n```python\n@{name}(...)\n@classmethod\n{definition(graph, function)}\n```",
        reasoning="Pydantic collects validators by the object that its decorator returns; a class method around it hides it.",
        exploit=f"A client sends what `{function.name}` should refuse to {first_route(operations, function.name)}, and it is accepted.",
        confidence=Confidence.CERTAIN,
        routes=routes_of(operations),
    )


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _escaping(
    function: Function, operations: tuple[PathOperation, ...], graph: AppGraph
) -> Iterator[Finding]:
    for site in function.facts.sites(ir.Raise):
        raised = site.node.exc.func if isinstance(site.node.exc, ir.Call) else site.node.exc
        if raised is None or site.context.inside("try") is not None:
            continue
        for option in options(graph.program.inference.type_of(raised, function)):
            if isinstance(option, ClassRef | Instance) and option.name in _ESCAPING:
                found = rule.at(
                    function,
                    f"`{function.name}` raises `{last_name(raised)}` ({function.location(site.node)}), which Pydantic does "
                    "not take for a validation error: the client is told 500 instead of 422.",
                    f"Raise what Pydantic takes for one, in `{function.name}`:\n"
                    '```python\nraise ValueError("what is wrong with the value")\n```',
                    reasoning="Pydantic 2 turns ValueError, AssertionError and PydanticCustomError into validation errors.",
                    exploit=f"A client sends what `{function.name}` refuses to "
                    f"{first_route(operations, function.name)}, and is told 500, as if the service had failed.",
                    confidence=Confidence.CERTAIN,
                    trace=steps((site, f"{last_name(raised)} is raised")),
                    routes=routes_of(operations),
                )
                yield replace(found, severity=Severity.IMPORTANT)
                return


def _assumes_type(
    validator: Validator, function: Function, operations: tuple[PathOperation, ...]
) -> Iterator[Finding]:
    """A method of text or mappings on input that nobody has looked at."""
    value = _value_parameter(validator, function)
    methods = _METHODS_OF_MAPPINGS if validator.kind == "model" else _METHODS_OF_TEXT
    if any(True for _ in function.facts.calls_named("isinstance", "hasattr", "str", "dict", "TypeAdapter")):
        return
    if (
        function.facts.sites(ir.Try)
        or function.facts.sites(ir.Match)
        or len(function.facts.bindings.get(value, ())) > 1
    ):
        return
    for site in function.facts.calls:
        func = site.node.func
        if (
            func.__class__ is not ir.Attribute
            or func.attr not in methods
            or func.value.__class__ is not ir.Name
        ):
            continue
        if func.value.id == value and not any(c.role in ("if", "else") for c in site.context):
            found = rule.at(
                function,
                f"`{function.name}` runs before the type is checked and calls `{value}.{func.attr}()`: input of another type "
                "is answered with 500 instead of 422.",
                f"Let other types pass to Pydantic's own check:\n```python\nif not isinstance({value}, "
                f"{'dict' if validator.kind == 'model' else 'str'}):\n    return {value}\n```",
                reasoning='A validator with mode="before" is given what the client sent; AttributeError is no validation '
                "error.",
                exploit=f"A client sends a {'list' if validator.kind == 'model' else 'number'} to "
                f"{first_route(operations, function.name)}, and is told 500 instead of 422.",
                confidence=Confidence.FIRM,
                trace=steps((site, f"{value}.{func.attr}() on unchecked input")),
                routes=routes_of(operations),
            )
            yield replace(found, severity=Severity.MINOR)
            return


def _waits(function: Function, waits: Concept, operations: tuple[PathOperation, ...]) -> Finding:
    found = rule.at(
        function,
        f"`{function.name}` waits for {'another host' if isinstance(waits, OutboundRequest) else 'the database'} "
        f"({waits.location}) while the request is parsed: nothing else runs on the event loop until it answers.",
        "Check what needs a connection in the handler or a dependency, and keep validators to the value itself.",
        reasoning="Pydantic runs validators synchronously, and FastAPI parses bodies on the event loop.",
        exploit=f"While `{function.name}` waits in one request to {first_route(operations, function.name)}, no "
        "other request of the process is served.",
        confidence=Confidence.CERTAIN if waits.sure else Confidence.FIRM,
        trace=steps((waits, f"{waits.name} waits")),
        routes=routes_of(operations),
    )
    return replace(found, severity=Severity.IMPORTANT)


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel, field_validator

    app = FastAPI()


    class Book(BaseModel):
        title: str
        summary: str | None = None

        @field_validator("summary")
        @classmethod
        def strip_summary(cls, value: str | None) -> str | None:  # finding: validator-defect
            if value is not None:
                value = value.strip()


    @app.post("/books")
    def add_book(book: Book) -> dict[str, str | None]:
        return {"title": book.title, "summary": book.summary}
"""

rule.good = """
    from fastapi import FastAPI
    from pydantic import BaseModel, field_validator

    app = FastAPI()


    class Book(BaseModel):
        title: str
        summary: str | None = None

        @field_validator("summary")
        @classmethod
        def strip_summary(cls, value: str | None) -> str | None:
            if value is not None:
                value = value.strip()
            return value


    @app.post("/books")
    def add_book(book: Book) -> dict[str, str | None]:
        return {"title": book.title, "summary": book.summary}
"""


@rule.symptom
def the_summary_is_lost(proof: Proof) -> None:
    """The summary that a client sends is stored as None."""
    answer = proof.client.post("/books", json={"title": "Dune", "summary": " A desert planet. "})
    assert answer.status_code == 200
    assert answer.json()["summary"] is None
