"""Which functions keep what they have read from the database, by a decorator, and for how long?

A cache keeps a result by the function's arguments. Where one of them is an object (a session, a service), every request
asks with a key of its own and nothing is ever found again: such caches keep nothing that could be stale.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.row_writes import models_read_by
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.cache import CacheDecorator
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.types import External, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Decorator to (keyword of the lifetime, keywords that make a key of one's own).
_DECORATORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "functools.lru_cache": ("", ()),
    "functools.cache": ("", ()),
    "async_lru.alru_cache": ("ttl", ()),
    "cachetools.cached": ("ttl", ("key",)),
    "cachetools.func.lru_cache": ("", ()),
    "cachetools.func.ttl_cache": ("ttl", ()),
    "aiocache.cached": ("ttl", ("key", "key_builder")),
    "aiocache.cached_stampede": ("ttl", ("key", "key_builder")),
    "fastapi_cache.decorator.cache": ("expire", ("key_builder",)),
}
#: Those that stand without a call, too.
_BARE = frozenset({"lru_cache", "cache", "alru_cache"})
#: Types whose values are the same key in every request.
_PLAIN = frozenset({
    "str", "int", "float", "bool", "bytes", "UUID", "UUID4", "date", "datetime", "Decimal", "EmailStr", "None", "Optional",
    "Union", "Literal", "list", "List", "tuple", "Tuple", "Sequence", "Annotated", "Query", "Path", "Header", "typing",
    "uuid",
})  # fmt: skip
#: What fastapi-cache leaves out of the key.
_LEFT_OUT = frozenset({"Request", "Response"})
_MAX_MODELS = 4


class CachedFunction(msgspec.Struct, frozen=True, eq=False):
    """A function whose results are kept.

    Attributes:
        function: the function.
        decorator: full name of the decorator.
        lifetime: seconds; None for ever, infinite when there is an end that is not known.
        namespace: of its keys, for fastapi-cache and aiocache.
        varies: there is a result for each set of arguments.
        models: models whose rows it reads.
        reached: identities of the functions that it runs, itself included.
    """

    function: Function
    decorator: str
    lifetime: float | None
    namespace: str
    varies: bool
    models: tuple[Model, ...]
    reached: frozenset[int]


class CachingDecorator(msgspec.Struct, frozen=True, eq=False):
    """A decorator that keeps the results of a function.

    Attributes:
        function: the function.
        expr: the decorator as written.
        name: its full name.
        key: a key or a maker of keys of one's own that is given to it; None when it makes them itself.
        has_own_keys: by `key`, or by a maker of keys that was given once for all.
        is_found_again: its arguments are plain values, so that the next request asks with the same key.
    """

    function: Function
    expr: ir.Expr
    name: str
    key: ir.Expr | None
    has_own_keys: bool
    is_found_again: bool


@question
def caching_decorators(graph: AppGraph) -> tuple[CachingDecorator, ...]:
    """Every caching decorator of the application's own code, in order of files."""
    return tuple(_decorators(graph))


def _decorators(graph: AppGraph) -> Iterator[CachingDecorator]:
    called = {id(c.node) for c in graph.facts(CacheDecorator)}
    modules = {c.scope.module for c in graph.facts(CacheDecorator)}.union(graph.program.mentioning(*_BARE))
    for function in graph.program.functions if modules else ():
        decorators = function.node.decorators
        is_own = decorators and function.module in modules and function.module.kind == "source"
        for decorator in decorators if is_own else ():
            if id(decorator) in called or last_name(decorator) in _BARE:
                name = _name(decorator, function, graph)
                if name:
                    yield _decorator(function, decorator, name, graph)


def _decorator(function: Function, expr: ir.Expr, name: str, graph: AppGraph) -> CachingDecorator:
    call = expr if isinstance(expr, ir.Call) else None
    key = next((k.value for k in call.keywords if k.arg in _DECORATORS[name][1]), None) if call else None
    has_key = key is not None or (
        name.startswith("fastapi_cache") and _initialised_with("key_builder", graph)
    )
    varying = [p for p in function.parameters if not _names(p) & _LEFT_OUT]
    return CachingDecorator(function, expr, name, key, has_key, has_key or all(_is_plain(p) for p in varying))


def cached_functions(graph: AppGraph) -> Iterator[CachedFunction]:
    """Functions that keep rows, in order of files."""
    entered: set[int] = set()
    for decorator in caching_decorators(graph):
        made = _cached(decorator, graph) if id(decorator.function) not in entered else None
        if made is not None:
            entered.add(id(decorator.function))
            yield made


def _name(decorator: ir.Expr, function: Function, graph: AppGraph) -> str:
    """Full name of a caching decorator, "" for another one."""
    expr = decorator.func if isinstance(decorator, ir.Call) else decorator
    for of in options(graph.program.inference.type_of(expr, function.parent or function.module)):
        if isinstance(of, External) and of.name in _DECORATORS:
            return of.name
    return ""


def _cached(decorator: CachingDecorator, graph: AppGraph) -> CachedFunction | None:
    if not decorator.is_found_again:
        return None
    function, name = decorator.function, decorator.name
    lifetime = _DECORATORS[name][0]
    call = decorator.expr if isinstance(decorator.expr, ir.Call) else None
    given = {k.arg for k in call.keywords} if call is not None else set()
    varying = [p for p in function.parameters if not _names(p) & _LEFT_OUT]
    reached, complete = effects(graph).reached([function])
    models = {model.name: model for each in reached for model in models_read_by(each, graph)}
    if not models or not complete or len(models) > _MAX_MODELS:
        return None
    scope = function.parent or function.module
    namespace = graph.program.constants.value(argument(call, None, "namespace"), scope) if call else ""
    return CachedFunction(
        function,
        name,
        _lifetime(call, lifetime, scope, graph),
        namespace if isinstance(namespace, str) else "",
        bool(varying) and "key" not in given,
        tuple(models.values()),
        frozenset(id(each) for each in reached),
    )


def _names(parameter: ir.Param) -> set[str]:
    return {
        last_name(node) for node in walk(parameter.annotation) if isinstance(node, ir.Name | ir.Attribute)
    }


def _is_plain(parameter: ir.Param) -> bool:
    """A value, as far as it says; `self` and what comes from `Depends` is none."""
    if parameter.name in ("self", "cls", "db", "session") or parameter.kind in ("vararg", "kwarg"):
        return False
    default = parameter.default
    if isinstance(default, ir.Call) and last_name(default.func) in ("Depends", "Security"):
        return False
    return _names(parameter) <= _PLAIN


def _initialised_with(keyword: str, graph: AppGraph) -> bool:
    """`FastAPICache.init(..., key_builder=...)`: said once for all of its decorators."""
    return any(
        argument(site.node, None, keyword) is not None
        for site in graph.program.call_sites_named("init")
        if isinstance(site.node.func, ir.Attribute) and last_name(site.node.func.value) == "FastAPICache"
    )


def _lifetime(call: ir.Call | None, keyword: str, scope: Scope, graph: AppGraph) -> float | None:
    given = argument(call, 0 if keyword == "expire" else None, keyword) if call and keyword else None
    store = argument(call, 0, "cache") if call and keyword == "ttl" else None
    if given is None and store is not None:
        made, scope = graph.program.inference.expand(store, scope)
        if isinstance(made, ir.Call) and last_name(made.func) == "TTLCache":
            given = argument(made, 1, "ttl")
    if given is None:
        return float("inf") if keyword == "expire" and _initialised_with("expire", graph) else None
    value = graph.program.constants.value(given, scope)
    if value is None:
        return None
    return float(value) if isinstance(value, int | float) else float("inf")
