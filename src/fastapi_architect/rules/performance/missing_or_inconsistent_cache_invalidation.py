"""A row is kept in the cache, and a writer of the table leaves the copy there.

After the write, readers get the old row from the cache: until it expires, or for ever when it does not. The same happens
when the writer drops another key than the reader keeps (`books:7` and `book:7`), and when the new copy is kept before the
transaction is committed: a rollback leaves in the cache what never was in the database.

Known limits: keys in Redis are looked at, and functions that a decorator of functools, cachetools, async-lru, aiocache or
fastapi-cache remembers. A key is followed through f-strings, names, functions that make keys and methods of your own that
hand it to Redis. Any drop of a fitting key on a way that leads to the write counts, and so does a drop outside of requests
(a listener, a task). Copies that live a minute or less are left alone, as are keys with a version, and sessions, tokens,
limits and locks; so is a remembered function whose key holds a session or a service, for it finds nothing again. Writes of
scripts are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.cache_keys import HOLE, CacheEvent, KeyIndex, events, overlap
from fastapi_architect.analyses.cached_functions import CachedFunction, cached_functions
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.row_writes import RowWrite, models_of, models_read_by, row_writes
from fastapi_architect.analyses.running_with import running_with
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.concepts.database import (
    Commit,
    QueryStart,
    SessionGet,
)
from fastapi_architect.program.definitions import all_functions
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    FunctionRef,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
    argument,
    first_route,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A write leaves the old row in the cache",
    severity=Severity.IMPORTANT,
    references=(
        "https://redis.io/docs/latest/develop/use-cases/cache-aside/",
        "https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside",
    ),
    requires=("redis", "sqlalchemy"),
)

_SHORT = 60
#: Words in keys that are no copies of rows.
_OTHER = lazy_pattern(
    r"session|token|rate|limit|lock|otp|captcha|csrf|nonce|attempt|throttl|black|deny|verif|reset|online|presence|idempot|"
    r"ticket|code|heartbeat|queue|progress|status|jti|login|signal|fence",
    re.IGNORECASE,
)
_VERSION = lazy_pattern(
    r"version|revision|updated|modified|etag|generation|hash|digest|checksum|^ver$|^v$|^rev$", re.IGNORECASE
)
#: What says "drop" in the name of a call; whatever speaks of a cache may.
_DROPPING = ("cache", "invalid", "evict", "purge", "bust", "forget")
#: They only fill.
_FILLING = frozenset(
    {"lru_cache", "alru_cache", "cache", "cached", "cached_stampede", "cached_property", "ttl_cache"}
)
#: Nodes that are no rows themselves.
_TEXTS: frozenset[type] = frozenset({ir.Constant, ir.JoinedStr, ir.FormattedValue, ir.Compare})


@rule.check(per=AppGraph)
def stale_copies(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if not graph.models or not any(
        c.command in ("set", "setex", "psetex", "hset") for c in graph.facts(RedisCommand)
    ):
        return
    known = events(graph)
    kept: dict[str, tuple[CacheEvent, list[Model], float | None]] = {}
    for event in known:
        if event.kind != "set" or event.key in kept or not _is_copy(event):
            continue
        lifetime = _lifetime(event, known, graph)
        if lifetime is None or lifetime > _SHORT:
            models = _models_in(event, graph)
            if models:
                kept[event.key] = (event, models, lifetime)
    if not kept:
        return
    listened = _listened(known, graph)
    every = _Events(known)
    writes = row_writes(graph)
    for event, models, lifetime in kept.values():
        found = None if listened else next(_stale(event, models, lifetime, every, graph), None)
        found = found or _before_commit(event, models, writes, graph)
        if found is not None:
            yield found


@rule.check(per=AppGraph)
def remembered_results(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    remembered = (
        [c for c in cached_functions(graph) if c.lifetime is None or c.lifetime > _SHORT]
        if graph.models
        else []
    )
    names = frozenset(c.function.name for c in remembered)
    every = list(_drops(graph)) if remembered else []
    for cached in remembered:
        drops = [s for s in every if _is_drop_of(s, cached, names, graph)]
        others = frozenset(id(s.node) for s in every) - {id(s.node) for s in drops}
        outside = any(not isinstance(s.scope, Function) or not graph.entries(s.scope) for s in drops)
        if not outside and not _OTHER.search(cached.function.name):
            yield from _stale_result(cached, drops, others, graph)


def _drops(graph: AppGraph) -> Iterator[Site]:
    """Calls that empty such caches: `read.cache_clear()`, `FastAPICache.clear()`, `read.cache.delete(key)`."""
    for name in ("cache_clear", "cache_invalidate", "clear", "delete", "pop"):
        for site in graph.program.call_sites_named(name):
            if site.scope.module.kind == "source" and "cache" in " ".join(names_in(site.node.func)).lower():
                yield site


def _is_drop_of(site: Site, cached: CachedFunction, names: frozenset[str], graph: AppGraph) -> bool:
    """What is dropped is, or may be, what this function has kept."""
    func = site.node.func
    owner = next((n for n in names_in(func) if n in names), "")
    if owner:
        return owner == cached.function.name
    space = argument(site.node, None, "namespace")
    named = graph.program.constants.value(space, site.scope) if space is not None else UNKNOWN
    return not isinstance(named, str) or cached.namespace.startswith(named)


def _stale_result(
    cached: CachedFunction, drops: list[Site], others: frozenset[int], graph: AppGraph
) -> Iterator[Finding]:
    """The first write that leaves the result as it is; `others` are the drops of other results."""
    names = frozenset(model.name for model in cached.models)
    wanted = ("update", "delete") if cached.varies else ("insert", "update", "delete")
    for write in _writes_of(graph, names):
        if (
            write.kind not in wanted
            or id(write.function) in cached.reached
            or not graph.entries(write.function)
        ):
            continue
        reached = running_with(graph, write.function)
        if reached is None or any(id(s.scope) in reached for s in drops):
            continue
        if _unknown_drop(reached, graph, others):
            continue
        yield _finding_of_result(cached, write, graph)
        return


def _finding_of_result(cached: CachedFunction, write: RowWrite, graph: AppGraph) -> Finding:
    operations = graph.entries(write.function)
    name, model = cached.function.name, write.model.name
    verb = _VERBS[write.kind]
    return rule.at(
        write.site,
        f"This {verb} {model}, and `{name}` goes on to give what `@{cached.decorator.rpartition('.')[2]}` has kept: readers "
        f"get the old one {_until(cached.lifetime)}.",
        f"Forget the result after the commit, on every way that writes the row:\n```python\n{_forgetting(cached)}\n```",
        reasoning=f"Calls of `{name}` with the same arguments do not ask the database again; each process keeps results of "
        "its own."
        if cached.lifetime is None
        else f"Calls of `{name}` with the same arguments do not ask the database.",
        exploit=f"{first_route(operations, write.function.name)} {verb} {model}, and calls of `{name}` give the "
        f"old one {_until(cached.lifetime)}.",
        confidence=Confidence.FIRM
        if cached.lifetime is None and graph.entries(cached.function)
        else Confidence.TENTATIVE,
        trace=steps(
            (cached.function, f"`{name}` reads {model} once"),
            (write.site, f"{operations[0].names[0]} {verb} it"),
        ),
        routes=routes_of(operations),
        context=Context(writes=True),
        impact=float(len(operations)),
    )


def _forgetting(cached: CachedFunction) -> str:
    name = cached.function.name
    if cached.decorator.startswith("fastapi_cache"):
        return f'await FastAPICache.clear(namespace="{cached.namespace}")'
    if cached.decorator.startswith("aiocache"):
        return f"await {name}.cache.clear()"
    return f"{name}.cache.clear()" if cached.decorator == "cachetools.cached" else f"{name}.cache_clear()"


_VERBS = {"insert": "adds", "update": "changes", "delete": "removes"}


def _until(lifetime: float | None) -> str:
    if lifetime is None:
        return "for ever"
    return "until it expires" if lifetime == float("inf") else f"for up to {lifetime:g} seconds"


def _is_copy(event: CacheEvent) -> bool:
    literal = event.key.replace(HOLE, "")
    if len(re.sub(r"\W", "", literal)) < 3 or _OTHER.search(literal) or event.key.startswith(HOLE):
        return False
    if any(k.arg in ("nx", "exat", "pxat") for k in event.command.keywords):
        return False
    return not any(_VERSION.search(name) for name in _key_names(event))


def _key_names(event: CacheEvent) -> Iterator[str]:
    yield from names_in(event.key_expr)
    if isinstance(event.key_expr, ir.Name):
        for binding in event.function.facts.bindings.get(event.key_expr.id, ()):
            yield from names_in(binding.value)


def _lifetime(event: CacheEvent, known: tuple[CacheEvent, ...], graph: AppGraph) -> float | None:
    """Seconds; None for ever; infinite when there is an end that is not known."""
    ttl, scope = event.ttl, event.ttl_scope
    if ttl is None:
        behind = [
            e.command for e in known
            if e.function is event.function and e.command.command in ("expire", "pexpire") and overlap(e.key, event.key)
        ]  # fmt: skip
        if not behind or len(behind[0].args) < 2:
            return None if not behind else float("inf")
        ttl = behind[0].args[1]
    value = graph.program.constants.value(ttl, scope)
    if value is None:
        return None
    if value is UNKNOWN or isinstance(value, bool) or not isinstance(value, int | float):
        return _delta(ttl, scope, graph)
    thousandth = event.command.command == "psetex" or any(k.arg == "px" for k in event.command.keywords)
    return value / 1000 if thousandth else float(value)


def _delta(expr: ir.Expr, scope: Scope, graph: AppGraph) -> float:
    """Seconds of `timedelta(minutes=5)`."""
    inner, where = graph.program.inference.expand(expr, scope)
    units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}
    if not isinstance(inner, ir.Call) or last_name(inner.func) != "timedelta" or inner.args:
        return float("inf")
    total = 0.0
    for keyword in inner.keywords:
        value = graph.program.constants.value(keyword.value, where)
        if keyword.arg not in units or not isinstance(value, int | float):
            return float("inf")
        total += units[keyword.arg] * value
    return total


def _models_in(event: CacheEvent, graph: AppGraph) -> list[Model]:
    """Models whose rows the kept value is made of."""
    function = event.function
    found: dict[str, Model] = {}
    seen: set[str] = set()
    called: set[int] = set()  # what is called is no row
    requests: list[QueryStart | SessionGet]
    requests = [*graph.within(QueryStart, function), *graph.within(SessionGet, function)]
    asked = {id(each.node): each for each in requests}
    stack = [event.value]
    while stack:
        for node in walk(stack.pop()):
            if node.__class__ in _TEXTS:
                continue
            if node.__class__ is ir.Name:
                if node.id in seen:
                    continue
                seen.add(node.id)
                stack += [b.value for b in function.facts.bindings.get(node.id, ()) if b.kind != "parameter"]
            if id(node) not in called:
                for model in models_of(node, function, graph):
                    found[model.name] = model
            if node.__class__ is ir.Call:
                called.add(id(node.func))
                request = asked.get(id(node))
                behind = (
                    _models_behind(node, function, graph)
                    if request is None
                    else _models_asked_for(request, graph)
                )
                for model in behind:
                    found[model.name] = model
    return list(found.values())


def _models_asked_for(request: SessionGet | QueryStart, graph: AppGraph) -> Iterator[Model]:
    """Models whose rows a call of the session, or the beginning of a statement, asks for."""
    if isinstance(request, SessionGet):
        yield from models_of(request.model, request.scope, graph, cls=True)
    elif request.kind in ("select", "query"):
        for entity in request.entities:
            yield from models_of(entity, request.scope, graph, cls=True)


def _models_behind(call: ir.Call, function: Function, graph: AppGraph) -> Iterator[Model]:
    """Models whose rows the function that is called asks for."""
    for site in function.facts.calls_named(last_name(call.func)):
        if site.node is call:
            for target in graph.program.calls.targets(site):
                yield from models_read_by(target, graph)


class _Events:
    """The events of an application by key and by function."""

    def __init__(self, known: tuple[CacheEvent, ...]) -> None:
        self._known = known
        self.sets = KeyIndex(e for e in known if e.kind == "set")
        self.drops = KeyIndex(e for e in known if e.kind == "drop" and e.key.strip(HOLE))
        #: Identity of a function to the places of what happens in it, or in the method that it gives the key to.
        self._places: dict[int, list[int]] = {}
        for place, event in enumerate(known):
            for function in (event.function, event.command.function):
                self._places.setdefault(id(function), []).append(place)

    def within(self, functions: dict[int, Function]) -> list[CacheEvent]:
        """What happens in one of these functions, in order."""
        places = {place for each in functions for place in self._places.get(each, ())}
        return [self._known[place] for place in sorted(places)]


def _stale(
    event: CacheEvent,
    models: list[Model],
    lifetime: float | None,
    every: _Events,
    graph: AppGraph,
) -> Iterator[Finding]:
    if any(not graph.entries(e.function) for e in every.drops.overlapping(event.key)):
        return  # a listener or task drops it
    names = frozenset(m.name for m in models)
    wanted = ("update", "delete") if HOLE in event.key else ("insert", "update", "delete")
    for write in _writes_of(graph, names):
        if write.kind not in wanted or not graph.entries(write.function):
            continue
        own = every.within({id(write.function): write.function})
        if any(e.kind == "drop" and overlap(e.key, event.key) for e in own):
            continue  # what else runs with it makes no difference
        reached = running_with(graph, write.function)
        if reached is None or _unknown_drop(reached, graph):
            continue
        here = every.within(reached)
        if any(_renews(e, event, here) for e in here):
            continue
        other = next((e for e in here if _misspelt(e, event, every)), None)
        yield _finding(event, write, other, lifetime, graph)


def _writes_of(graph: AppGraph, models: frozenset[str]) -> list[RowWrite]:
    """Writes of models of these names, scripts and tests left out."""
    found = [each for name in models for each in _writes_by_model(graph).get(name, ())]
    return [write for _, write in sorted(found, key=lambda pair: pair[0])]


@question
def _writes_by_model(graph: AppGraph) -> dict[str, list[tuple[int, RowWrite]]]:
    """Names of models to their writes, each with its place among all writes."""
    found: dict[str, list[tuple[int, RowWrite]]] = {}
    for place, write in enumerate(row_writes(graph)):
        if write.function.module.kind == "source":
            found.setdefault(write.model.name, []).append((place, write))
    return found


def _listened(known: tuple[CacheEvent, ...], graph: AppGraph) -> bool:
    """Listeners of the ORM drop keys."""
    droppers = {id(e.function) for e in known if e.kind == "drop"} | {
        id(e.command.function) for e in known if e.kind == "drop"
    }
    listeners = [
        f for module in graph.program.mentioning("listens_for") for f in all_functions(module)
        if any(last_name(d.func) == "listens_for" for d in f.node.decorators if isinstance(d, ir.Call))
    ]  # fmt: skip
    for site in graph.program.call_sites_named("listen"):
        listeners += [
            o.function
            for a in site.node.args
            for o in options(graph.program.inference.type_of(a, site.scope))
            if isinstance(o, FunctionRef)
        ]
    reached, _ = effects(graph).reached(listeners)
    return any(id(f) in droppers for f in reached)


def _unknown_drop(
    reached: dict[int, Function], graph: AppGraph, others: frozenset[int] = frozenset()
) -> bool:
    """Something is called, or decorates, that by its name drops from a cache and cannot be followed.

    Calls in `others` (identities) are known to drop something else.
    """
    return any(not others.issuperset(_unknown_drops_in(graph, function)) for function in reached.values())


@question_about
def _unknown_drops_in(graph: AppGraph, function: Function) -> tuple[int, ...]:
    """Identities of a function's decorators and own calls that by their names drop something and cannot be followed."""
    commands = {id(command.node) for command in graph.within(RedisCommand, function)}
    calls = (
        id(site.node)
        for site in function.facts.calls
        if id(site.node) not in commands
        and not graph.program.calls.targets(site)
        and _is_dropping(site.node.func)
    )
    return (*(id(each) for each in function.node.decorators if _is_dropping(each)), *calls)


