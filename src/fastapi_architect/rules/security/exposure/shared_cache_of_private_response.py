"""What was made for one caller is kept where the next caller finds it.

The answer depends on who asks, and the key of the cache does not: a Redis key without the user in it, a decorator whose key
leaves out the request, `Cache-Control: public` on what only somebody signed in may see. Whoever asks second is given what
the first one owns. A cache above the decorator that asks for a role hands out its answers without asking anybody.

Known limits: a value is followed through the assignments of one body, and counts as a caller's when it is made of a
parameter that authentication yields, or of one that is called `current_user`, `user_id` or `tenant_id`. Keys that hold
another input than paging or filters (a token, an id of their own) are taken for the caller's. Dictionaries as caches are not
looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.cache_keys import HOLE, CacheEvent, events, overlap
from fastapi_architect.analyses.cached_functions import CachingDecorator, caching_decorators
from fastapi_architect.analyses.names_behind import names_behind
from fastapi_architect.analyses.origins import CALLER
from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.principal import story
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.program.types import FunctionRef
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    PathOperation,
    Proof,
    Rule,
    Severity,
    dotted_name,
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
    "One caller is given what was kept for another",
    severity=Severity.CRITICAL,
    cwe=524,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N",
    references=(
        "https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html#web-content-caching",
        "https://www.rfc-editor.org/rfc/rfc9111#name-storing-responses-to-authent",
    ),
    requires=("redis",),
)

#: Parameters that say for whom something is done, wherever they stand.
_CALLERS = lazy_pattern(r"^(current_user(_id)?|user_id|tenant_id|principal|current_account|account_id)$")
#: What a request or an object holds of the caller.
_HELD = lazy_pattern(
    r"^(self|request(\.state)?)\.(_?current_)?_?(user|tenant|principal|account|session|cookies)(_id)?(\.|$)"
)
#: Parts of a key that everybody may share.
_LISTING = lazy_pattern(
    r"^(page(_?(size|number|no|num))?|per_page|size|limit|offset|skip|cursor|sort\w*|order\w*|q|query|search|filters?|status|"
    r"lang(uage)?|locale|date|day|days|month|year|period|start\w*|end\w*|kind|type|version|params?)$"
)
_CONTEXT_VAR = lazy_pattern(r"user|tenant|principal|account|org|workspace|request|role", re.IGNORECASE)
_PUBLIC = lazy_pattern(r"(?<![\w-])(public|s-maxage)(?![\w-])", re.IGNORECASE)
#: What a maker of keys may take the caller from.
_CARRIERS = frozenset(
    [
        "args",
        "kwargs",
        "kw",
        "a",
        "k",
        "headers",
        "cookies",
        "state",
        "user",
        "session",
        "scope",
        "authorization",
    ]
)


@rule.check(per=AppGraph)
def shared_answers(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    yield from _in_redis(graph)
    for decorator in caching_decorators(graph):
        finding = _by_decorator(decorator, graph)
        if finding is not None:
            yield finding
    for operation in graph.operations:
        yield from _by_header(operation, graph)


def _callers(function: Function, graph: AppGraph) -> frozenset[str]:
    """Parameters that hold who is signed in."""
    found = {p.name for p in function.parameters if _CALLERS.search(p.name)}
    for operation in graph.operations_running(function):
        if operation.handler is function and graph.access(operation).authenticated:
            given = story(graph, operation).frames[-1].arguments
            found |= {name for name, value in given.items() if ((), CALLER) in value}
    return frozenset(found - {"self", "request", "db", "session"})


def _caller_in(names: frozenset[str], callers: frozenset[str]) -> str:
    """The name that brings the caller into a value, the most exact first; "" when none does."""
    exact = sorted(n for n in names if n.partition(".")[0] in callers and "." in n)
    return next(iter([*exact, *sorted(names & callers), *sorted(n for n in names if _HELD.search(n))]), "")


# ── keys in Redis ───────────────────────────────────────────────────────────────────────────────────────────────


def _in_redis(graph: AppGraph) -> Iterator[Finding]:
    by_function: dict[int, list[CacheEvent]] = {}
    for event in events(graph):
        by_function.setdefault(id(event.function), []).append(event)
    for found in by_function.values():
        reads = [event for event in found if event.kind == "read"]
        for event in found if reads else ():
            if event.kind != "set" or not any(overlap(event.key, read.key) for read in reads):
                continue
            caller = _left_out(event, graph)
            if caller:
                yield _of_key(event, caller, [*reads, event], graph)


def _left_out(event: CacheEvent, graph: AppGraph) -> str:
    """The caller that what is kept is made of, when the key is made of nothing but what everybody shares."""
    function = event.function
    behind = names_behind(event.key_expr, function)
    inputs = behind & {p.name for p in function.parameters}
    if not event.key.strip(HOLE) or any(not _LISTING.search(n) for n in inputs - {"self", "cls", "settings"}):
        return ""
    callers = _callers(function, graph)
    if _caller_in(behind, callers) or any(_HELD.search(name) for name in behind):
        return ""
    # A hole that is made of no input here (a context, an attribute of `self`) may be anything.
    if HOLE in event.key and not inputs:
        return ""
    return _caller_in(names_behind(event.value, function), callers)


def _of_key(event: CacheEvent, caller: str, together: list[CacheEvent], graph: AppGraph) -> Finding:
    name, key = event.function.name, written(graph, event.function, event.key_expr) or "the key"
    identity = caller if "." in caller or caller.endswith("_id") else f"{caller}.id"
    operations = graph.entries(event.function)
    is_exact = "." in caller or caller.endswith("_id")
    return rule.at(
        event.site,
        f"{name} keeps what it made for `{caller}` under {key}, a key that every caller shares.",
        "Put the caller into the key, where it is kept, read and dropped alike:\n"
        f'```python\nkey = f"{_plain(event.key)}:{{{identity}}}"\n```',
        reasoning=f"The value is made of `{caller}`, the key is not, and {name} gives out whatever it finds under it.",
        exploit=f"Ask right after somebody else did: {name} finds their answer under {key} and gives it to you.",
        confidence=Confidence.FIRM if is_exact and operations else Confidence.TENTATIVE,
        trace=steps(
            (event.function, f"{name} reads {key} and works it out when nothing is there"),
            (event.site, f"what is kept is made of `{caller}`"),
        ),
        fix=_with_caller(together, identity, graph),
        routes=routes_of(operations),
        context=Context(access="user", data="personal"),
    )


def _plain(key: str) -> str:
    return key.replace(HOLE, "...").rstrip(":")


def _with_caller(found: list[CacheEvent], identity: str, graph: AppGraph) -> Fix | None:
    """The caller in every key of the function, where each is written out in place."""
    edits: dict[Location, Edit] = {}
    for event in found:
        expr = event.key_expr
        text = written(graph, event.function, expr)
        if (
            not isinstance(expr, ir.Constant | ir.JoinedStr)
            or text[-1:] != '"'
            or text.endswith('"""')
            or ("{" in text and text[0] != "f")
        ):
            return None
        place = event.function.location(expr)
        edits[place] = Edit(place, f'f"{text.lstrip("f")[1:-1]}:{{{identity}}}"')
    return Fix("Put the caller into the key", tuple(edits.values())) if edits else None


