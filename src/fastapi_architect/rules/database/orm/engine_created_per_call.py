"""A database engine, with its pool, is made anew for each request or task.

An engine is a pool of connections and is made once in a process. Made inside a request it opens connections for that one
request and leaves them in a pool that nobody uses again: each request pays for a new connection, and the database runs
out of them long before the garbage collector has closed the old ones.

Known limits: an engine whose address comes from the request's own data (a connection test) is left alone. An engine that a
`finally` disposes of, or that belongs to an event loop of its own (`asyncio.run`), is tentative; one of which both are true
is left alone. One that only administrators' operations make is minor and tentative: they are asked for now and then.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.analyses.per_request import is_kept, per_request
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.concepts.database import EngineCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    dotted_name,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A database engine is created for each call",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=(
        "https://docs.sqlalchemy.org/en/20/core/connections.html#basic-usage",
        "https://docs.sqlalchemy.org/en/20/core/pooling.html",
    ),
    requires=("sqlalchemy",),
)

_CACHES = (
    "lru_cache",
    "cache",
    "cached",
    "alru_cache",
    "cached_property",
    "singleton",
    "fixture",
    "asynccontextmanager",
)


@rule.check(per=EngineCreation)
def made_in_a_call(creation: EngineCreation, graph: AppGraph) -> Iterator[Finding]:
    function = creation.function
    if (
        function is None
        or function.module.kind != "source"
        or _is_kept(creation, function)
        or _from_caller(creation, function)
        or (_is_disposed(creation, function) and _has_own_loop(function, graph))
    ):
        return
    ways = per_request(function, graph)
    operations = ways.operations if ways is not None else ()
    caller = routes_of(operations)[0] if operations else _task(function, graph)
    if not operations and _is_kept_by_callers(function, graph):
        return
    if not caller or (
        not operations and last_name(creation.option("poolclass") or creation.node) == "NullPool"
    ):
        return
    thing = "pool of connections" if creation.kind == "pool" else "engine with its own pool of connections"
    made = dotted_name(creation.node.func) or "create_engine"
    awaited = "await " if creation.site.awaited else ""
    where = (
        "in the application's lifespan" if awaited else "once, in the module that all others import it from"
    )
    target = "pool" if creation.kind == "pool" else "engine"
    finding = rule.at(
        creation,
        f"Each {caller} makes an {thing}.".replace("an pool", "a pool"),
        f"Make it {where}:\n```python\n{target} = {made}(database_url, ...)\n```\nand use `{target}` in `{function.name}`.",
        reasoning=f"`{function.name}` runs once a call and nothing keeps what `{last_name(creation.node.func)}` "
        "returns: n calls open n pools.",
        exploit=f"Three calls of {caller} leave three pools behind, and the database refuses connections when there are enough of them.",
        confidence=_confidence(creation, function, bool(operations), graph),
        trace=steps(*((o, f"{o.names[0]} leads here") for o in operations[:3])),
        routes=routes_of(operations),
    )
    seldom = bool(operations) and all(is_for_administrators(o, graph) for o in operations)
    yield (replace(finding, severity=Severity.MINOR, confidence=Confidence.TENTATIVE) if seldom else finding)


def _confidence(creation: EngineCreation, function: Function, requested: bool, graph: AppGraph) -> Confidence:
    if _is_disposed(creation, function) or _has_own_loop(function, graph):
        return Confidence.TENTATIVE
    return Confidence.CERTAIN if creation.sure and requested else Confidence.FIRM


def _is_disposed(creation: EngineCreation, function: Function) -> bool:
    """A `finally` closes the connections of this engine: none is left in a pool."""
    statement = creation.site.statement
    if not isinstance(statement, ir.Assign) or not isinstance(statement.targets[0], ir.Name):
        return False
    name = statement.targets[0].id
    return any(
        isinstance(site.node.func, ir.Attribute)
        and last_name(site.node.func.value) == name
        and site.context.inside("finally") is not None
        for site in function.facts.calls_named("dispose")
    )


def _has_own_loop(function: Function, graph: AppGraph) -> bool:
    """`asyncio.run(function(...))` in the same module: engines of the application's loop do not serve there."""
    if not function.is_async:
        return False
    return any(
        isinstance(started, ir.Call) and last_name(started.func) == function.name
        for scope in graph.program.scopes_calling("run")
        if scope.module is function.module
        for site in scope.facts.calls_named("run")
        if dotted_name(site.node.func) == "asyncio.run"
        for started in site.node.args[:1]
    )


def _is_kept(creation: EngineCreation, function: Function) -> bool:
    """It is made once after all: behind a cache, or stored where the next call finds it."""
    if any(function.has_decorator(name) for name in _CACHES) or function.facts.is_global:
        return True
    statement = creation.site.statement
    if isinstance(statement, ir.Assign):
        first = statement.targets[0]
        if isinstance(first, ir.Subscript):
            return True
        if isinstance(first, ir.Attribute) and function.name != "__init__":
            return True
        name = last_name(first)
        stored = (s.node for s in function.facts.sites(ir.Assign))
        if any(last_name(s.value) == name and not isinstance(s.targets[0], ir.Name) for s in stored):
            return True
    owner = function.owner
    return owner is not None and (
        "__new__" in owner.methods or any("_instance" in name for name in owner.facts.bindings)
    )


def _from_caller(creation: EngineCreation, function: Function) -> bool:
    """The address comes from the caller, so that there is no one engine that would do."""
    pending = [creation.url] if creation.url is not None else []
    seen: set[str] = set()
    while pending:
        for node in walk(pending.pop()):
            if not isinstance(node, ir.Name) or node.id in seen:
                continue
            seen.add(node.id)
            for binding in function.facts.bindings.get(node.id, ()):
                if binding.kind in ("parameter", "loop", "with"):
                    return True
                if binding.value is not None:
                    pending.append(binding.value)
    return False


def _is_kept_by_callers(function: Function, graph: AppGraph) -> bool:
    """`if _engines is None: _engines = Engines()`: whoever runs it, it runs once."""
    sites = [s for s in event_loop(graph).callers.sites(function) if s.scope.module.kind == "source"]
    return bool(sites) and all(is_kept(site) for site in sites)


def _task(function: Function, graph: AppGraph) -> str:
    """The task that runs a function, "" when none does."""
    reader = effects(graph)
    for task in graph.tasks:
        if function is task.function or function in reader.reached([task.function])[0]:
            return f"run of the task `{task.function.name}`"
    return ""


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    app = FastAPI()
    DATABASE_URL = "sqlite:///shop.db"


    @app.get("/ready")
    def is_ready() -> bool:
        engine = create_engine(DATABASE_URL)  # finding: engine-created-per-call
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1
"""

rule.good = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, text

    app = FastAPI()
    DATABASE_URL = "sqlite:///shop.db"
    engine = create_engine(DATABASE_URL)


    @app.get("/ready")
    def is_ready() -> bool:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 1")) == 1
"""


@rule.exploit
def three_requests_make_three_pools(proof: Proof) -> None:
    """Three requests leave three engines behind, each with a pool of its own."""
    for _ in range(3):
        assert proof.client.get("/ready").json() is True
    assert len(proof.engines) == 3