def _is_dropping(expr: ir.Expr) -> bool:
    if last_name(expr.func if isinstance(expr, ir.Call) else expr) in _FILLING:
        return False
    name = " ".join(names_in(expr)).lower()
    return any(word in name for word in _DROPPING)


def _renews(event: CacheEvent, kept: CacheEvent, here: list[CacheEvent]) -> bool:
    """The key is dropped, or written anew by something that does not just fill it."""
    if event.kind == "read" or not overlap(event.key, kept.key):
        return False
    if event.kind == "drop":
        return True
    return not any(
        e.kind == "read" and e.function is event.function and overlap(e.key, kept.key) for e in here
    )


def _misspelt(event: CacheEvent, kept: CacheEvent, every: _Events) -> bool:
    """A drop whose key nobody keeps, and which is that of `kept` but for an s or a colon."""
    if event.kind != "drop" or _plain(event.key) != _plain(kept.key):
        return False
    return next(every.sets.overlapping(event.key), None) is None


def _plain(key: str) -> list[str]:
    words = re.findall(r"[a-z0-9]+|[\0*]", key.lower())
    return [w.rstrip("s") if len(w) > 1 else HOLE for w in words if w != "cache"]


def _shown(event: CacheEvent) -> str:
    names = (
        ".".join(reversed(list(names_in(v.value))))
        for v in walk(event.key_expr)
        if isinstance(v, ir.FormattedValue)
    )
    parts = event.key.split(HOLE)
    return "".join(
        part + ("{" + (next(names, "") or "...") + "}" if index < len(parts) - 1 else "")
        for index, part in enumerate(parts)
    )


