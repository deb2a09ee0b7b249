"""A route makes for itself what other routes have injected.

`next(get_session())` skips FastAPI: nobody runs the part behind `yield`, so the session stays open until the garbage
collector finds it, and `app.dependency_overrides` does not reach it, so a test of this route talks to the real database.
The same holds for sessions and services that a handler makes by itself.

Known limits: only handlers are looked at, and only for things that some other route of the project has injected. Tasks,
command lines, websockets and streams make their own on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from fastapi_architect.analyses.own_code import definition, written
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.concepts.database import SessionCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route makes what it could have injected",
    severity=Severity.MINOR,
    references=(
        "https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/",
        "https://fastapi.tiangolo.com/advanced/testing-dependencies/",
    ),
)

_KEEPING = ("lru_cache", "cache", "alru_cache")
_SHOWN = 5


class _Injected:
    """What routes of a graph have injected, and by which dependency."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph

    @cached_property
    def functions(self) -> dict[int, tuple[Function, PathOperation]]:
        """Functions used as dependencies, each with the first operation that says `Depends(function)`."""
        found: dict[int, tuple[Function, PathOperation]] = {}
        for operation, dependency in self._all():
            if dependency.function is not None and dependency.cls is None:
                found.setdefault(id(dependency.function), (dependency.function, operation))
        return found

    @cached_property
    def classes(self) -> dict[int, tuple[Class, PathOperation]]:
        """Classes of the program whose instances a dependency makes."""
        found: dict[int, tuple[Class, PathOperation]] = {}
        for operation, dependency in self._all():
            cls = dependency.cls if not dependency.creation else None
            if (
                isinstance(cls, Class)
                and dependency.function is not None
                and dependency.function.name == "__init__"
            ):
                found.setdefault(id(cls), (cls, operation))
        return found

    @cached_property
    def session_provider(self) -> tuple[Function, PathOperation] | None:
        """The first dependency that makes sessions."""
        for function, operation in self.functions.values():
            if function.is_generator and self._graph.within(SessionCreation, function):
                return function, operation
        return None

    def _all(self) -> Iterator[tuple[PathOperation, Dependency]]:
        for operation in self._graph.operations:
            for dependency in operation.all_dependencies():
                yield operation, dependency


