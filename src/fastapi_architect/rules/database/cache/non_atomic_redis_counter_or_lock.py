"""A counter or lock in Redis takes two commands, and something can happen between them.

`INCR` and then `EXPIRE`: when the process dies between the two, the counter never expires, and the client it counts is
locked out for ever. `SETNX` and then `EXPIRE`, or a lock without expiry, is held for ever in the same way. `GET`, add,
`SET` loses one of two increments that come at the same time. One command, or one transaction, has no between.

Known limits: the two commands are looked for in one function. A counter whose key holds the time is minor: the next stretch of
time has a key of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.program.facts import Context as FactContext
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Scope,
    Severity,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A Redis counter or lock is not atomic",
    severity=Severity.IMPORTANT,
    cwe=362,
    cvss="AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:L",
    references=(
        "https://redis.io/docs/latest/commands/incr/#pattern-rate-limiter",
        "https://redis.io/docs/latest/commands/set/#patterns",
    ),
    requires=("redis",),
)

_COUNTS = ("incr", "incrby", "incrbyfloat", "decr", "decrby")
_CHOOSING = ("if", "else", "case", "handler", "try-else", "loop")
#: Calls that read the clock: whose answer stands in a key, that key is another one a while later.
_CLOCKS = ("time", "now", "utcnow", "today", "monotonic", "timestamp", "strftime")
_DEPTH = 4
_EXPIRES = ("expire", "pexpire", "expireat", "pexpireat")


@rule.check(per=Function, having=(RedisCommand,))
def two_commands(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source":
        return
    commands = [c for c in graph.within(RedisCommand, function) if not c.pipelined and c.key is not None]
    names = {c.command for c in commands}
    counted = not names.isdisjoint(_COUNTS) and not names.isdisjoint(_EXPIRES)
    if not (counted or "setnx" in names or ("get" in names and not names.isdisjoint(("set", "setex")))):
        return
    for command in commands:
        found = _mistake(command, commands, graph)
        if found is not None:
            second, problem, advice = found
            yield _finding(command, second, (problem, advice), graph)


def _text(expr: ir.Expr | None, command: RedisCommand, graph: AppGraph) -> str:
    return text_at(graph, command.scope.location(expr)) if expr is not None else ""


def _mistake(
    command: RedisCommand, commands: list[RedisCommand], graph: AppGraph
) -> tuple[RedisCommand | None, str, str] | None:
    key = _text(command.key, command, graph)
    client = _text(command.client, command, graph)
    wait = "await " if command.is_async else ""
    same = [c for c in commands if c is not command and _text(c.key, c, graph) == key]
    behind = [c for c in same if c.node.span > command.node.span]
    expiry = next((c for c in behind if c.command in _EXPIRES), None)
    if (
        command.command in _COUNTS
        and expiry is not None
        and not any(c.command in ("set", "ttl", "persist") for c in same)
    ):
        if _follows_always(command, expiry):
            return None  # a lost expiry is made up for by the next request
        problem = "counts, and the expiry is a second command: when it is lost, the counter never ends"
        return (
            expiry,
            problem,
            f"{wait}{client}.set({key}, 0, ex=60, nx=True)\ncount = {wait}{client}.incr({key})",
        )
    if command.command == "setnx":
        problem = (
            "takes a lock, and its expiry is a second command"
            if expiry is not None
            else "takes a lock that never expires"
        )
        taken = f"taken = {wait}{client}.set({key}, token, nx=True, ex=30)"
        return expiry, f"{problem}: a process that dies holds it for ever", taken
    return _read_and_written(command, behind, key, f"{wait}{client}", graph)


def _follows_always(command: RedisCommand, expiry: RedisCommand) -> bool:
    """Whoever counts sends the expiry, too: in the same branches, and nothing leaves the function between the two."""
    assert command.function is not None
    around = {id(c.node) for c in command.site.context}
    if any(
        c.role in _CHOOSING and id(c.node) not in around and not _is_asked_for(c, command.function)
        for c in expiry.site.context
    ):
        return False
    facts = command.function.facts
    leaving = (*facts.sites(ir.Return), *facts.sites(ir.Raise))
    return not any(command.node.span < site.node.span < expiry.node.span for site in leaving)


def _is_asked_for(context: FactContext, function: Function) -> bool:
    """`if expiration:`, where the parameter has a time for its default: every count of this key renews the end."""
    test = context.node.test if isinstance(context.node, ir.If | ir.Branch) else None
    if context.role != "if" or not isinstance(test, ir.Name):
        return False
    parameter = function.parameter(test.id)
    default = parameter.default if parameter is not None else None
    rebound = len(function.facts.bindings.get(test.id, ())) != 1
    return isinstance(default, ir.Constant) and bool(default.value) and default.kind != "none" and not rebound


def _read_and_written(
    command: RedisCommand, behind: list[RedisCommand], key: str, client: str, graph: AppGraph
) -> tuple[RedisCommand, str, str] | None:
    """`count = get(key)` and then `set(key, int(count) + 1)`."""
    statement = command.site.statement
    if (
        command.command != "get"
        or not isinstance(statement, ir.Assign)
        or not isinstance(statement.targets[0], ir.Name)
    ):
        return None
    name = statement.targets[0].id
    for other in behind:
        if other.command not in ("set", "setex") or len(other.args) < 2:
            continue
        value, _ = graph.program.inference.expand(other.args[-1], other.scope)
        sums = [n for n in walk(value) if isinstance(n, ir.BinOp) and n.op in ("+", "-")]
        if any(isinstance(n, ir.Name) and n.id == name for total in sums for n in walk(total)):
            problem = "is read, changed and written back: of two requests at the same time one is not counted"
            return other, problem, f"count = {client}.incr({key})"
    return None


def _finding(
    command: RedisCommand, second: RedisCommand | None, what: tuple[str, str], graph: AppGraph
) -> Finding:
    problem, advice = what
    operations = graph.entries(command.function) if command.function is not None else ()
    key = _text(command.key, command, graph)
    sure = command.sure and bool(operations)
    found = rule.at(
        command,
        f"The key `{key}` {problem}.",
        f"Do it in one command, or in one transaction:\n```python\n{advice}\n```",
        reasoning="Between two commands another client may be served, and this process may be stopped.",
        exploit=f"The process stops between the two commands on `{key}`, or another one comes between: {problem.rpartition(': ')[2]}.",
        confidence=Confidence.FIRM if sure else Confidence.TENTATIVE,
        trace=steps((second, "the second command")) if second is not None else (),
        routes=routes_of(operations),
        context=Context(hard=True),
    )
    if command.command in _COUNTS and _holds_a_window(command):
        return replace(found, severity=Severity.MINOR)
    return found


def _holds_a_window(command: RedisCommand) -> bool:
    """The key names its stretch of time, such as `{now // 60}`: one that never ends takes room, but counts nobody any more."""
    parts = _behind(command.key, command.scope, 0)
    return any(isinstance(node, ir.Call) and last_name(node.func) in _CLOCKS for node in parts)


def _behind(expr: ir.Expr | None, scope: Scope, depth: int) -> Iterator[ir.Node]:
    """The parts of an expression, and of what its names were assigned."""
    for node in walk(expr):
        yield node
        if isinstance(node, ir.Name) and depth < _DEPTH:
            for binding in scope.facts.bindings.get(node.id, ()):
                if binding.kind in ("assign", "annotated") and not binding.path:
                    yield from _behind(binding.value, scope, depth + 1)


rule.bad = """
    from fastapi import FastAPI, HTTPException
    from redis import Redis

    app = FastAPI()
    redis = Redis(decode_responses=True)


    @app.post("/login/{user}")
    def login(user: str) -> None:
        attempts = redis.incr(f"attempts:{user}")  # finding: non-atomic-redis-counter-or-lock
        if attempts == 1:
            redis.expire(f"attempts:{user}", 60)
        if attempts > 5:
            raise HTTPException(429, "wait a minute")
"""

rule.good = """
    from fastapi import FastAPI, HTTPException
    from redis import Redis

    app = FastAPI()
    redis = Redis(decode_responses=True)


    @app.post("/login/{user}")
    def login(user: str) -> None:
        redis.set(f"attempts:{user}", 0, ex=60, nx=True)
        attempts = redis.incr(f"attempts:{user}")
        if attempts > 5:
            raise HTTPException(429, "wait a minute")
"""


@rule.exploit
def the_user_is_locked_out_for_ever(proof: Proof) -> None:
    """The process is stopped before EXPIRE is sent: the counter of attempts has no end."""
    redis = proof.module("main").redis

    def stopped(*_: object, **__: object) -> None:
        raise ConnectionError("the process was stopped here")

    redis.expire = stopped
    proof.client.post("/login/ann")
    assert proof.redis.ttl("attempts:ann") is None
