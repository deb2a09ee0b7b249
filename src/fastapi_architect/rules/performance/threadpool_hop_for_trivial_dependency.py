"""A plain `def` dependency that only puts values together is run on a thread for every request.

FastAPI runs `def` dependencies on threads, because they may block. One that does nothing but read a setting
or build an object pays for the way there and back, and takes one of forty places from those that need it.

Known limits: only functions whose every call is known to be harmless are reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    FunctionRef,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A dependency that cannot block is run on a thread for every request",
    severity=Severity.INFO,
    cwe=1073,
    references=(
        "https://fastapi.tiangolo.com/async/#dependencies",
        "https://www.starlette.io/threadpool/",
    ),
)

_MAX_DEPTH = 4
_HARMLESS = frozenset(
    {
        "builtins." + name
        for name in [
            "len",
            "str",
            "int",
            "float",
            "bool",
            "min",
            "max",
            "sum",
            "abs",
            "round",
            "isinstance",
            "getattr",
            "hasattr",
            "dict",
            "list",
            "set",
            "tuple",
            "sorted",
            "any",
            "all",
            "repr",
            "zip",
            "range",
            "enumerate",
        ]
    }
    | {"fastapi.HTTPException", "starlette.exceptions.HTTPException", "typing.cast"}
)
_METHODS_OF = (
    "builtins.str.",
    "builtins.dict.",
    "builtins.list.",
    "builtins.set.",
    "starlette.datastructures.",
)


@rule.check(per=AppGraph)
def thread_for_nothing(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[int] = set()
    for operation in graph.operations:
        for dependency in operation.all_dependencies():
            function = dependency.function
            if function is None or id(function) in seen or dependency.cls is not None:
                continue
            seen.add(id(function))
            if function.module.kind == "source" and _is_trivial(function, graph, 0):
                yield _finding(function, graph)


def _is_trivial(function: Function, graph: AppGraph, depth: int) -> bool:
    if depth == 0 and (function.is_async or function.node.decorators):
        return False
    if function.is_async or function.is_generator or function.functions or depth > _MAX_DEPTH:
        return False
    sites = function.facts.calls
    return all(not s.loops and _is_harmless(s, graph, depth) for s in sites)


def _is_harmless(site: Site, graph: AppGraph, depth: int) -> bool:
    names = graph.program.calls.names(site)  # an inherited method has several
    if any(n in _HARMLESS or n.startswith(_METHODS_OF) for n in names):
        return True
    found = list(options(graph.program.inference.type_of(site.node.func, site.scope)))
    if not found:
        return False
    for of in found:
        if isinstance(of, FunctionRef):
            if len(graph.program.calls.targets(site)) != 1 or not _is_trivial(of.function, graph, depth + 1):
                return False
        elif not (
            isinstance(of, ClassRef) and isinstance(of.cls, Class) and _builds_only(of.cls, graph, depth)
        ):
            return False
    return True


def _builds_only(cls: Class, graph: AppGraph, depth: int) -> bool:
    """A class of the program whose constructor keeps what it is given."""
    member = graph.program.inference.hierarchy.member(cls, "__init__")
    if member is None or member.function is None:
        return not any(isinstance(entry.cls, str) for entry in graph.program.inference.hierarchy.order(cls))
    return _is_trivial(member.function, graph, depth + 1)


def _finding(function: Function, graph: AppGraph) -> Finding:
    name = function.name
    operations = graph.operations_running(function)
    return rule.at(
        function,
        f"`{name}` only puts values together, and is sent to a thread and back for every request of "
        f"{len(operations)} "
        f"route{'s' if len(operations) != 1 else ''}.",
        f"Declare it with `async def`; it then runs where it is needed:\n```python\n"
        f"{definition(graph, function, is_async=True)}\n```",
        reasoning="Nothing it calls waits for anything, so the thread protects nobody.",
        exploit=f"Each request to {first_route(operations, name)} takes one of forty threads for `{name}`, which needs none.",
        confidence=Confidence.FIRM,
        trace=steps((function, f"{name} is declared with def and blocks nowhere")),
        fix=_fix(function, graph),
        routes=routes_of(operations),
        impact=float(len(operations)),
    )


def _fix(function: Function, graph: AppGraph) -> Fix | None:
    if graph.program.calls.callers(function):
        return None
    place = function.location(function.node)
    begin = Location(place.path, place.line, place.column)
    return Fix(f"Declare {function.name} with async def", (Edit(begin, "async "),), safe=True)


rule.bad = """
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    def paging(start: int = 0) -> tuple[int, int]:  # finding: threadpool-hop-for-trivial-dependency
        return max(start, 0), 20


    @app.get("/books")
    async def list_books(page: Annotated[tuple[int, int], Depends(paging)]) -> tuple[int, int]:
        return page
"""

rule.good = """
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    async def paging(start: int = 0) -> tuple[int, int]:
        return max(start, 0), 20


    @app.get("/books")
    async def list_books(page: Annotated[tuple[int, int], Depends(paging)]) -> tuple[int, int]:
        return page
"""


@rule.symptom
def a_thread_is_taken(proof: Proof) -> None:
    """Each request takes one of forty threads for a computation that needs none."""
    import importlib

    utils: Any = importlib.import_module("fastapi.dependencies.utils")
    hops: list[str] = []
    run = utils.run_in_threadpool

    async def counted(function: Any, *args: Any, **kwargs: Any) -> Any:
        hops.append(function.__name__)
        return await run(function, *args, **kwargs)

    client = proof.client
    utils.run_in_threadpool = counted
    assert client.get("/books").json() == [0, 20]
    assert hops == ["paging"]