def _finding(
    event: CacheEvent, write: RowWrite, other: CacheEvent | None, lifetime: float | None, graph: AppGraph
) -> Finding:
    operations = graph.entries(write.function)
    key, model = _shown(event), write.model.name
    until = _until(lifetime)
    verb = _VERBS[write.kind]
    if other is not None:
        place: Site = other.site
        issue = f"`{_shown(other)}` is dropped, but `{key}` is kept: readers get the old {model} {until}."
    else:
        place = write.site
        issue = f"This {verb} {model}, and the copy in the cache at `{key}` stays: readers get the old one {until}."
    sure = lifetime is None and event.command.sure and bool(graph.entries(event.function))
    return rule.at(
        place,
        issue,
        _advice(event, key, graph),
        reasoning="Whoever reads the key afterwards does not ask the database.",
        exploit=f"{first_route(operations, write.function.name)} {verb} {model}, and readers of `{key}` get the old one {until}.",
        confidence=Confidence.FIRM if sure else Confidence.TENTATIVE,
        trace=steps(
            (event.site, f"the {model} is kept here"),
            (write.site, f"{operations[0].names[0]} {verb} it"),
        ),
        routes=routes_of(operations),
        context=Context(writes=True),
        impact=float(len(operations)),
    )


def _advice(event: CacheEvent, key: str, graph: AppGraph) -> str:
    command = event.command
    client = text_at(graph, command.scope.location(command.client)) if command.client is not None else "redis"
    client = client if not command.pipelined else "redis"
    wait = "await " if command.is_async else ""
    text = (
        text_at(graph, event.function.location(event.key_expr)) if event.key_expr is not None else f'"{key}"'
    )
    return f"Drop the same key after the commit, on every way that writes the row:\n```python\n{wait}{client}.delete({text})\n```"