# ── decorators ──────────────────────────────────────────────────────────────────────────────────────────────────


def _by_decorator(decorator: CachingDecorator, graph: AppGraph) -> Finding | None:
    function = decorator.function
    guard = _guard_beneath(decorator, graph)
    if guard:
        return _of_decorator(
            decorator,
            f"The cache on {function.name} stands above `{guard}`: an answer that is kept is given out without asking who wants it.",
            f"Move the cache below `{guard}`, so that everybody is asked first.",
            f"Decorators run from the top, and what `{_called(decorator.expr)}` finds it returns before `{guard}` runs.",
            graph,
        )
    caller = _decorated_for(decorator, graph)
    if not caller:
        return None
    return _of_decorator(
        decorator,
        f"The cache on {function.name} keeps one answer for everybody, and the answer is made of `{caller}`.",
        f"Make `{caller}` a part of the key, or cache below what depends on the caller:",
        f"The key of `{_called(decorator.expr)}` is made without `{caller}`, which {function.name} reads.",
        graph,
    )


def _called(decorator: ir.Expr) -> str:
    """`cache` of `@cache(expire=60)`."""
    return last_name(decorator.func if isinstance(decorator, ir.Call) else decorator)


def _guard_beneath(decorator: CachingDecorator, graph: AppGraph) -> str:
    """A decorator that refuses and stands below the cache, on a route; "" when there is none."""
    function = decorator.function
    below = function.node.decorators[function.node.decorators.index(decorator.expr) + 1 :]
    names = [_called(expr) for expr in below]
    for operation in graph.operations_running(function) if names else ():
        for guard in graph.access(operation).guards:
            for name in names:
                if guard.dependency is None and guard.why == f"the decorator {name} refuses":
                    return name
    return ""


