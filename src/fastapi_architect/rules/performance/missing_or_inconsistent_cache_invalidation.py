"""A row is kept in the cache, and a writer of the table leaves the copy there.

After the write, readers get the old row from the cache: until it expires, or for ever when it does not. The same happens
when the writer drops another key than the reader keeps (`books:7` and `book:7`), and when the new copy is kept before the
transaction is committed: a rollback leaves in the cache what never was in the database.

Known limits: keys in Redis are looked at, not those of caching decorators. A key is followed through f-strings, names, functions
that make keys and methods of your own that hand it to Redis. Any drop of a fitting key on a way that leads to the write counts,
and so does a drop outside of requests (a listener, a task). Keys that live a minute or less are left alone, as are keys with a
version, and sessions, tokens, limits and locks. Writes of scripts are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.cache_keys import HOLE, CacheEvent, events, overlap
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.cache import RedisCommand
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    QueryStart,
    SessionAdd,
    SessionDelete,
    SessionFlush,
    SessionGet,
)
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    FunctionRef,
    Instance,
    Proof,
    Rule,
    Scope,
    Severity,
    Site,
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
_DROPPING = lazy_pattern(
    r"invalid|evict|purge|bust|uncache|forget|(clear|delete|drop|remove|flush|refresh|reset|update).*cache",
    re.IGNORECASE,
)
#: Columns that say when or how often: a copy without them is as good.
_BESIDE = lazy_pattern(r"^last_|_at$|_on$|count|views|seen|time$", re.IGNORECASE)
#: They only fill.
_FILLING = frozenset({"lru_cache", "cache", "cached", "cached_property", "ttl_cache"})
_MAX_UP = 6


class _Write(msgspec.Struct, frozen=True, eq=False):
    """Rows of a model change here; `kind` is insert, update or delete."""

    model: Model
    kind: str
    site: Site
    function: Function


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
    writes = list(_writes(graph))
    for event, models, lifetime in kept.values():
        found = next(_stale(event, models, lifetime, writes, known, graph), None)
        found = found or _before_commit(event, models, writes, graph)
        if found is not None:
            yield found


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
            if e.command.command in ("expire", "pexpire") and e.function is event.function and overlap(e.key, event.key)
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


def _model(expr: ir.Expr | None, scope: Scope, graph: AppGraph, *, cls: bool = False) -> Iterator[Model]:
    """Models that an expression is an instance of (or list of instances); with `cls`, that it names."""
    wanted = ClassRef if cls else Instance
    for of in options(graph.program.inference.type_of(expr, scope)):
        inner = (
            [of, *(o for a in getattr(of, "args", ()) for o in options(a))]
            if isinstance(of, Instance)
            else [of]
        )
        for each in inner:
            model = graph.database.model_of.get(id(each.cls)) if isinstance(each, wanted) else None
            if model is not None:
                yield model


def _models_in(event: CacheEvent, graph: AppGraph) -> list[Model]:
    """Models whose rows the kept value is made of."""
    function = event.function
    gets = {id(g.node): g.model for g in graph.within(SessionGet, function)}
    starts = {id(q.node): q for q in graph.within(QueryStart, function) if q.kind in ("select", "query")}
    sites = {id(s.node): s for s in function.facts.calls}
    found: dict[str, Model] = {}
    seen: set[str] = set()
    stack = [event.value]
    while stack:
        for node in walk(stack.pop()):
            found.update({m.name: m for m in _model(node, function, graph)})
            if isinstance(node, ir.Name) and node.id not in seen:
                seen.add(node.id)
                stack += [b.value for b in function.facts.bindings.get(node.id, ()) if b.kind != "parameter"]
            elif id(node) in gets:
                found.update({m.name: m for m in _model(gets[id(node)], function, graph, cls=True)})
            elif id(node) in starts:
                for entity in starts[id(node)].entities:
                    found.update({m.name: m for m in _model(entity, function, graph, cls=True)})
            elif id(node) in sites:
                for target in graph.program.calls.targets(sites[id(node)]):
                    found.update({m.name: m for m in _read_by(target, graph)})
    return list(found.values())


def _read_by(function: Function, graph: AppGraph) -> Iterator[Model]:
    for get in graph.within(SessionGet, function):
        yield from _model(get.model, function, graph, cls=True)
    for start in graph.within(QueryStart, function):
        for entity in start.entities if start.kind in ("select", "query") else ():
            yield from _model(entity, function, graph, cls=True)


def _writes(graph: AppGraph) -> Iterator[_Write]:
    """Every change of rows in the project, in order of kinds."""
    for delete in graph.facts(SessionDelete):
        if delete.function is not None:
            for model in _model(delete.instance, delete.function, graph):
                yield _Write(model, "delete", delete.site, delete.function)
    for start in graph.facts(QueryStart):
        if start.kind in ("insert", "update", "delete") and start.function is not None:
            for entity in start.entities:
                for model in _model(entity, start.function, graph, cls=True):
                    yield _Write(model, start.kind, start.site, start.function)
    for bulk in graph.facts(BulkWrite):
        if bulk.function is not None and bulk.kind != "save":
            expr = bulk.session if bulk.kind.startswith("query_") else bulk.model
            for model in (*_model(expr, bulk.function, graph), *_model(expr, bulk.function, graph, cls=True)):
                yield _Write(model, bulk.kind.removeprefix("query_"), bulk.site, bulk.function)
    for add in graph.facts(SessionAdd):
        if add.function is not None:
            for model in _model(add.instance, add.function, graph):
                yield _Write(model, "update" if add.kind == "merge" else "insert", add.site, add.function)
    yield from _assignments(graph)


def _assignments(graph: AppGraph) -> Iterator[_Write]:
    """`book.title = title` and `setattr(book, name, value)` in a function that sends changes."""
    for function in {
        id(c.function): c.function for k in (Commit, SessionFlush, SessionAdd) for c in graph.facts(k)
    }.values():
        if function is None:
            continue
        for site in function.facts.sites(ir.Assign):
            for target in site.node.targets:
                if isinstance(target, ir.Attribute) and not _BESIDE.search(target.attr):
                    yield from _assigned(target.value, site, function, graph)
        for site in function.facts.calls_named("setattr", "sqlmodel_update"):
            method = isinstance(site.node.func, ir.Attribute)
            owner = site.node.func.value if method else site.node.args[0] if site.node.args else None
            if owner is not None:
                yield from _assigned(owner, site, function, graph)


def _assigned(owner: ir.Expr, site: Site, function: Function, graph: AppGraph) -> Iterator[_Write]:
    made, _ = graph.program.inference.expand(owner, function)
    if isinstance(made, ir.Call) and next(_model(made.func, function, graph, cls=True), None) is not None:
        return  # a new object
    for model in _model(owner, function, graph):
        yield _Write(model, "update", site, function)


def _stale(
    event: CacheEvent,
    models: list[Model],
    lifetime: float | None,
    writes: list[_Write],
    known: tuple[CacheEvent, ...],
    graph: AppGraph,
) -> Iterator[Finding]:
    if any(
        e.kind == "drop" and overlap(e.key, event.key) and e.key.strip(HOLE) and not graph.entries(e.function)
        for e in known
    ):
        return  # a listener or task drops it
    if _listened(known, graph):
        return
    names = {m.name for m in models}
    wanted = ("update", "delete") if HOLE in event.key else ("insert", "update", "delete")
    for write in writes:
        if (
            write.model.name not in names
            or write.kind not in wanted
            or write.function.module.kind != "source"
        ):
            continue
        if not graph.entries(write.function):
            continue
        reached = _around(write.function, graph)
        if reached is None or _unknown_drop(reached, graph):
            continue
        here = [e for e in known if id(e.function) in reached or id(e.command.function) in reached]
        if any(_renews(e, event, here) for e in here):
            continue
        other = next((e for e in here if _misspelt(e, event, known)), None)
        yield _finding(event, write, other, lifetime, graph)


def _listened(known: tuple[CacheEvent, ...], graph: AppGraph) -> bool:
    """Listeners of the ORM drop keys."""
    droppers = {id(e.function) for e in known if e.kind == "drop"} | {
        id(e.command.function) for e in known if e.kind == "drop"
    }
    listeners = [
        f for f in graph.program.functions
        if f.node.decorators and any(last_name(d.func) == "listens_for" for d in f.node.decorators if isinstance(d, ir.Call))
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


def _around(function: Function, graph: AppGraph) -> dict[int, Function] | None:
    """Whatever runs together with a function: its callers, and all that they reach; None when that is too much."""
    up = {id(function): function}
    frontier = [function]
    for _ in range(_MAX_UP):
        callers = [
            s.scope for f in frontier for s in graph.program.calls.callers(f) if isinstance(s.scope, Function)
        ]
        frontier = [c for c in {id(c): c for c in callers}.values() if id(c) not in up]
        up.update({id(c): c for c in frontier})
    entries = [f for operation in graph.entries(function) for f in operation.functions]
    reached, complete = effects(graph).reached([*up.values(), *entries])
    handed = [f for each in reached for f in _handed_on(each, graph)]
    further, also = effects(graph).reached(handed)
    return {id(f): f for f in (*reached, *further)} if complete and also else None


def _handed_on(function: Function, graph: AppGraph) -> Iterator[Function]:
    """Functions given to calls: `background.add_task(drop, book_id)`, `refresh.delay(book_id)`."""
    for site in function.facts.calls:
        given: list[ir.Expr] = [
            a
            for a in (*site.node.args, *(k.value for k in site.node.keywords))
            if isinstance(a, ir.Name | ir.Attribute)
        ]
        if isinstance(site.node.func, ir.Attribute) and site.node.func.attr in (
            "delay",
            "apply_async",
            "kiq",
            "send",
        ):
            given.append(site.node.func.value)
        for expr in given:
            for of in options(graph.program.inference.type_of(expr, function)):
                if isinstance(of, FunctionRef):
                    yield of.function


def _unknown_drop(reached: dict[int, Function], graph: AppGraph) -> bool:
    """Something is called, or decorates, that by its name drops from a cache and cannot be followed."""
    for function in reached.values():
        if any(_is_dropping(d) for d in function.node.decorators):
            return True
        commands = {id(c.node) for c in graph.within(RedisCommand, function)}
        for site in function.facts.calls:
            if (
                id(site.node) not in commands
                and _is_dropping(site.node.func)
                and not graph.program.calls.targets(site)
            ):
                return True
    return False


def _is_dropping(expr: ir.Expr) -> bool:
    if last_name(expr.func if isinstance(expr, ir.Call) else expr) in _FILLING:
        return False
    name = " ".join(names_in(expr))
    return _DROPPING.search(name) is not None or "cache" in name.lower()


def _renews(event: CacheEvent, kept: CacheEvent, here: list[CacheEvent]) -> bool:
    """The key is dropped, or written anew by something that does not just fill it."""
    if event.kind == "read" or not overlap(event.key, kept.key):
        return False
    if event.kind == "drop":
        return True
    return not any(
        e.kind == "read" and e.function is event.function and overlap(e.key, kept.key) for e in here
    )


def _misspelt(event: CacheEvent, kept: CacheEvent, known: tuple[CacheEvent, ...]) -> bool:
    """A drop whose key nobody keeps, and which is that of `kept` but for an s or a colon."""
    if event.kind != "drop" or any(e.kind == "set" and overlap(e.key, event.key) for e in known):
        return False
    return _plain(event.key) == _plain(kept.key)


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
    event: CacheEvent, write: _Write, other: CacheEvent | None, lifetime: float | None, graph: AppGraph
) -> Finding:
    operations = graph.entries(write.function)
    key, model = _shown(event), write.model.name
    until = (
        "for ever"
        if lifetime is None
        else "until it expires"
        if lifetime == float("inf")
        else f"for up to {lifetime:g} seconds"
    )
    verb = {"insert": "adds", "update": "changes", "delete": "removes"}[write.kind]
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
    event: CacheEvent, models: list[Model], writes: list[_Write], graph: AppGraph
) -> Finding | None:
    """The new copy is kept, and the transaction that makes it true is committed behind it."""
    function, at = event.function, event.site.node.span
    names = {m.name for m in models}
    changed = [
        w for w in writes if w.function is function and w.model.name in names and w.site.node.span < at
    ]
    commits = [
        c
        for c in graph.within(Commit, function)
        if c.site.context.inside("handler", "if", "else", "loop") is None
    ]
    behind = next((c for c in commits if c.node.span > at), None)
    if (
        not changed
        or behind is None
        or event.site.context.inside("handler", "if", "else", "loop") is not None
    ):
        return None
    if any(c.node.span < at for c in commits):
        return None
    return rule.at(
        event.site,
        f"`{_shown(event)}` is kept before the {changed[0].model.name} is committed: when the commit fails, readers get what never was.",
        "Commit first, then keep the copy.",
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
