"""A request fails because a cache does not answer, although the cache only saves it work.

What is read from Redis here can be worked out anew: the code does so whenever nothing is there. When Redis restarts or its
network is gone, the same requests are answered with 500, and an outage of the cache becomes one of the application.

Known limits: only caches that one body both reads and fills. Sessions, locks, counters and tokens, of which Redis is the only
keeper, are left alone, and so are clients whose calls stand in a `try`, in functions with decorators of one's own, or in an
application with a handler for Redis' exceptions. Other services than Redis are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.cache_keys import HOLE, CacheEvent, events
from fastapi_architect.analyses.caught_around import managers_around, tries_around
from fastapi_architect.analyses.names_behind import names_behind
from fastapi_architect.analyses.own_code import written
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A cache that does not answer fails the request",
    severity=Severity.MINOR,
    cwe=703,
    references=(
        "https://learn.microsoft.com/azure/architecture/patterns/cache-aside",
        "https://redis.io/docs/latest/develop/clients/redis-py/produsage/#error-handling",
    ),
    requires=("redis",),
)

_CATCHES = lazy_pattern(r"Redis|^(ConnectionError|TimeoutError|OSError|Exception|BaseException)$")
#: What is nowhere else, by its key.
_KEPT_ONLY_HERE = lazy_pattern(
    r"lock|count|fail|attempt|session|token|otp|captcha|secret|rsa|private|nonce|limit|(?<![a-z])job",
    re.IGNORECASE,
)
#: Decorators that leave what happens to an exception as it is.
_PLAIN = frozenset(
    {
        "staticmethod",
        "classmethod",
        "property",
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "api_route",
        "websocket",
    }
)


@rule.check(per=AppGraph)
def cache_that_has_to_answer(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_function: dict[int, list[CacheEvent]] = {}
    for event in events(graph):
        by_function.setdefault(id(event.function), []).append(event)
    if _answers_itself(graph):
        return
    for found in by_function.values():
        read = next((event for event in found if _is_saved_work(event, found)), None)
        if read is not None and not _is_survived(read, graph) and graph.entries(read.function):
            yield _finding(read, graph)


def _answers_itself(graph: AppGraph) -> bool:
    """Somebody has decided what clients are told when Redis is gone."""
    return any(
        handled.exception is not None and "redis" in written(graph, handled.scope, handled.exception).lower()
        for application in graph.applications
        for handled in application.exception_handlers
    )


def _is_saved_work(event: CacheEvent, found: list[CacheEvent]) -> bool:
    """It reads what the same body works out and keeps when nothing was there, and answers with either."""
    if event.kind != "read" or not event.key.strip(HOLE) or _KEPT_ONLY_HERE.search(event.key):
        return False
    name = _read_into(event)
    if not name or not any(name in names_behind(v, event.function) for v in _returned(event.function)):
        return False
    return any(
        other.kind == "set" and other.key == event.key and _is_made_without(name, other) for other in found
    )


def _read_into(event: CacheEvent) -> str:
    """The variable that holds what was read."""
    for name, bindings in event.function.facts.bindings.items():
        if any(node is event.site.node for b in bindings for node in walk(b.value)):
            return name
    return ""


def _returned(function: Function) -> list[ir.Expr | None]:
    return [site.node.value for site in function.facts.sites(ir.Return)]


def _is_made_without(name: str, event: CacheEvent) -> bool:
    """What is kept comes from a call, and not from what was read: no counter, flag or state that goes on."""
    function = event.function
    direct = {node.id for node in walk(event.value) if isinstance(node, ir.Name)}
    if name in direct:
        made = [b.value for b in function.facts.bindings.get(name, ())]
        return len([value for value in made if _is_call(value)]) > 1
    behind = names_behind(event.value, function)
    bindings = [b for n in behind for b in function.facts.bindings.get(n, ()) if b.kind != "parameter"]
    return name not in behind and any(_is_call(binding.value) for binding in bindings)


def _is_call(expr: ir.Expr | None) -> bool:
    return any(isinstance(node, ir.Call) for node in walk(expr))


def _is_survived(event: CacheEvent, graph: AppGraph) -> bool:
    """Around the command, or around what leads to it, somebody catches what Redis raises."""
    command = event.command.site
    if any(_survives(site) for site in (event.site, command)):
        return True
    if any(_is_wrapped(function) for function in (event.function, event.command.function)):
        return True
    callers = graph.program.calls.callers(event.function)
    return bool(callers) and all(_survives(site) for site in callers)


def _survives(site: Site) -> bool:
    for statement in tries_around(site):
        for handler in statement.handlers:
            caught = handler.type is None or any(
                _CATCHES.search(last_name(n)) for n in _classes(handler.type)
            )
            if caught and handler.body[-1].__class__ is not ir.Raise:
                return True
    return any(last_name(m.func) == "suppress" for m in managers_around(site) if isinstance(m, ir.Call))


def _classes(expr: ir.Expr) -> list[ir.Expr]:
    return expr.elts if isinstance(expr, ir.Sequence) else [expr]


def _is_wrapped(function: Function | None) -> bool:
    decorators = function.node.decorators if function is not None else []
    names = (last_name(d.func if isinstance(d, ir.Call) else d) for d in decorators)
    return any(name not in _PLAIN for name in names)


def _finding(read: CacheEvent, graph: AppGraph) -> Finding:
    operations = graph.entries(read.function)
    route = first_route(operations, read.function.name)
    call = written(graph, read.function, read.site.node)
    awaited = "await " if read.site.awaited else ""
    shown = call if len(call) < 80 and "\n" not in call else "cache.get(key)"
    return rule.at(
        read.site,
        f"{route} is answered with 500 when Redis does not answer, although {read.function.name} can do without it.",
        "Take a cache that fails for an empty one, and say so in the log; the same goes for filling it:\n"
        f"```python\ntry:\n    kept = {awaited}{shown}\nexcept RedisError:\n"
        '    logger.warning("The cache does not answer.", exc_info=True)\n    kept = None\n```',
        reasoning=f"{read.function.name} keeps under the same key what it works out when nothing is there, and nothing around the "
        "read catches what the client raises.",
        exploit=f"Stop Redis and send `{route.strip('`')}`: the answer is 500 instead of a slower 200.",
        confidence=Confidence.FIRM,
        trace=steps(
            (read.function, f"{read.function.name} runs for {route}"),
            (read.site, "what this raises ends the request"),
        ),
        routes=routes_of(operations),
        context=Context(),
    )


_HEAD = """
    import logging

    import redis
    from fastapi import FastAPI

    logger = logging.getLogger(__name__)
    cache = redis.Redis(decode_responses=True)
    app = FastAPI()

    def make_report() -> str:
        return "all is well"
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/report")
    def read_report() -> str:
        report = cache.get("report")  # finding: no-degradation-for-optional-dependency
        if report is None:
            report = make_report()
            cache.set("report", report, ex=60)
        return report
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/report")
    def read_report() -> str:
        try:
            report = cache.get("report")
        except redis.RedisError:
            logger.warning("The cache does not answer.", exc_info=True)
            return make_report()
        if report is None:
            report = make_report()
            cache.set("report", report, ex=60)
        return report
"""
)


@rule.symptom
def no_report_without_redis(proof: Proof) -> None:
    """With Redis out of reach the report, which could be made anew, is a 500."""
    import redis

    class Gone:
        def get(self, key: str) -> None:
            raise redis.ConnectionError(key)

    proof.module().cache = Gone()
    assert proof.client.get("/report").status_code == 500
