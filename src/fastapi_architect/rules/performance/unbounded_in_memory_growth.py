"""Requests fill a container that nobody empties.

A module-level dictionary keyed by what clients send, or a list that every request appends to, lives as long as the process:
memory grows with the number of different requests until the process is killed. `lru_cache(maxsize=None)` on a function of
request values is the same in other words.

Known limits: containers of a module, of a class, and of objects made once at import are looked at, in the module that makes
them. Anything that removes entries, compares the length or replaces the container counts as a bound; what the keys may be is
told by their types (an `Enum` is bounded, an identifier is not). Where a lookup above raises for unknown names it is tentative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.refused_unknown import is_refused_unless_known
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import BLOCKS, all_classes, all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    FunctionRef,
    Instance,
    Location,
    Module,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    argument,
    dotted_name,
    first_route,
    ir,
    last_name,
    names_in,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Requests fill a container that is never emptied",
    severity=Severity.IMPORTANT,
    cwe=401,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://docs.python.org/3/library/functools.html#functools.lru_cache",
        "https://cachetools.readthedocs.io/en/stable/#cachetools.TTLCache",
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
    ),
)

_MAKERS = frozenset({"dict", "list", "set", "defaultdict", "OrderedDict", "Counter"})
_GROWING = frozenset({"append", "add", "extend", "setdefault", "insert", "appendleft"})
_SHRINKING = frozenset(
    {"pop", "popitem", "popleft", "clear", "remove", "discard", "difference_update", "expire", "evict"}
)
_INPUTS = frozenset({"path", "query", "header", "cookie", "body", "form"})
#: So many calls may lie between the handler and the container for the finding to be firm.
_HOPS = 3
_UNBOUNDED_KEYS = frozenset(
    {"builtins.str", "builtins.int", "builtins.bytes", "builtins.float", "uuid.UUID", "builtins.tuple"}
)


class _Container(msgspec.Struct, frozen=True, eq=False):
    """An empty container that lives as long as the process.

    Attributes:
        name: the variable or attribute; kind: dict, list, set or defaultdict, as made.
        owner: the class whose attribute it is, None for a variable of the module.
    """

    name: str
    kind: str
    location: Location
    module: Module
    owner: Class | None


@rule.check(per=Module)
def container_filled_by_requests(module: Module, graph: AppGraph) -> Iterator[Finding]:
    if module.kind != "source" or not (module.functions or module.classes):
        return
    containers = list(_containers(module))
    if not containers:
        return
    scopes: list[Scope] = [module, *all_functions(module)]
    for container in containers:
        if any(_bounds(container, scope) for scope in scopes) or _emptied_elsewhere(container, graph):
            continue
        grown = next(_growth(container, scopes, graph), None)
        if grown is not None:
            found = _finding(container, *grown, graph)
            few = grown[2] is Confidence.TENTATIVE and _keeps_one_each(container, grown[0])
            yield replace(found, severity=Severity.MINOR) if few else found


def _keeps_one_each(container: _Container, site: Site) -> bool:
    """One entry for each key, where no client is seen to write the key: as many as there are rows, or names in the code."""
    if container.kind not in ("dict", "set"):
        return False
    func = site.node.func if isinstance(site.node, ir.Call) else None
    return not (isinstance(func, ir.Attribute) and isinstance(func.value, ir.Subscript))


def _containers(module: Module) -> Iterator[_Container]:
    parsed = module.parsed
    making = _MAKING if not _MAKERS.isdisjoint(parsed.called) else _DISPLAYS
    written = parsed.empty_display or making is _MAKING
    if not written and not any(cls.name in parsed.called for cls in all_classes(module)):
        return  # as in most modules
    if written and _makes(parsed.body, making):
        for name, bindings in module.facts.bindings.items():
            if len(bindings) == 1 and (kind := _made(bindings[0].value)):
                yield _Container(name, kind, module.location(bindings[0].node), module, None)
    for cls in all_classes(module):
        if written and _makes(cls.node.body, making):
            yield from _of_class(cls, module)
        if "__init__" in cls.methods and cls.name in _singletons(module):
            yield from _of_instances(cls, module)


def _makes(body: Iterable[Any], making: frozenset[type]) -> bool:
    """A statement gives a name an empty container: in most bodies none does."""
    for statement in body:
        kind = statement.__class__
        if kind in _ASSIGNING:
            value: ir.Expr | None = statement.value
            if type(value) in making and _made(value):
                return True
        elif kind in BLOCKS and any(_makes(block, making) for block in BLOCKS[kind](statement)):
            return True
    return False


def _singletons(module: Module) -> set[str]:
    """Names of what the module calls to make its variables."""
    made = (bindings[-1].value for bindings in module.facts.bindings.values())
    return {last_name(value.func) for value in made if isinstance(value, ir.Call)}


def _of_class(cls: Class, module: Module) -> Iterator[_Container]:
    for name, bindings in cls.facts.bindings.items():
        if (
            len(bindings) == 1
            and bindings[0].kind in ("assign", "annotated")
            and (kind := _made(bindings[0].value))
        ):
            yield _Container(name, kind, cls.location(bindings[0].node), module, cls)


def _of_instances(cls: Class, module: Module) -> Iterator[_Container]:
    """Containers that the constructor of an object made at import gives it."""
    init = cls.methods["__init__"]
    for kind in (ir.Assign, ir.AnnAssign):
        for site in init.facts.sites(kind):
            target = site.node.targets[0] if isinstance(site.node, ir.Assign) else site.node.target
            made = _made(site.node.value)
            if made and isinstance(target, ir.Attribute) and dotted_name(target) == f"self.{target.attr}":
                yield _Container(target.attr, made, init.location(site.node), module, cls)


def _made(value: ir.Expr | None) -> str:
    """dict, list, set or defaultdict for an empty one, else ""."""
    if value is None or value.__class__ not in _MAKING:
        return ""
    if isinstance(value, ir.Dict) and not value.keys:
        return "dict"
    if isinstance(value, ir.Sequence) and value.kind == "list" and not value.elts:
        return "list"
    if isinstance(value, ir.Call) and last_name(value.func) in _MAKERS:
        name = last_name(value.func)
        if name == "defaultdict" or not (value.args or value.keywords):
            return {"OrderedDict": "dict", "Counter": "defaultdict"}.get(name, name)
    return ""


_DISPLAYS: frozenset[type] = frozenset({ir.Dict, ir.Sequence})
_MAKING: frozenset[type] = _DISPLAYS | {ir.Call}
_ASSIGNING: frozenset[type] = frozenset({ir.Assign, ir.AnnAssign})


def _is(container: _Container, expr: ir.Expr, scope: Scope) -> bool:
    """The expression is the container, as seen from a function of its module."""
    if container.owner is None:
        return (
            isinstance(expr, ir.Name) and expr.id == container.name and not _shadowed(container.name, scope)
        )
    if (
        not isinstance(expr, ir.Attribute)
        or expr.attr != container.name
        or not isinstance(expr.value, ir.Name)
    ):
        return False
    inside = isinstance(scope, Function) and scope.owner is container.owner
    return expr.value.id == container.owner.name or (inside and expr.value.id in ("self", "cls"))


def _shadowed(name: str, scope: Scope) -> bool:
    return isinstance(scope, Function) and name in scope.facts.bindings and name not in scope.facts.is_global


def _bounds(container: _Container, scope: Scope) -> bool:
    """Something removes entries, looks at the length, replaces the container or hands it on."""
    facts = scope.facts
    for site in facts.calls:
        func = site.node.func
        if isinstance(func, ir.Attribute) and func.attr in _SHRINKING and _is(container, func.value, scope):
            return True
        if any(_is(container, each, scope) for each in site.node.args):
            return True  # `len(container)`, or somebody else looks after it
    for site in facts.sites(ir.Delete):
        if any(isinstance(t, ir.Subscript) and _is(container, t.value, scope) for t in site.node.targets):
            return True
    if isinstance(scope, Module):
        return False
    for site in (*facts.sites(ir.Assign), *facts.sites(ir.AnnAssign)):
        targets = site.node.targets if isinstance(site.node, ir.Assign) else [site.node.target]
        replaced = scope.name != "__init__" and any(_is(container, target, scope) for target in targets)
        if replaced or (site.node.value is not None and _is(container, site.node.value, scope)):
            return True
    return any(
        site.node.value is not None and _is(container, site.node.value, scope)
        for site in facts.sites(ir.Return)
    )


def _emptied_elsewhere(container: _Container, graph: AppGraph) -> bool:
    """Another module names the container and something that removes: it may look after it."""
    return any(other is not container.module and other.mentions(container.name) for other in _removing(graph))


@question
def _removing(graph: AppGraph) -> tuple[Module, ...]:
    """Modules outside tests that name something that removes."""
    return tuple(m for m in graph.program.mentioning(*sorted(_SHRINKING)) if m.kind != "test")


def _growth(
    container: _Container, scopes: list[Scope], graph: AppGraph
) -> Iterator[tuple[Site, Function, Confidence]]:
    """Places where a request adds what was not there: the first one counts."""
    for scope in scopes:
        if not isinstance(scope, Function):
            continue
        for site, key in _additions(container, scope):
            confidence = _variety(key, scope, graph)
            if confidence is not None and graph.entries(scope):
                if confidence is Confidence.FIRM and _is_found_before(key, site, graph):
                    confidence = Confidence.TENTATIVE
                yield site, scope, confidence


def _is_found_before(key: ir.Expr | None, site: Site, graph: AppGraph) -> bool:
    """What is above raises for names that it does not find: there are no more keys than things that exist."""
    return any(is_refused_unless_known(name, site, graph) for name in names_in(key))


def _additions(container: _Container, scope: Function) -> Iterator[tuple[Site, ir.Expr | None]]:
    """Sites that add, each with the key or value."""
    facts = scope.facts
    for site in (*facts.sites(ir.Assign), *facts.sites(ir.AugAssign)):
        targets = site.node.targets if isinstance(site.node, ir.Assign) else [site.node.target]
        for target in targets:
            if (
                isinstance(target, ir.Subscript)
                and _is(container, target.value, scope)
                and container.kind != "list"
            ):
                yield site, target.slice
    for site in facts.calls:
        func = site.node.func
        if not isinstance(func, ir.Attribute) or func.attr not in _GROWING:
            continue
        if _is(container, func.value, scope):
            yield site, argument(site.node, 0)
        elif isinstance(func.value, ir.Subscript) and _is(container, func.value.value, scope):
            yield site, func.value.slice


def _variety(key: ir.Expr | None, function: Function, graph: AppGraph) -> Confidence | None:
    """How sure it is that requests bring ever new keys; None when they do not."""
    if key is None or isinstance(key, ir.Constant):
        return None
    given = {p.name for p in function.parameters} - {"self", "cls"}
    named = given & set(names_in(key))
    kinds = options(graph.program.inference.type_of(key, function))
    if not named or any(isinstance(of, ClassRef | FunctionRef) for of in kinds):
        return None
    names = {of.name for of in kinds if isinstance(of, Instance)} - {"builtins.None"}
    if kinds and not names & _UNBOUNDED_KEYS and not isinstance(key, ir.JoinedStr):
        return None
    sent = any(_is_sent(name, function, graph) for name in named)
    return Confidence.FIRM if sent and kinds else Confidence.TENTATIVE


def _is_sent(name: str, function: Function, graph: AppGraph, depth: int = 0) -> bool:
    """A client chooses the value of the parameter: it is an input of an operation, or such an input is passed on."""
    for operation in graph.operations_running(function):
        if any(p.name == name and p.kind in _INPUTS for p in operation.all_parameters()):
            return True
    names = [p.name for p in function.parameters if p.name not in ("self", "cls")]
    if depth > _HOPS or name not in names:
        return False
    for site in graph.program.calls.callers(function):
        passed = argument(site.node, names.index(name), name)
        if passed is not None and isinstance(site.scope, Function):
            given = {p.name for p in site.scope.parameters} & set(names_in(passed))
            if any(_is_sent(each, site.scope, graph, depth + 1) for each in given):
                return True
    return False


def _finding(
    container: _Container, site: Site, function: Function, confidence: Confidence, graph: AppGraph
) -> Finding:
    name = f"{container.owner.name}.{container.name}" if container.owner is not None else container.name
    return rule.at(
        site,
        f"`{function.name}` adds to `{name}` for every new value that a request brings, and nothing ever removes an entry.",
        f"Bound it, in size and in time:\n```python\nfrom cachetools import TTLCache\n\n"
        f"{container.name} = TTLCache(maxsize=10_000, ttl=300)\n```\nor keep it in Redis with an expiry.",
        reasoning=f"`{name}` is made once for the process, and no code of its module deletes from it, replaces it or looks at "
        "its length.",
        exploit=f"A client sends {first_route(graph.entries(function), function.name)} with ever new values until the process "
        f"runs out of memory: `{name}` keeps each of them.",
        confidence=confidence,
        trace=steps((container.location, f"{name} is made here"), (site, f"{function.name} adds to it")),
        routes=routes_of(graph.entries(function)),
        context=Context(stops_process=True, reads=False),
        impact=1.0,
    )


# ── caches without a size ───────────────────────────────────────────────────────────────────────────────────


@rule.check(per=AppGraph)
def cached_without_a_size(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for module in graph.program.mentioning("lru_cache", "cache"):
        for function in all_functions(module) if module.kind == "source" else ():
            yield from _cached_without_a_size(function, graph)


def _cached_without_a_size(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if not function.node.decorators:
        return
    if not any(_is_unlimited(each, function, graph) for each in function.node.decorators):
        return
    given = [p for p in function.parameters if p.name not in ("self", "cls")]
    various = [p for p in given if _is_various(p, function, graph) and _is_sent(p.name, function, graph)]
    if not various:
        return
    names = ", ".join(f"`{p.name}`" for p in various)
    yield rule.at(
        function,
        f"`{function.name}` keeps every result for every {names} that a request brings: its cache has no size.",
        f"Give the cache a size:\n```python\n@lru_cache(maxsize=1024)\n{definition(graph, function)}\n```",
        reasoning="`cache` and `lru_cache(maxsize=None)` never forget; the process keeps arguments and results until it ends.",
        exploit=f"A client sends {first_route(graph.entries(function), function.name)} with ever new values of {names} until the "
        "process runs out of memory.",
        confidence=Confidence.FIRM,
        context=Context(stops_process=True, reads=False),
        routes=routes_of(graph.entries(function)),
        impact=1.0,
    )


def _is_unlimited(decorator: ir.Expr, function: Function, graph: AppGraph) -> bool:
    name = last_name(decorator.func if isinstance(decorator, ir.Call) else decorator)
    if name == "cache":
        return not isinstance(decorator, ir.Call) and "functools" in _package(decorator, function, graph)
    if name != "lru_cache" or not isinstance(decorator, ir.Call):
        return False
    size = argument(decorator, 0, "maxsize")
    return isinstance(size, ir.Constant) and size.kind == "none"


def _package(expr: ir.Expr, function: Function, graph: AppGraph) -> str:
    found = options(graph.program.inference.type_of(expr, function.parent or function.module))
    return " ".join(str(getattr(of, "name", "")) for of in found)


def _is_various(param: ir.Param, function: Function, graph: AppGraph) -> bool:
    kinds = options(graph.program.inference.annotation(param.annotation, function.parent or function.module))
    return any(isinstance(of, Instance) and of.name in _UNBOUNDED_KEYS for of in kinds)


rule.bad = """
    from fastapi import FastAPI

    app = FastAPI()
    seen: dict[str, int] = {}


    @app.get("/search")
    def search(q: str) -> int:
        seen[q] = seen.get(q, 0) + 1  # finding: unbounded-in-memory-growth
        return seen[q]
"""

rule.good = """
    from collections import OrderedDict

    from fastapi import FastAPI

    app = FastAPI()
    seen: OrderedDict[str, int] = OrderedDict()


    @app.get("/search")
    def search(q: str) -> int:
        seen[q] = seen.get(q, 0) + 1
        if len(seen) > 100:
            seen.popitem(last=False)
        return seen.get(q, 0)
"""


@rule.exploit
def every_word_stays(proof: Proof) -> None:
    """A client asks for ever new words, and the process keeps every one of them."""
    for number in range(150):
        assert proof.client.get("/search", params={"q": f"word {number}"}).status_code == 200
    assert len(proof.module("main").seen) == 150
