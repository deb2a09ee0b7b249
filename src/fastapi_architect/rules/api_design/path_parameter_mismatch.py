"""A name in the path and the parameter that should receive it are not the same.

FastAPI joins `{edition_id}` in the path with a parameter called `edition_id`. A parameter called `edition`
is something else: it becomes a required query parameter, and every request that follows the documented path
is refused with 422. Where no parameter is left over, the value in the path is thrown away, and every
address gives the same answer.

Known limits: functions that a library supplies are not looked into; where one of them is a dependency of
the route, nothing is reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered, registered_path
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_texts import UNKNOWN_PART
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    argument,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A path parameter and the parameter that reads it have different names",
    severity=Severity.CRITICAL,
    cwe=628,
    references=(
        "https://fastapi.tiangolo.com/tutorial/path-params/",
        "https://docs.astral.sh/ruff/rules/fast-api-unused-path-parameter/",
    ),
)


@rule.check(per=PathOperation)
def name_in_the_path_that_nothing_reads(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind == "plain" or operation.floating or UNKNOWN_PART in operation.path:
        return
    names = operation.path_names
    read = {p.alias for p in operation.all_parameters() if p.kind == "path"}
    read |= {p.name for p in operation.all_parameters() if p.kind == "path"}
    yield from _without_a_name_in_the_path(operation, handler, graph)
    missing = [name for name in names if name not in read]
    if not missing or _reads_by_hand(operation, graph):
        return
    taken = _query_parameter_for(missing, operation)
    own = _registered_path(operation)
    if taken is not None:
        yield _misnamed(operation, handler, taken, graph)
    elif any(f"{{{name}" in own for name in missing):
        shown = next(name for name in missing if f"{{{name}" in own)
        yield _ignored(operation, handler, shown, graph)


def _registered_path(operation: PathOperation) -> str:
    path = argument(operation.registration[0], 0, "path")
    value = getattr(path, "value", None)
    return value if isinstance(value, str) else operation.path


def _reads_by_hand(operation: PathOperation, graph: AppGraph) -> bool:
    """Something on the way reads `request.path_params`, or may, as far as is known."""
    if any(not d.resolved for d in operation.all_dependencies()):
        return True
    if any(p.kind in ("vararg", "kwarg") for f in operation.functions for p in f.parameters):
        return True
    if not graph.program.mentioning("path_params"):
        return False
    reached, complete = effects(graph).reached(operation.functions)
    return not complete or any(_mentions_path_params(function) for function in reached)


def _mentions_path_params(function: Function) -> bool:
    if not function.module.mentions("path_params"):
        return False
    facts = function.facts
    attributes = any(site.node.attr == "path_params" for site in facts.sites(ir.Attribute))
    keys = (getattr(site.node.slice, "value", None) for site in facts.sites(ir.Subscript))
    return attributes or "path_params" in keys


def _query_parameter_for(missing: list[str], operation: PathOperation) -> tuple[str, Parameter] | None:
    """A name in the path and the required query parameter that was meant to receive it."""
    required = [
        p for p in operation.all_parameters() if p.kind == "query" and p.required and p.marker is None
    ]
    for name in missing:
        for parameter in required:
            if _alike(name, parameter.name):
                return name, parameter
    own = [p for p in required if p in operation.parameters]
    return (
        (missing[0], own[0])
        if len(missing) == len(own) == 1 and not _is_prefix(missing[0], operation)
        else None
    )


def _is_prefix(name: str, operation: PathOperation) -> bool:
    """The name stands in a prefix, where it concerns many operations."""
    return f"{{{name}" not in _registered_path(operation)


def _alike(first: str, second: str) -> bool:
    one, other = (re.sub(r"[^a-z0-9]", "", name.lower()) for name in (first, second))
    if one == other:
        return True
    stems = [re.sub(r"(id|uuid|pk|slug|name)$", "", name) for name in (one, other)]
    return bool(stems[0]) and stems[0] == stems[1]


def _misnamed(
    operation: PathOperation, handler: Function, taken: tuple[str, Parameter], graph: AppGraph
) -> Finding:
    name, parameter = taken
    return rule.at(
        handler,
        f"`{operation}` names `{{{name}}}` in its path, but `{handler.name}` has `{parameter.name}`, "
        f"which FastAPI reads from the query: a request without `?{parameter.alias}=` is refused with 422.",
        f"Give both the same name:\n```python\n# Bad: {_registered_path(operation)} with {parameter.name}\n"
        f"# Good\n{registered(graph, operation, path=_renamed(registered_path(graph, operation), name, parameter.alias))}\n```",
        reasoning="FastAPI joins path and parameters by name alone; a simple type that is not in the "
        "path is a "
        f"query parameter, and `{parameter.name}` has no default.",
        exploit=f"A client sends `{operation}` as it is documented, and is refused with 422.",
        confidence=Confidence.CERTAIN,
        trace=steps((parameter.location, f"{parameter.name} is read from the query")),
        fix=_renaming(operation, name, parameter, graph),
        routes=routes_of([operation]),
    )


def _ignored(operation: PathOperation, handler: Function, name: str, graph: AppGraph) -> Finding:
    found = rule.at(
        handler,
        f"`{operation}` has `{{{name}}}` in its path, and neither `{handler.name}` nor a dependency "
        "reads it: "
        "every value gives the same answer.",
        f"Read it, or take it out of the path:\n```python\n{registered(graph, operation, parameters={name: ('str', '')})}\n```",
        reasoning=f"No parameter of the operation is called `{name}`, and nothing on its way reads "
        "`path_params`.",
        exploit=f"Two requests to `{operation}` that differ in `{name}` get the same answer.",
        confidence=Confidence.FIRM,
        routes=routes_of([operation]),
    )
    return replace(found, severity=Severity.MINOR)


def _without_a_name_in_the_path(
    operation: PathOperation, handler: Function, graph: AppGraph
) -> Iterator[Finding]:
    """A parameter declared with `Path()` for which the path has no place: every request is refused."""
    if "{" in graph.application_of(operation).mount_path:
        return
    names = operation.path_names
    for parameter in operation.parameters:
        if parameter.kind != "path" or parameter.marker is None:
            continue
        if parameter.alias in names or parameter.name in names:
            continue
        yield rule.at(
            handler,
            f"`{handler.name}` reads `{parameter.alias}` from the path, but `{operation}` has no "
            f"`{{{parameter.alias}}}`: every request is refused with 422.",
            f"Put `{{{parameter.alias}}}` into the path, or read it with `Query()`.",
            reasoning="A parameter declared with `Path()` is looked up by name among the values of the "
            "path only.",
            exploit=f"A client sends `{operation}` as it is documented, and is refused with 422.",
            confidence=Confidence.CERTAIN,
            trace=steps((parameter.location, f"{parameter.name} is declared with Path()")),
            routes=routes_of([operation]),
        )


def _renamed(path: str, name: str, to: str) -> str:
    return re.sub(rf"{{{re.escape(name)}(?=[:}}])", "{" + to, path)


def _renaming(operation: PathOperation, name: str, parameter: Parameter, graph: AppGraph) -> Fix | None:
    """The name changed in the path: no address changes. Only where the decorator writes the path down."""
    call, scope = operation.registration
    path = argument(call, 0, "path")
    if path is None or path.__class__ is not ir.Constant or not _alike(name, parameter.name):
        return None
    place = scope.location(path)
    written = text_at(graph, place)
    text = _renamed(written, name, parameter.alias)
    if text == written or f"{{{parameter.alias}" in written:
        return None
    return Fix(
        f"Call the path's parameter {parameter.alias}", (Edit(place, text),), safe=True, changes_contract=True
    )


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/books/{book_id}/editions/{edition_id}")
    def read_edition(book_id: int, edition: int) -> dict[str, int]:  # finding: path-parameter-mismatch
        return {"book": book_id, "edition": edition}
"""

rule.good = """
    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/books/{book_id}/editions/{edition}")
    def read_edition(book_id: int, edition: int) -> dict[str, int]:
        return {"book": book_id, "edition": edition}
"""


@rule.symptom
def every_request_is_refused(proof: Proof) -> None:
    """A request for the documented path is refused with 422, because the edition is expected in the query."""
    response = proof.client.get("/books/3/editions/2")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "edition"]