def _before_commit(
    event: CacheEvent, models: list[Model], writes: tuple[RowWrite, ...], graph: AppGraph
) -> Finding | None:
    """The new copy is kept, and the transaction that makes it true is committed behind it."""
    function, at = event.function, event.site.node.span
    names = {m.name for m in models}
    commits = [
        c
        for c in graph.within(Commit, function)
        if c.site.context.inside("handler", "if", "else", "loop") is None
    ]
    behind = next((c for c in commits if c.node.span > at), None)
    if behind is None:
        return None
    changed = [
        w for w in writes if w.function is function and w.model.name in names and w.site.node.span < at
    ]
    if not changed or event.site.context.inside("handler", "if", "else", "loop") is not None:
        return None
    if any(c.node.span < at for c in commits):
        return None
    return rule.at(
        event.site,
        f"`{_shown(event)}` is kept before the {changed[0].model.name} is committed: when the commit fails, readers get what never was.",
        "Commit first, then keep the copy.",
        exploit=f"The commit of {changed[0].model.name} fails, and readers of `{_shown(event)}` get what was never stored.",
        confidence=Confidence.TENTATIVE,
        trace=steps((changed[0].site, "the row is changed"), (behind, "it is committed only here")),
        routes=routes_of(graph.entries(function)),
        context=Context(writes=True),
    )


