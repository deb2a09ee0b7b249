"""A request makes Redis walk through every key.

`KEYS` reads the whole keyspace, and Redis serves one command at a time: while it searches millions of keys, every other
client of that server waits. `FLUSHDB` and `FLUSHALL` also throw away what others keep there: sessions, locks, queues.
`SCAN` goes through the keys in small steps.

Known limits: sets and lists that grow without bound are reported tentatively, as their size is not known. It is minor where
administrators, or whoever clears the cache or looks into it, ask for it: seldom, and not many at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.analyses.switched_off import is_without_argument
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A request makes Redis walk through every key",
    severity=Severity.IMPORTANT,
    cwe=400,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
    references=("https://redis.io/docs/latest/commands/keys/", "https://redis.io/docs/latest/commands/scan/"),
    requires=("redis",),
)

_MAINTENANCE = lazy_pattern(
    r"(^|[/_-])(cache|caches|clear|flush|purge|refresh|monitor|monitoring|reset|reload|debug|stats)([/_-]|$|[A-Z])"
)
_WHOLE = frozenset({"keys", "flushdb", "flushall"})


@rule.check(per=RedisCommand)
def keyspace_command(command: RedisCommand, graph: AppGraph) -> Iterator[Finding]:
    function = command.function
    wanted = command.command in _WHOLE or _whole_list(command)
    if not wanted or function is None or function.module.kind != "source":
        return
    operations = graph.entries(function)
    if command.command in _WHOLE and _is_never_asked_for(command, function, graph):
        return
    if not operations or (_is_of_one(command) and _expires(command, graph)):
        return
    found = rule.at(
        command,
        f"`{command.command.upper()}` {_effect(command)}: all other clients of this Redis wait for {operations[0].names[0]}.",
        _advice(command, graph),
        reasoning="Redis runs commands one after the other; this one takes time in proportion to the data.",
        exploit=f"A client sends `{operations[0].names[0]}`, and Redis answers nobody else until `{command.command.upper()}` is done.",
        confidence=_confidence(command),
        trace=steps((operations[0], f"{operations[0].names[0]} leads here")),
        fix=_fix(command, graph),
        routes=routes_of(operations),
        context=Context(writes=False),
        impact=float(len(operations)),
    )
    seldom = _is_of_one(command) or all(_maintains(each, graph) for each in operations)
    yield replace(found, severity=Severity.MINOR) if seldom else found


def _maintains(operation: PathOperation, graph: AppGraph) -> bool:
    """Administrators, and whoever clears or looks into the cache, ask for it: seldom, and not many at once."""
    handler = operation.handler_name.rpartition(".")[2]
    return is_for_administrators(operation, graph) or any(
        _MAINTENANCE.search(text) for text in (operation.path, handler)
    )


def _is_never_asked_for(command: RedisCommand, function: Function, graph: AppGraph) -> bool:
    """Every call leaves the branch with the command out: `if region:` removes one region, `else` everything."""
    calls = graph.program.calls.callers(function)
    return bool(calls) and all(is_without_argument(command.site, call) for call in calls)


def _is_of_one(command: RedisCommand) -> bool:
    """One collection for each user or thing, by a key that names it: as large as what belongs to that one."""
    return command.command not in _WHOLE and _key_of_one(command.key, command) is not None


def _key_of_one(key: ir.Expr | None, command: RedisCommand) -> ir.JoinedStr | None:
    if isinstance(key, ir.Name):
        bindings = command.scope.facts.bindings.get(key.id, ())
        key = bindings[0].value if len(bindings) == 1 else None
    return key if isinstance(key, ir.JoinedStr) else None


def _expires(command: RedisCommand, graph: AppGraph) -> bool:
    """The module gives keys of the same form an end."""
    pattern = _form(_key_of_one(command.key, command))
    return any(
        other.command in ("expire", "pexpire", "expireat", "pexpireat")
        and _form(_key_of_one(other.key, other)) == pattern
        for function in all_functions(command.scope.module)
        for other in graph.within(RedisCommand, function)
    )


def _form(key: ir.JoinedStr | None) -> tuple[str, ...] | None:
    """The texts between the values of a key: `user:`, `:cart`."""
    if key is None:
        return None
    return tuple(
        str(part.value) for part in walk(key) if isinstance(part, ir.Constant) and part.kind == "str"
    )


def _whole_list(command: RedisCommand) -> bool:
    if command.command == "lrange" and len(command.args) == 3:
        end = command.args[2]
        return isinstance(end, ir.UnaryOp) and end.op == "-" and getattr(end.operand, "value", 0) == 1
    return command.command in ("smembers", "sort")


def _effect(command: RedisCommand) -> str:
    if command.command in ("flushdb", "flushall"):
        return "removes every key, of whatever feature"
    return "walks through every key" if command.command == "keys" else "reads the whole collection"


def _confidence(command: RedisCommand) -> Confidence:
    if command.command not in _WHOLE:
        return Confidence.TENTATIVE
    return Confidence.CERTAIN if command.sure else Confidence.FIRM


def _advice(command: RedisCommand, graph: AppGraph) -> str:
    client = text_at(graph, command.scope.location(command.client)) if command.client is not None else "redis"
    pattern = text_at(graph, command.scope.location(command.key)) if command.key is not None else '"*"'
    if command.command == "keys":
        step = "async for" if command.is_async else "for"
        return (
            "Go through the keys in steps:\n```python\n"
            f"keys = [key {step} key in {client}.scan_iter(match={pattern}, count=1000)]\n```"
        )
    if command.command in ("flushdb", "flushall"):
        step = "async for" if command.is_async else "for"
        wait = "await " if command.is_async else ""
        return (
            "Remove the keys of this feature only:\n```python\n"
            f'{step} key in {client}.scan_iter(match=f"{{prefix}}:*", count=1000):\n    {wait}{client}.unlink(key)\n```'
        )
    if command.command == "lrange":
        return f"Bound what is read:\n```python\nfirst = {client}.lrange({pattern}, 0, 99)\n```"
    return f"Bound what is read:\n```python\nfirst = {client}.sscan({pattern}, count=100)\n```"


def _fix(command: RedisCommand, graph: AppGraph) -> Fix | None:
    if (
        command.command != "keys"
        or command.is_async
        or not command.sure
        or command.client is None
        or last_name(command.client) == ""
    ):
        return None
    if len(command.args) > 1 or command.pipelined:
        return None
    client = text_at(graph, command.scope.location(command.client))
    pattern = (
        f"match={text_at(graph, command.scope.location(command.key))}, " if command.key is not None else ""
    )
    return Fix("Use SCAN", (Edit(command.location, f"list({client}.scan_iter({pattern}count=1000))"),))


rule.bad = """
    from fastapi import FastAPI
    from redis import Redis

    app = FastAPI()
    redis = Redis(decode_responses=True)


    @app.put("/baskets/{basket}")
    def keep(basket: str) -> None:
        redis.set(f"basket:{basket}", "1")


    @app.get("/baskets")
    def list_baskets() -> list[str]:
        return redis.keys("basket:*")  # finding: redis-keyspace-command-in-request
"""

rule.good = """
    from fastapi import FastAPI
    from redis import Redis

    app = FastAPI()
    redis = Redis(decode_responses=True)


    @app.put("/baskets/{basket}")
    def keep(basket: str) -> None:
        redis.set(f"basket:{basket}", "1")


    @app.get("/baskets")
    def list_baskets() -> list[str]:
        return list(redis.scan_iter(match="basket:*", count=1000))
"""


@rule.exploit
def redis_is_asked_for_all_keys(proof: Proof) -> None:
    """One request makes Redis search its whole keyspace in one command."""
    proof.client.put("/baskets/7")
    assert proof.client.get("/baskets").json() == ["basket:7"]
    assert "KEYS" in [command[0].upper() for command in proof.redis.commands]