@rule.check(per=AppGraph)
def made_in_a_handler(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    injected = _Injected(graph)
    handlers = {
        id(o.handler): o for o in reversed(graph.operations) if o.handler is not None and o.kind == "http"
    }
    yield from _called_dependencies(injected, handlers, graph)
    yield from _made_sessions(injected, handlers, graph)
    yield from _made_instances(injected, handlers, graph)


def _called_dependencies(
    injected: _Injected, handlers: dict[int, PathOperation], graph: AppGraph
) -> Iterator[Finding]:
    for function, other in injected.functions.values():
        if any(function.has_decorator(name) for name in _KEEPING):
            continue
        callers = [
            site for site in graph.program.calls.callers(function) if site.scope.module.kind == "source"
        ]
        if not function.is_generator and not _is_provider(function, callers, handlers, graph):
            continue
        for site in callers:
            operation = handlers.get(id(site.scope))
            if operation is None or operation.handler is function or not isinstance(site.scope, Function):
                continue
            why = f"`dependency_overrides[{function.name}]` does not reach it"
            if function.is_generator:
                why = (
                    f"nobody runs what `{function.name}` does behind its `yield`, and no test can replace it"
                )
            what = f"calls `{function.name}()` itself"
            yield _finding(site, site.scope, operation, function.name, what, why, other, graph)


def _is_provider(
    function: Function, callers: list[Site], handlers: dict[int, PathOperation], graph: AppGraph
) -> bool:
    """It takes nothing and is injected more often than called; what services call, too, is an ordinary function."""
    if function.parameters or any(id(site.scope) not in handlers for site in callers):
        return False
    return len(callers) < len(graph.operations_running(function))


def _made_sessions(
    injected: _Injected, handlers: dict[int, PathOperation], graph: AppGraph
) -> Iterator[Finding]:
    if injected.session_provider is None:
        return
    provider, other = injected.session_provider
    by_file: dict[str, list[SessionCreation]] = defaultdict(list)
    for creation in graph.facts(SessionCreation):
        function = creation.function
        if function is not None and id(function) in handlers and not function.is_generator:
            by_file[function.module.path].append(creation)
    for found in by_file.values():
        function = found[0].function
        assert function is not None
        count = f", as {len(found)} places in this file do" if found[1:] else ""
        why = "tests cannot replace it, and its transaction is another than that of the dependencies"
        yield _finding(
            found[0].site,
            function,
            handlers[id(function)],
            provider.name,
            f"opens a session by itself{count}",
            why,
            other,
            graph,
        )


def _made_instances(
    injected: _Injected, handlers: dict[int, PathOperation], graph: AppGraph
) -> Iterator[Finding]:
    for cls, other in injected.classes.values():
        for site in graph.program.call_sites_named(cls.name):
            operation = handlers.get(id(site.scope))
            of = options(graph.program.inference.type_of(site.node.func, site.scope))
            if operation is None or not isinstance(site.scope, Function):
                continue
            if any(isinstance(each, ClassRef) and each.cls is cls for each in of):
                why = f"`dependency_overrides[{cls.name}]` does not reach it"
                yield _finding(
                    site, site.scope, operation, cls.name, f"makes `{cls.name}` itself", why, other, graph
                )


def _finding(
    site: Site,
    handler: Function,
    operation: PathOperation,
    provider: str,
    what: str,
    why: str,
    other: PathOperation,
    graph: AppGraph,
) -> Finding:
    kind = _kind(provider, site, graph)
    name = "session" if "session" in what else kind.lower() if kind != "Any" else "value"
    there = _injected_already(handler, provider, graph)
    injected = {name: (f"Annotated[{kind}, Depends({provider})]", "")}
    trace = steps((other.handler, f"{other} has it injected")) if other.handler not in (None, handler) else ()
    return rule.at(
        site,
        f"`{handler.name}` {what}: {why}.",
        f"Consider `{there}`, which is injected already:\n```python\n"
        f"{definition(graph, handler, f'...  # with `{there}` alone')}\n```"
        if there
        else f"Consider having it injected:\n```python\n{definition(graph, handler, parameters=injected)}\n```",
        reasoning="FastAPI closes what it has injected, shares it within the request, and lets tests replace it.",
        exploit=f"A test replaces `{provider}` in `dependency_overrides`, and `{operation}` still uses the real one.",
        confidence=Confidence.FIRM,
        trace=trace,
        routes=routes_of([operation]),
    )


def _injected_already(handler: Function, provider: str, graph: AppGraph) -> str:
    """The parameter that gets what the provider gives."""
    wanted = f"Depends({provider})"
    for param in handler.parameters:
        if wanted in written(graph, handler, param.annotation) + written(graph, handler, param.default):
            return param.name
    return ""


def _kind(provider: str, site: Site, graph: AppGraph) -> str:
    """Name of the class that is injected, as far as it is known."""
    made = options(graph.program.inference.type_of(site.node, site.scope))
    for of in made:
        if isinstance(of, Instance):
            inner = (
                [a for a in of.args if isinstance(a, Instance)]
                if "Iterator" in of.name or "Generator" in of.name
                else []
            )
            name = (inner[0] if inner else of).name.rpartition(".")[2]
            if name.isidentifier() and "Iterator" not in name and "Generator" not in name:
                return name
    return provider if provider[:1].isupper() else "Any"


rule.bad = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    class Catalogue:
        def titles(self) -> list[str]:
            return ["Emma"]


    def get_catalogue() -> Iterator[Catalogue]:
        yield Catalogue()


    @app.get("/books")
    def list_books(catalogue: Annotated[Catalogue, Depends(get_catalogue)]) -> list[str]:
        return catalogue.titles()


    @app.get("/books/count")
    def count_books() -> int:
        catalogue = next(get_catalogue())  # finding: dependency-instantiated-instead-of-injected
        return len(catalogue.titles())
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI

    app = FastAPI()


    class Catalogue:
        def titles(self) -> list[str]:
            return ["Emma"]


    def get_catalogue() -> Iterator[Catalogue]:
        yield Catalogue()


    CatalogueDep = Annotated[Catalogue, Depends(get_catalogue)]


    @app.get("/books")
    def list_books(catalogue: CatalogueDep) -> list[str]:
        return catalogue.titles()


    @app.get("/books/count")
    def count_books(catalogue: CatalogueDep) -> int:
        return len(catalogue.titles())
"""


@rule.symptom
def the_override_of_a_test_has_no_effect(proof: Proof) -> None:
    """A test replaces the dependency, and the route still uses the real one."""
    main = proof.module("main")

    class Empty:
        def titles(self) -> list[str]:
            return []

    main.app.dependency_overrides[main.get_catalogue] = Empty
    assert proof.client.get("/books").json() == []
    assert proof.client.get("/books/count").json() == 1