_MODELS = """
    from fastapi import FastAPI, HTTPException
    from redis import Redis
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    app = FastAPI()
    redis = Redis(decode_responses=True)
    engine = create_engine("sqlite:///books.db")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.merge(Book(id=1, title="Momo"))
        session.commit()


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> str:
        title = redis.get(f"book:{book_id}")
        if title is None:
            with Session(engine) as session:
                book = session.get(Book, book_id)
                if book is None:
                    raise HTTPException(404)
                title = book.title
            redis.set(f"book:{book_id}", title)
        return title


    @app.put("/books/{book_id}")
    def rename_book(book_id: int, title: str) -> None:
        with Session(engine) as session:
            book = session.get_one(Book, book_id)
"""

rule.bad = (
    _MODELS
    + """\
            book.title = title  # finding: missing-or-inconsistent-cache-invalidation
            session.commit()
"""
)

rule.good = (
    _MODELS
    + """\
            book.title = title
            session.commit()
        redis.delete(f"book:{book_id}")
"""
)


@rule.symptom
def the_old_title_is_read(proof: Proof) -> None:
    """After the book is renamed, readers still get the old title."""
    assert proof.client.get("/books/1").json() == "Momo"
    proof.client.put("/books/1", params={"title": "Jim"})
    assert proof.client.get("/books/1").json() == "Momo"