def _decorated_for(decorator: CachingDecorator, graph: AppGraph) -> str:
    """The caller that a cached function reads and the key does not hold."""
    function = decorator.function
    read = frozenset(_read(function))
    held = next((name for name in sorted(read) if _HELD.search(name) and not name.startswith("self")), "")
    # A parameter that says whose result it is stands in the key.
    is_given = any(_CONTEXT_VAR.search(p.name) and p.name != "request" for p in function.parameters)
    held = held or ("" if is_given else _context_variable(function, graph))
    if decorator.key is None:
        # fastapi-cache leaves the request out; the others key by every argument.
        is_outside = not held.startswith("request") or decorator.name.startswith("fastapi_cache")
        return held if is_outside and not decorator.has_own_keys else ""
    caller = _caller_in(read, _callers(function, graph)) or held
    return caller if caller and _leaves_out(decorator.key, caller, function, graph) else ""


def _read(function: Function) -> Iterator[str]:
    for site in function.facts.sites(ir.Attribute):
        name = dotted_name(site.node)
        if name:
            yield name
    for site in function.facts.calls:
        for given in (*site.node.args, *(k.value for k in site.node.keywords)):
            if isinstance(given, ir.Name):
                yield given.id


def _context_variable(function: Function, graph: AppGraph) -> str:
    """`current_user.get()` of a `ContextVar`: an input that no argument shows."""
    for site in function.facts.calls_named("get"):
        func = site.node.func
        if not isinstance(func, ir.Attribute) or site.node.args:
            continue
        made, _ = graph.program.inference.expand(func.value, function)
        if (
            isinstance(made, ir.Call)
            and last_name(made.func) == "ContextVar"
            and _CONTEXT_VAR.search(last_name(func.value))
        ):
            return dotted_name(func)
    return ""


def _leaves_out(key: ir.Expr, caller: str, function: Function, graph: AppGraph) -> bool:
    """A key, or a maker of keys, that nothing of the caller can get into."""
    if isinstance(key, ir.Constant):
        return True
    if isinstance(key, ir.Lambda):
        names = {n.id for n in walk(key.body) if isinstance(n, ir.Name)}
        names |= {n.attr for n in walk(key.body) if isinstance(n, ir.Attribute)}
        return not _says_who(names, caller)
    of = graph.program.inference.type_of(key, function.parent or function.module)
    makers = [option.function for option in options(of) if isinstance(option, FunctionRef)]
    if len(makers) != 1:
        return False
    returned = [site.node.value for site in makers[0].facts.sites(ir.Return)]
    names = {name for value in returned for name in names_behind(value, makers[0])}
    return bool(returned) and not _says_who(names, caller)


def _says_who(names: set[str], caller: str) -> bool:
    """Anything among the names may carry the caller: all arguments together, headers, a name like theirs."""
    words = {part for name in names for part in name.split(".")}
    own = set(caller.split(".")) - {"request", "self", "state", "get"}
    return bool(words & (_CARRIERS | own)) or any(_CALLERS.search(word) for word in words)


def _of_decorator(decorator: CachingDecorator, issue: str, advice: str, why: str, graph: AppGraph) -> Finding:
    function = decorator.function
    operations = graph.entries(function)
    return rule.at(
        function.location(decorator.expr),
        issue,
        advice,
        reasoning=why,
        exploit=f"Ask right after somebody else did, and {function.name} is not run: their answer is given to you.",
        confidence=Confidence.FIRM if decorator.is_found_again and operations else Confidence.TENTATIVE,
        trace=steps(
            (function.location(decorator.expr), "what is kept here is given to whoever asks next"),
            (function, f"{function.name} answers one caller"),
        ),
        routes=routes_of(operations),
        context=Context(access="user", data="personal"),
        symbol=function.full_name,
    )


