"""State of the service lives in one process, and the service is run in several.

A dictionary of sessions, a counter of attempts or a list of sockets at module level exists once in each
worker. A user who signed in at one is unknown to the next, a limit of five attempts becomes five for each
worker, and a message reaches those sockets only that happen to be connected to the same process.

Known limits: the number of workers is read from Dockerfiles, compose files, Kubernetes manifests whose containers name
their command, scripts and `uvicorn.run`; Helm templates are not rendered, and words in a README are not read. Values
kept to save work (caches) are left out, by their names. What stands in for Redis where there is none is tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.concepts.http import WebSocketSend
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Files,
    Finding,
    Function,
    Instance,
    Location,
    Module,
    Rule,
    Severity,
    Site,
    dotted_name,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "Sessions, limits or sockets are kept in one process while several serve",
    severity=Severity.IMPORTANT,
    cwe=662,
    references=(
        "https://fastapi.tiangolo.com/deployment/concepts/#replication-processes-and-memory",
        "https://fastapi.tiangolo.com/advanced/websockets/#handling-disconnections-and-multiple-clients",
    ),
)
rule.no_proof = "the effect needs several processes of one service, and a proof runs in one"

_STATE = lazy_pattern(
    r"session|token|attempt|limit|counter|count|hits|requests|jobs?|tasks?|status|progress|connection|clients?|socket|"
    r"room|subscri|lock|otp|code|nonce|blacklist|revoked|denylist|queue|online|users|players|games|state|store|db|orders|carts?",
    re.IGNORECASE,
)
_CACHE = lazy_pattern(
    r"cache|memo|registry|handlers|mapping|config|settings|schema|routes|plugins|models?$", re.IGNORECASE
)
_MUTABLE = frozenset(
    {"dict", "list", "set", "defaultdict", "Counter", "OrderedDict", "deque", "TTLCache", "LRUCache"}
)
_CHANGES = frozenset(
    {
        "append",
        "add",
        "pop",
        "update",
        "setdefault",
        "remove",
        "discard",
        "extend",
        "insert",
        "clear",
        "popitem",
        "appendleft",
    }
)


@rule.check(per=AppGraph)
def state_of_one_process(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    processes = graph.deployment.most_server_processes
    if processes is None or processes < 2:
        return
    for module in graph.program.modules.values():
        if module.kind == "source":
            for name, value in _containers(module):
                change = _change(module, name, graph)
                if change is not None and not _holds_tasks(module, name):
                    found = _finding(module, name, value, change, processes, graph)
                    spare = _stands_in_for_redis(module, name)
                    yield replace(found, confidence=Confidence.TENTATIVE) if spare else found
    yield from _managers(graph, processes)


def _containers(module: Module) -> Iterator[tuple[str, ir.Expr]]:
    """Names at module level that hold something that can change, and look like state."""
    for name, bindings in module.facts.bindings.items():
        value = bindings[-1].value
        if len(bindings) != 1 or bindings[0].kind not in ("assign", "annotated") or value is None:
            continue
        if _CACHE.search(name) or not _STATE.search(name) or name.isupper():
            continue
        if (value.__class__ in (ir.Dict, ir.Sequence) and not _is_filled(value)) or (
            isinstance(value, ir.Call) and last_name(value.func) in _MUTABLE
        ):
            yield name, value


def _is_filled(value: ir.Expr) -> bool:
    """A table with entries is written down to be read; a tuple never changes."""
    if isinstance(value, ir.Dict):
        return bool(value.keys)
    return isinstance(value, ir.Sequence) and (bool(value.elts) or value.kind == "tuple")


def _change(module: Module, name: str, graph: AppGraph) -> Site | None:
    """The first place in this module, in code that requests run, that changes the container."""
    for function in _functions(module):
        if name in function.facts.bindings and function.facts.is_global.get(name) != "global":
            continue
        site = _changing_site(function, name)
        if site is not None and graph.entries(function):
            return site
    return None


def _holds_tasks(module: Module, name: str) -> bool:
    """`task.add_done_callback(pending.discard)`: references that keep running tasks alive belong to their process."""
    return any(
        _base(argument.value) == name
        for function in _functions(module)
        for site in function.facts.calls_named("add_done_callback")
        for argument in site.node.args
        if isinstance(argument, ir.Attribute)
    )


def _stands_in_for_redis(module: Module, name: str) -> bool:
    """Functions that use the container ask for Redis first: it serves where there is one process and no Redis."""
    for function in _functions(module):
        sites = (*function.facts.sites(ir.If), *function.facts.sites(ir.IfExp))
        tested = (
            last_name(n) for s in sites for n in walk(s.node.test) if isinstance(n, ir.Name | ir.Attribute)
        )
        if not any("redis" in each.lower() for each in tested):
            continue
        named = (
            _base(s.node.value) for kind in (ir.Subscript, ir.Attribute) for s in function.facts.sites(kind)
        )
        if name in named:
            return True
    return False


def _functions(module: Module) -> Iterator[Function]:
    stack = [*module.functions, *(f for cls in module.classes for f in cls.functions)]
    while stack:
        function = stack.pop(0)
        yield function
        stack += function.functions


def _changing_site(function: Function, name: str) -> Site | None:
    for site in function.facts.calls:
        func = site.node.func
        if isinstance(func, ir.Attribute) and func.attr in _CHANGES and _base(func.value) == name:
            return site
    for kind in (ir.Assign, ir.AugAssign, ir.Delete):
        for site in function.facts.sites(kind):
            targets = getattr(site.node, "targets", None) or [getattr(site.node, "target", None)]
            if any(isinstance(t, ir.Subscript) and _base(t.value) == name for t in targets):
                return site
    return None


def _base(expr: ir.Expr) -> str:
    """`sessions` for `sessions[a][b]`."""
    while isinstance(expr, ir.Subscript):
        expr = expr.value
    return dotted_name(expr)


def _managers(graph: AppGraph, processes: int) -> Iterator[Finding]:
    """One object for the process that sends to the sockets it has collected."""
    seen: set[int] = set()
    for send in graph.facts(WebSocketSend):
        function = send.function
        if function is None or function.owner is None or not send.site.loops or id(function.owner) in seen:
            continue
        seen.add(id(function.owner))
        for site in graph.program.call_sites_named(function.owner.name):
            if site.scope.__class__ is Module and _makes(site, function.owner, graph):
                yield _finding_of_manager(site, function.owner, processes, graph)


def _makes(site: Site, cls: Class, graph: AppGraph) -> bool:
    of = graph.program.inference.type_of(site.node, site.scope)
    return any(isinstance(each, Instance) and each.cls is cls for each in options(of))


def _finding_of_manager(site: Site, cls: Class, processes: int, graph: AppGraph) -> Finding:
    return rule.at(
        site,
        f"`{cls.name}` keeps the sockets of one process, and {processes} processes serve: a broadcast "
        f"reaches only the clients "
        "of the process that sends it.",
        "Send through something that all processes hear, such as Redis:\n```python\n"
        "await redis.publish('messages', text)  # every process subscribes and sends to its own sockets\n```",
        reasoning=f"The deployment starts {processes} server processes; each creates a `{cls.name}` of its "
        f"own.",
        exploit=f"A message that `{cls.name}` sends reaches the clients of one process; the others never hear of it.",
        confidence=Confidence.FIRM,
        trace=steps((site, f"one {cls.name} for each process"), *_said(graph)),
    )


def _said(graph: AppGraph) -> list[tuple[Location, str]]:
    """Where the number of processes is written."""
    found = [c for c in graph.deployment.servers if (c.workers or 1) > 1]
    return [(command.location, f"{command.workers} workers are started") for command in found[:1]]


def _finding(
    module: Module, name: str, value: ir.Expr, change: Site, processes: int, graph: AppGraph
) -> Finding:
    function = change.scope
    assert isinstance(function, Function)
    operations = graph.entries(function)
    return rule.at(
        module.location(value),
        f"`{name}` is kept in one process and changed by requests in `{function.name}`, while {processes} "
        f"processes serve: each "
        "has its own.",
        f"Keep it where all processes see it, such as Redis or the database:\n```python\nawait "
        f"redis.hset('{name}', key, value)\n```",
        reasoning=f"The deployment starts {processes} server processes, and a request may reach any of them.",
        exploit=f"{first_route(operations, function.name)} changes `{name}` in one process, and the next request, "
        "which another one serves, sees the old value.",
        confidence=Confidence.FIRM,
        trace=steps(
            (module.location(value), f"{name} is made once in each process"),
            (change, f"{function.name} changes it"),
            *_said(graph),
        ),
        routes=routes_of(operations),
        symbol=module.full_name,
    )


rule.bad = Files(
    {
        "main.py": """
        import secrets

        from fastapi import FastAPI, HTTPException

        app = FastAPI()
        sessions: dict[str, str] = {}  # finding: process-local-state-with-many-workers


        @app.post("/login")
        def login(name: str) -> str:
            token = secrets.token_urlsafe()
            sessions[token] = name
            return token


        @app.get("/me")
        def me(token: str) -> str:
            if token not in sessions:
                raise HTTPException(401)
            return sessions[token]
    """,
        "Dockerfile": """
        FROM python:3.12-slim
        COPY . .
        CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--workers", "4"]
    """,
    }
)

rule.good = Files(
    {
        "main.py": """
        import secrets

        from fastapi import FastAPI, HTTPException
        from redis import Redis

        app = FastAPI()
        redis = Redis(host="redis", decode_responses=True)


        @app.post("/login")
        def login(name: str) -> str:
            token = secrets.token_urlsafe()
            redis.set(f"session:{token}", name, ex=3600)
            return token


        @app.get("/me")
        def me(token: str) -> str:
            name = redis.get(f"session:{token}")
            if name is None:
                raise HTTPException(401)
            return str(name)
    """,
        "Dockerfile": """
        FROM python:3.12-slim
        COPY . .
        CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--workers", "4"]
    """,
    }
)
