"""Tests replace a dependency that no route uses, or pass guarded routes by.

`app.dependency_overrides[get_db]` works by identity: when the routes depend on another function, the override replaces
nothing, and the test talks to the real thing without a word. And a route that only signed-in people may use is worth a test
that somebody else is refused.

Known limits: routes are matched with the addresses that tests pass to a client, parameters as wildcards. Nothing is said about
missing tests unless most routes are found in them, because the others may be tested elsewhere. Reported once for an
application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Application,
    Confidence,
    Files,
    Finding,
    Function,
    FunctionRef,
    Module,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    ir,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Tests replace what no route uses, or leave out guarded routes",
    severity=Severity.INFO,
    references=(
        "https://fastapi.tiangolo.com/advanced/testing-dependencies/",
        "https://fastapi.tiangolo.com/tutorial/testing/",
    ),
)

_CALLS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream", "websocket_connect"}
)
_IN_ORDER = tuple(sorted(_CALLS))
_CLIENTS = ("TestClient", "AsyncClient", "client", "test_client", "async_client", "api_client")
_SHOWN = 6
#: So many of the routes must be found in tests before the others are said to be missing.
_SHARE = 0.6
_FEWEST = 5
_ANY = "*"


# ── overrides ───────────────────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def override_without_effect(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    used = {id(d.function) for o in graph.operations for d in o.all_dependencies() if d.function is not None}
    whole = all(d.resolved for o in graph.operations for d in o.all_dependencies())
    if not used or not whole or graph.unresolved:
        return
    for module in graph.program.mentioning("dependency_overrides"):
        scopes: list[Scope] = [module, *all_functions(module)]
        for site, key in (pair for scope in scopes for pair in _overrides(scope)):
            yield from _without_effect(site, key, used, graph)


def _overrides(scope: Scope) -> Iterator[tuple[Site, ir.Expr]]:
    for site in scope.facts.sites(ir.Assign):
        for target in site.node.targets:
            if isinstance(target, ir.Subscript) and _is_overrides(target.value):
                yield site, target.slice


def _is_overrides(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Attribute) and expr.attr == "dependency_overrides"


def _without_effect(site: Site, key: ir.Expr, used: set[int], graph: AppGraph) -> Iterator[Finding]:
    found = options(graph.program.inference.type_of(key, site.scope))
    functions = [of.function for of in found if isinstance(of, FunctionRef)]
    if not functions or len(functions) < len(found) or any(id(f) in used for f in functions):
        return
    function = functions[0]
    if function.module.kind != "source" or _has_namesake(function, used, graph):
        return
    where = site.scope.location(site.node)
    yield rule.at(
        function,
        f"{where.path}:{where.line} overrides `{function.name}`, and no route depends on it: the override replaces nothing.",
        f"Consider overriding the function that the routes name in `Depends`:\n```python\n"
        f"app.dependency_overrides[the_one_in_depends] = fake_{function.name}\n```",
        reasoning="Overrides are looked up by the function object; another function, or a new lambda, is another key.",
        exploit=f"The override of `{function.name}` is in place, and every route of the test runs what it always runs.",
        confidence=Confidence.FIRM,
        trace=steps(
            (site, f"{function.name} is overridden here"),
            (function, "no operation has it among its dependencies"),
        ),
    )


def _has_namesake(function: Function, used: set[int], graph: AppGraph) -> bool:
    """A route depends on a function that wraps this one (`Depends(wrapper)` calling it is found by the call graph)."""
    callers = (site.scope for site in graph.program.calls.callers(function))
    return any(id(caller) in used for caller in callers)


# ── routes without a test ───────────────────────────────────────────────────────────────────────────────────


@rule.check(per=Application)
def guarded_routes_without_a_test(application: Application, graph: AppGraph) -> Iterator[Finding]:
    tests = [m for m in graph.program.mentioning(*_CLIENTS) if m.kind == "test"]
    operations = [
        o for o in application.operations if o.kind == "http" and o.handler is not None and not o.floating
    ]
    if not tests or application.mounted or len(operations) < _FEWEST:
        return
    called = {pattern for module in tests for pattern in _addresses(module, graph)}
    tree = _tree(called)
    named = frozenset[str]().union(*(module.parsed.identifiers for module in tests))
    missing = [o for o in operations if not _is_tested(o, tree, named)]
    if not called or len(missing) > (1 - _SHARE) * len(operations):
        return
    guarded = [o for o in missing if o.is_write and graph.access(o).authenticated]
    if not guarded:
        return
    first = guarded[0]
    assert first.handler is not None
    issue = (
        f"No test names {len(guarded)} of the guarded routes: `{first}` is the first."
        if guarded[1:]
        else f"No test names `{first}`, which is guarded."
    )
    yield rule.at(
        application.location,
        issue,
        "Consider a test that a stranger is refused, and one that the owner is served:\n```python\n"
        f"def test_{first.handler.name.removeprefix('test_')}_needs_an_account(client):\n"
        f'    assert client.{first.methods[0].lower()}("{first.path}").status_code == 401\n```',
        reasoning="Guards are lost by moving a line; a test that expects the refusal is what notices.",
        exploit=f"Somebody moves `{first.handler.name}` above its guard: all tests pass, and `{first}` serves strangers.",
        confidence=Confidence.TENTATIVE,
        trace=steps(*((o.handler, f"{o} is in no test") for o in guarded[:_SHOWN] if o.handler is not None)),
        routes=routes_of(guarded),
    )


def _addresses(module: Module, graph: AppGraph) -> Iterator[tuple[str, ...]]:
    """Addresses that a test module asks for, as segments; `*` for what is not known."""
    scopes: list[Scope] = [
        module,
        *(f for f in all_functions(module) if not _CALLS.isdisjoint(f.node.called)),
    ]
    for scope in scopes:
        for site in scope.facts.calls_named(*_IN_ORDER):
            for each in site.node.args[:2]:
                text = _text(each, scope, graph)
                if "/" in text:
                    yield _segments(text)


def _text(expr: ir.Expr, scope: Scope, graph: AppGraph) -> str:
    if isinstance(expr, ir.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ir.Constant) else _ANY for v in expr.values)
    if isinstance(expr, ir.BinOp) and expr.op == "+":
        return (_text(expr.left, scope, graph) or _ANY) + (_text(expr.right, scope, graph) or _ANY)
    if isinstance(expr, ir.Constant):
        return expr.value if isinstance(expr.value, str) else ""
    if not isinstance(expr, ir.Name) or expr.id.islower():
        return ""  # local names are many (`row.get(key)`), and addresses among them few
    return graph.program.constants.string(expr, scope) or ""


def _segments(path: str) -> tuple[str, ...]:
    path = path.partition("?")[0]
    path = re.sub(r"^https?://[^/]*", "", path) if path.startswith("http") else path
    path = re.sub(r"{[^}]*}", _ANY, path) if "{" in path else path
    return tuple(_ANY if _ANY in part else part for part in path.split("/") if part)


def _is_tested(operation: PathOperation, called: _Tree, named: frozenset[str]) -> bool:
    """Some address ends as the operation's path does, or a test names the handler."""
    assert operation.handler is not None
    return operation.handler.name in named or _fits(_segments(operation.path), called)


