"""A caching decorator for functions stands on a coroutine function.

`lru_cache` keeps what the call gives, and an `async def` gives a coroutine, which can be awaited once. The
first request is answered; every later one with the same arguments fails with "cannot reuse already awaited
coroutine".

Known limits: caches made for coroutines (async-lru, aiocache, fastapi-cache) are well; caches of your own are
not looked into.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.own_code import definition
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    options,
    steps,
)

rule = Rule(
    __name__,
    "A cache keeps a coroutine, which can be awaited only once",
    severity=Severity.IMPORTANT,
    cwe=670,
    references=(
        "https://docs.python.org/3/library/functools.html#functools.lru_cache",
        "https://pypi.org/project/async-lru/",
    ),
)

_CACHES = frozenset(
    {
        "functools.lru_cache",
        "functools.cache",
        "functools.cached_property",
        "cachetools.cached",
        "cachetools.cachedmethod",
        "cachetools.func.ttl_cache",
        "cachetools.func.lru_cache",
        "cachetools.func.lfu_cache",
    }
)
_LAST_NAMES = frozenset(name.rpartition(".")[2] for name in _CACHES)


@rule.check(per=AppGraph)
def cache_on_a_coroutine_function(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for function in graph.program.functions:
        if function.is_async and not function.is_generator and function.module.kind == "source":
            for decorator in function.node.decorators:
                cache = _cache(decorator, function, graph)
                if cache:
                    yield _finding(function, cache, graph)
                    break


def _cache(decorator: ir.Expr, function: Function, graph: AppGraph) -> str:
    """Dotted name of a cache that keeps coroutines as they are, or ""."""
    expr = decorator.func if decorator.__class__ is ir.Call else decorator
    if last_name(expr) not in _LAST_NAMES:
        return ""
    for of in options(graph.program.inference.type_of(expr, function.parent or function.module)):
        name = getattr(of, "name", "").removesuffix("()")
        if name in _CACHES:
            return name
    return ""


def _finding(function: Function, cache: str, graph: AppGraph) -> Finding:
    name = function.name
    return rule.at(
        function,
        f"`{name}` is a coroutine function and `{cache}` keeps its coroutine: the second call with the same "
        f"arguments raises "
        "RuntimeError.",
        f"Keep the result, not the coroutine, for example with `async-lru`:\n```python\nfrom async_lru "
        f"import alru_cache\n\n\n"
        f"# Bad: @{cache.rpartition('.')[2]}\n# Good\n@alru_cache(maxsize=128)\n{definition(graph, function)}\n```",
        reasoning=f"`{cache}` stores the return value of the call; the return value of an `async def` is a "
        f"coroutine that is used up "
        "by the first `await`.",
        exploit=f"The first call of `{name}` is answered, and the second one with the same arguments raises RuntimeError.",
        confidence=Confidence.CERTAIN,
        trace=steps((function, f"{name} is declared with async def under {cache}")),
    )


rule.bad = """
    from functools import lru_cache

    from fastapi import FastAPI

    app = FastAPI()


    @lru_cache(maxsize=16)
    async def tax_rate(country: str) -> float:  # finding: cache-decorator-on-coroutine
        return 0.19 if country == "DE" else 0.2


    @app.get("/tax-rates/{country}")
    async def read_tax_rate(country: str) -> float:
        return await tax_rate(country)
"""

rule.good = """
    from functools import lru_cache

    from fastapi import FastAPI

    app = FastAPI()


    @lru_cache(maxsize=16)
    def tax_rate(country: str) -> float:
        return 0.19 if country == "DE" else 0.2


    @app.get("/tax-rates/{country}")
    async def read_tax_rate(country: str) -> float:
        return tax_rate(country)
"""


@rule.symptom
def the_second_request_fails(proof: Proof) -> None:
    """The first request is answered, the second one of the same kind with 500."""
    assert proof.client.get("/tax-rates/DE").status_code == 200
    assert proof.client.get("/tax-rates/DE").status_code == 500
