"""A GET operation changes something.

GET promises to change nothing (RFC 9110, section 9.2.1), and everybody relies on it: browsers fetch links
ahead, mail scanners open every link, crawlers follow them, and caches answer in the server's place. A GET
that deletes, stores or sends does so whenever somebody looks; a page of another site can make a signed-in
visitor do it with one `<img>`.

Known limits: what dependencies write (a session's last use) is left out, and so are counters, audit entries
and logs, by the names of their tables and functions. Links that consume a token are reported as
information. A task that does nothing which anybody notices is no effect; examples and probes, by their paths, are tentative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import Effects, effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.reaching import Way, is_conditional, ways
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    DocumentOperation,
    QueryStart,
    SessionAdd,
    SessionDelete,
    TransactionBegin,
)
from fastapi_architect.concepts.messaging import EmailSend, Enqueue
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
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
)

rule = Rule(
    __name__,
    "A GET operation changes state",
    severity=Severity.IMPORTANT,
    cwe=650,
    cvss="AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N",
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110.html#section-9.2.1",
        "https://opensource.zalando.com/restful-api-guidelines/#149",
    ),
    requires=("sqlalchemy",),
)

#: Protocols that redirect the browser to a GET which has to store something.
_PROTOCOL = lazy_pattern(
    r"callback|oauth|oidc|sso|saml|authorize|log[-_]?in|log[-_]?out|sign[-_]?(in|out)|session", re.IGNORECASE
)
_TOKEN_LINK = lazy_pattern(r"verif|confirm|activat|unsubscrib|reset|invit|accept|magic", re.IGNORECASE)
#: Traces of a read that its reader does not ask for.
_TRACE = lazy_pattern(
    r"audit|log|view|visit|hit|histor|last_|seen|touch|analytic|metric|track|stat|cache|count|usage|event|activit|telemetr|"
    r"record_|impression|access|monitor|heartbeat|session|presence|download|token|nonce|captcha|rate",
    re.IGNORECASE,
)
#: Columns that say when, or how often, a row was read.
_TRACE_COLUMN = lazy_pattern(
    r"^(last|latest)_?(access|seen|used|use|visit|view|read|activ|opened)|^(accessed|visited|viewed|seen|used|opened)(_at|_on)?$"
    r"|(view|visit|hit|access|read|usage|click|open)s?_?(count|counter|times)|^(views|visits|hits)$|num(ber)?_(of_)?(views|visits|hits)",
    re.IGNORECASE,
)
_LAZY = lazy_pattern(
    r"get_or_|ensure|init|setup|bootstrap|migrat|upsert|sync|refresh|seed|create_if|load_or|default",
    re.IGNORECASE,
)
#: Operations that show something, or ask whether it works.
_SHOWS = lazy_pattern(
    r"(^|[/_-])(example|demo|sample|hello|health|healthz|healthcheck|ready|readiness|live|liveness|ping|probe|debug)([/_-]|$)",
    re.IGNORECASE,
)
#: What a task calls that leaves nothing behind.
_IDLE = frozenset(
    [
        "sleep",
        "print",
        "info",
        "debug",
        "warning",
        "range",
        "len",
        "str",
        "int",
        "float",
        "format",
        "get_logger",
        "getLogger",
    ]
)
_SAFE = frozenset({"GET", "HEAD"})


@rule.check(per=PathOperation)
def safe_method_with_an_effect(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http" or not set(operation.methods) <= _SAFE:
        return
    if _PROTOCOL.search(operation.path) or _PROTOCOL.search(handler.name):
        return
    done = effects(graph).of_handler(operation)
    found = next(_noticeable(done, handler, graph), None)
    if found is not None:
        yield _finding(operation, handler, *found, graph)


def _noticeable(done: Effects, handler: Function, graph: AppGraph) -> Iterator[tuple[Concept, Way, str]]:
    """Effects that somebody else notices, those that always happen first: (effect, way to it, what it concerns)."""
    if not done.writes and not done.messages:
        return
    committed = _commits(done, graph)
    reached = ways(graph, handler)
    later = []
    for effect in (*done.writes, *done.messages):
        way = reached.get(id(effect.scope))
        if way is None or (effect in done.writes and not committed) or _starts_nothing(effect, graph):
            continue
        subject = _subject(effect, graph)
        names = [subject, *(site.scope.name for site in way.hops), effect.scope.name]
        if any(_TRACE.search(name) for name in names) or any(_LAZY.search(name) for name in names[1:]):
            continue
        if _is_only_a_trace(effect, way):
            continue
        if way.always and not is_conditional(effect.site):
            yield effect, way, subject
        else:
            later.append((effect, way, subject))
    yield from later


def _starts_nothing(effect: Concept, graph: AppGraph) -> bool:
    """The task that is sent is known, and writes, sends and asks nothing."""
    scope = effect.scope
    if not isinstance(effect, Enqueue) or not isinstance(scope, Function):
        return False
    sent = [e for e in graph.background.enqueues_in.get(id(scope), ()) if e.site.node is effect.node]
    tasks = [each.function for each in sent if each.function is not None]
    if not tasks:
        return False
    does = effects(graph).of_functions(tasks)
    called = [site for function in does.functions for site in function.facts.calls]
    return (
        does.complete
        and does.changes_state is None
        and not does.redis
        and all(graph.program.calls.targets(site) or last_name(site.node.func) in _IDLE for site in called)
    )


def _is_only_a_trace(effect: Concept, way: Way) -> bool:
    """The write stores nothing but when or how often a row was read: `study.last_access = now(); repository.save(study)`."""
    if isinstance(effect, QueryStart) and effect.kind == "update":
        return _is_traced(_columns(effect))
    scope = effect.scope
    if (
        isinstance(effect, SessionAdd)
        and isinstance(scope, Function)
        and isinstance(effect.instance, ir.Name)
        and _is_traced(_stored(effect.instance.id, scope))
    ):
        return True
    return any(
        _is_traced(_stored(given.id, site.scope))
        for site in way.hops
        for given in site.node.args
        if isinstance(given, ir.Name) and isinstance(site.scope, Function)
    )


def _is_traced(columns: list[str]) -> bool:
    return bool(columns) and all(_TRACE_COLUMN.search(column) for column in columns)


def _stored(name: str, scope: Function) -> list[str]:
    """The attributes that a function sets on what a name holds; none for a row that it makes itself."""
    if any(
        isinstance(b.value, ir.Call) and last_name(b.value.func)[:1].isupper()
        for b in scope.facts.bindings.get(name, ())
    ):
        return []
    targets = [t for s in scope.facts.sites(ir.Assign) for t in s.node.targets]
    targets += [s.node.target for s in scope.facts.sites(ir.AugAssign)]
    return [
        t.attr
        for t in targets
        if isinstance(t, ir.Attribute) and isinstance(t.value, ir.Name) and t.value.id == name
    ]


def _columns(start: QueryStart) -> list[str]:
    """The keywords of `.values(...)` behind `update(...)`; none where a dictionary is given."""
    outer: ir.Expr = start.node
    for site in start.scope.facts.calls:  # inner calls come first
        func = site.node.func
        if isinstance(func, ir.Attribute) and func.value is outer:
            outer = site.node
            if func.attr == "values":
                return [] if site.node.args else [k.arg or "" for k in site.node.keywords]
    return []


def _commits(done: Effects, graph: AppGraph) -> bool:
    for function in done.functions:
        if graph.within(Commit, function):
            return True
        if any(b.managed for b in graph.within(TransactionBegin, function)):
            return True
    return any(isinstance(w, DocumentOperation | BulkWrite) for w in done.writes)


def _subject(effect: Concept, graph: AppGraph) -> str:
    """What is written or sent: the model's, task's or function's name."""
    expr = None
    if isinstance(effect, SessionAdd | SessionDelete):
        expr = effect.instance
    elif isinstance(effect, QueryStart):
        expr = effect.entities[0] if effect.entities else None
    elif isinstance(effect, BulkWrite):
        expr = effect.model
    if expr is not None:
        for option in options(graph.program.inference.type_of(expr, effect.scope)):
            if isinstance(option, Instance | ClassRef) and isinstance(option.cls, Class):
                return option.cls.name
        return dotted_name(expr).rpartition(".")[2] or last_name(expr) or "rows"
    return dotted_name(effect.node.func) or effect.name.rpartition(".")[2]