#: Addresses by their segments from the last one inwards; `_END` stands where one is complete.
_Tree = dict[str, Any]
_END = "/"


def _tree(addresses: Iterable[tuple[str, ...]]) -> _Tree:
    tree: _Tree = {}
    for address in addresses:
        node = tree
        # The first may be a prefix that is not known.
        for segment in reversed(address[1:] if address[:1] == (_ANY,) else address):
            node = node.setdefault(segment, {})
        node[_END] = {}
    return tree


def _fits(own: tuple[str, ...], tree: _Tree) -> bool:
    """Some address ends as `own` does, or `own` as the address; `*` fits everything."""
    if not own:
        return _END in tree
    nodes = [tree]
    for segment in reversed(own):
        if segment == _ANY:
            nodes = [inner for node in nodes for key, inner in node.items() if key != _END]
        else:
            nodes = [node[key] for node in nodes for key in (segment, _ANY) if key in node]
        if any(_END in node for node in nodes):
            return True
    return bool(nodes)


_TEST = """
    import main
    from fastapi.testclient import TestClient


    def test_time() -> None:
        main.app.dependency_overrides[main.get_time] = lambda: 0
        assert TestClient(main.app).get("/time").json() == 0
"""

rule.bad = Files(
    {
        "main.py": """
            from typing import Annotated

            from fastapi import Depends, FastAPI

            app = FastAPI()


            def get_time() -> int:  # finding: test-hooks-and-coverage-of-auth
                return 12


            def get_local_time() -> int:
                return 12


            @app.get("/time")
            def read_time(now: Annotated[int, Depends(get_local_time)]) -> int:
                return now
        """,
        "tests/test_time.py": _TEST,
    }
)

rule.good = Files(
    {
        "main.py": """
            from typing import Annotated

            from fastapi import Depends, FastAPI

            app = FastAPI()


            def get_time() -> int:
                return 12


            @app.get("/time")
            def read_time(now: Annotated[int, Depends(get_time)]) -> int:
                return now
        """,
        "tests/test_time.py": _TEST,
    }
)


@rule.symptom
def the_override_replaces_nothing(proof: Proof) -> None:
    """The test's override is in place, and the route answers with the real value."""
    main = proof.module("main")
    main.app.dependency_overrides[main.get_time] = lambda: 0
    assert proof.client.get("/time").json() == 12