# ── headers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _by_header(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    """`Cache-Control: public` on an answer for which somebody had to sign in."""
    handler = operation.handler
    if handler is None or operation.is_websocket:
        return
    for value in _cache_controls(handler, graph):
        text = graph.program.constants.string(value, handler)
        if text and _PUBLIC.search(text) and graph.access(operation).authenticated:
            yield _of_header(operation, handler, value, text, graph)


def _cache_controls(handler: Function, graph: AppGraph) -> Iterator[ir.Expr]:
    for site in handler.facts.sites(ir.Assign):
        target = site.node.targets[0]
        if isinstance(target, ir.Subscript) and _is_cache_control(target.slice):
            yield site.node.value
    for made in graph.within(ResponseCreation, handler):
        if isinstance(made.headers, ir.Dict):
            for key, value in zip(made.headers.keys, made.headers.values, strict=True):
                if _is_cache_control(key):
                    yield value


def _is_cache_control(key: ir.Expr | None) -> bool:
    return isinstance(key, ir.Constant) and str(key.value).lower() == "cache-control"


def _of_header(
    operation: PathOperation, handler: Function, value: ir.Expr, text: str, graph: AppGraph
) -> Finding:
    callers = _callers(handler, graph)
    caller = _caller_in(frozenset(_read(handler)), callers)
    place = handler.location(value)
    edits = (Edit(place, '"private, no-store"'),) if isinstance(value, ir.Constant) else ()
    return rule.at(
        place,
        f"`{operation}` asks who is calling, and tells every cache on the way to keep its answer for all (`{text}`).",
        "Let nobody but the caller's own browser keep it:\n"
        '```python\nresponse.headers["Cache-Control"] = "private, no-store"\n```',
        reasoning="`public` and `s-maxage` allow shared caches to keep answers to requests with credentials, and to give them "
        "to whoever asks for the same address.",
        exploit=f"Ask the proxy or network in front of the application for `{operation}` after somebody who may: it has the "
        "answer and asks nobody.",
        confidence=Confidence.FIRM if caller else Confidence.TENTATIVE,
        trace=steps(
            (handler, f"{operation} is for callers who have signed in"),
            (place, "shared caches may keep its answer"),
        ),
        fix=Fix("Let no cache keep the answer", edits) if edits else None,
        routes=routes_of([operation]),
        context=Context(access="user", data="personal"),
        symbol=handler.full_name,
    )


_HEAD = """
    from typing import Annotated

    import redis
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPBearer
    from pydantic import BaseModel

    class User(BaseModel):
        id: int
        email: str

    bearer = HTTPBearer()
    users = {"alice": User(id=1, email="alice@example.com"), "bob": User(id=2, email="bob@example.com")}

    def current_user(token: Annotated[object, Depends(bearer)]) -> User:
        user = users.get(token.credentials)
        if user is None:
            raise HTTPException(401)
        return user

    cache = redis.Redis(decode_responses=True)
    app = FastAPI()
"""

rule.bad = (
    _HEAD
    + """
    @app.get("/profile")
    def read_profile(user: Annotated[User, Depends(current_user)]) -> dict:
        kept = cache.get("profile")
        if kept is None:
            kept = f"The account of {user.email}"
            cache.set("profile", kept, ex=60)  # finding: shared-cache-of-private-response
        return {"profile": kept}
"""
)

rule.good = (
    _HEAD
    + """
    @app.get("/profile")
    def read_profile(user: Annotated[User, Depends(current_user)]) -> dict:
        kept = cache.get(f"profile:{user.id}")
        if kept is None:
            kept = f"The account of {user.email}"
            cache.set(f"profile:{user.id}", kept, ex=60)
        return {"profile": kept}
"""
)


@rule.exploit
def bob_reads_the_profile_of_alice(proof: Proof) -> None:
    """Bob asks for his profile after Alice did, and is given hers."""
    proof.client.get("/profile", headers={"Authorization": "Bearer alice"})
    answer = proof.client.get("/profile", headers={"Authorization": "Bearer bob"})
    assert "alice@example.com" in answer.text