def _verb(effect: Concept) -> str:
    if isinstance(effect, SessionDelete) or (isinstance(effect, QueryStart) and effect.kind == "delete"):
        return "deletes"
    if isinstance(effect, QueryStart) and effect.kind == "update":
        return "updates"
    if isinstance(effect, EmailSend):
        return "sends mail with"
    if isinstance(effect, Enqueue):
        return "starts"
    return "stores"


def _finding(
    operation: PathOperation, handler: Function, effect: Concept, way: Way, subject: str, graph: AppGraph
) -> Finding:
    always = way.always and not is_conditional(effect.site)
    verb = _verb(effect)
    method = "delete" if verb == "deletes" else "post"
    confidence = Confidence.FIRM if always else Confidence.TENTATIVE
    if _SHOWS.search(operation.path) or _SHOWS.search(handler.name):
        confidence = Confidence.TENTATIVE
    elif always and effect.sure and not way.ambiguous and len(way.hops) <= 2:
        confidence = Confidence.CERTAIN
    found = rule.at(
        handler,
        f"`{operation}` ({handler.name}) {verb} `{subject}` ({effect.location}): opening a link, a prefetch or a crawler "
        "is enough.",
        f"Use a method that may change state:\n```python\n{registered(graph, operation, method=method)}\n```",
        reasoning="GET is safe by definition, so that browsers, scanners, caches and crawlers send it unasked, and "
        "SameSite=Lax cookies travel with it.",
        exploit=f'A page of another site contains `<img src="{operation.path}">`; every signed-in visitor {verb} '
        f"`{subject}`.",
        confidence=confidence,
        trace=steps(
            *((site, f"{site.scope.name} calls {dotted_name(site.node.func)}") for site in way.hops),
            (effect, f"{effect.scope.name} {verb} {subject}"),
        ),
        routes=routes_of([operation]),
        context=Context(writes=True),
    )
    if _TOKEN_LINK.search(operation.path) or _TOKEN_LINK.search(handler.name):
        return replace(found, severity=Severity.INFO, confidence=Confidence.TENTATIVE)
    return found


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, delete, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class WishlistItem(Base):
        __tablename__ = "wishlist_items"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)
    with Session(engine) as seed:
        seed.add(WishlistItem(title="Dune"))
        seed.commit()

    app = FastAPI()


    @app.get("/wishlist/size")
    def read_size() -> int:
        with Session(engine) as session:
            return session.scalars(select(func.count(WishlistItem.id))).one()


    @app.get("/wishlist/clearance")
    def clear_wishlist() -> str:  # finding: unsafe-method-semantics
        with Session(engine) as session:
            session.execute(delete(WishlistItem))
            session.commit()
        return "cleared"
"""

rule.good = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, delete, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class WishlistItem(Base):
        __tablename__ = "wishlist_items"

        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]


    Base.metadata.create_all(engine)
    with Session(engine) as seed:
        seed.add(WishlistItem(title="Dune"))
        seed.commit()

    app = FastAPI()


    @app.get("/wishlist/size")
    def read_size() -> int:
        with Session(engine) as session:
            return session.scalars(select(func.count(WishlistItem.id))).one()


    @app.delete("/wishlist")
    def clear_wishlist() -> str:
        with Session(engine) as session:
            session.execute(delete(WishlistItem))
            session.commit()
        return "cleared"
"""


@rule.exploit
def an_image_clears_the_wishlist(proof: Proof) -> None:
    """One GET, such as an `<img>` on another page sends, empties the visitor's wishlist."""
    assert proof.client.get("/wishlist/size").json() == 1
    proof.client.get("/wishlist/clearance", headers={"Sec-Fetch-Dest": "image"})
    assert proof.client.get("/wishlist/size").json() == 0
