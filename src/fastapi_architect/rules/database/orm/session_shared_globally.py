"""One database session serves every request.

A session is one transaction and one set of objects, and neither threads nor tasks may share it. When it lives in a module, on a
class, on `app.state` or behind a cache, a request commits what another request left half done, sees its objects, and one
failed flush makes every following request fail until somebody restarts the process.

Known limits: a session that is only used by scripts or Celery tasks is left alone; so are sessions that travel through
more than one object.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.concepts.database import DatabaseCall, SessionCreation
from fastapi_architect.rules.kit import (
    AppGraph,
    Class,
    Confidence,
    Finding,
    Function,
    Module,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    Step,
    dotted_name,
    ir,
    last_name,
    routes_of,
)

rule = Rule(
    __name__,
    "One database session is shared by all requests",
    severity=Severity.CRITICAL,
    cwe=362,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#is-the-session-thread-safe-is-asyncsession-safe-to-share-in-concurrent-tasks",
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html#session-faq-whentocreate",
    ),
    requires=("sqlalchemy",),
)

_CACHES = ("lru_cache", "cache", "cached")


@rule.check(per=SessionCreation)
def shared_session(creation: SessionCreation, graph: AppGraph) -> Iterator[Finding]:
    if creation.managed or creation.scope.module.kind != "source" or _run_by_hand(creation):
        return
    found = _kept(creation, graph)
    if found is None:
        return
    where, name, users = found
    if not users:
        return
    operations = {id(o): o for _, running in users for o in running}
    yield rule.at(
        creation,
        f"`{name}` is one session {where}: {_requests(list(operations.values()))} share its transaction and its objects.",
        "Make a session for each request, and close it:\n```python\n" + _suggested(creation) + "\n```",
        reasoning="Requests run at the same time. A session is not safe for that, and a failed flush in one request leaves the "
        "session unusable for all others.",
        exploit=f"What one request put into `{name}` and gave up is committed by the next request's commit.",
        confidence=Confidence.CERTAIN if creation.sure else Confidence.FIRM,
        trace=tuple(Step(place.location, f"used by {running[0].names[0]}") for place, running in users[:5]),
        routes=routes_of(operations.values()),
    )


def _run_by_hand(creation: SessionCreation) -> bool:
    """Below `if __name__ == "__main__"`."""
    return creation.site.context.inside("if", "else") is not None and isinstance(creation.scope, Module)


Users = list[tuple[DatabaseCall, tuple[PathOperation, ...]]]


def _kept(creation: SessionCreation, graph: AppGraph) -> tuple[str, str, Users] | None:
    """Where the session is kept, its name, and the calls of requests that use it; None when nobody keeps it."""
    scope, target = creation.scope, _target(creation)
    if creation.site.context.inside("lambda") is not None:
        return None
    if isinstance(scope, Module | Class):
        if target is None:
            return None
        where = "of the module" if isinstance(scope, Module) else f"of the class `{scope.name}`"
        name = last_name(target)
        return where, name, _users(name, scope, graph)
    if not isinstance(scope, Function):
        return None
    if target is not None and ".state." in f".{dotted_name(target)}":
        name = dotted_name(target)
        return "of the application", name, _state_users(name, graph)
    if any(scope.has_decorator(c) for c in _CACHES) and isinstance(creation.site.statement, ir.Return):
        return "behind a cache", scope.name, _callers(scope, graph)
    return _of_singleton(scope, target, graph)


def _target(creation: SessionCreation) -> ir.Expr | None:
    statement = creation.site.statement
    if isinstance(statement, ir.Assign) and statement.value is creation.node:
        return statement.targets[0]
    if isinstance(statement, ir.AnnAssign) and statement.value is creation.node:
        return statement.target
    return None


def _users(name: str, owner: Scope, graph: AppGraph) -> Users:
    """Calls that requests make on a name of a module or class."""
    found: Users = []
    for module in graph.program.mentioning(name):
        if module.kind != "source":
            continue
        for call in _database_calls(module, graph):
            session = call.session
            if session is None or last_name(session) != name or call.function is None:
                continue
            bound = graph.program.inference.bindings_of(session, call.scope)
            if bound is not None and bound[0] is owner:
                found += _with_requests(call, graph)
    return found


def _database_calls(module: Module, graph: AppGraph) -> Iterator[DatabaseCall]:
    for call in graph.facts(DatabaseCall):
        if call.scope.module is module and not isinstance(call, SessionCreation):
            yield call


def _with_requests(call: DatabaseCall, graph: AppGraph) -> Users:
    function = call.function
    operations = graph.entries(function) if function is not None else ()
    return [(call, operations)] if operations else []


def _state_users(name: str, graph: AppGraph) -> Users:
    attribute = name.rpartition(".")[2]
    found: Users = []
    for call in graph.facts(DatabaseCall):
        written = dotted_name(call.session) if call.session is not None else ""
        if written.endswith(f"state.{attribute}") and not isinstance(call, SessionCreation):
            found += _with_requests(call, graph)
    return found


def _callers(function: Function, graph: AppGraph) -> Users:
    found: Users = []
    operations = graph.entries(function)
    for call in graph.facts(DatabaseCall):
        if call.function is not None and operations and graph.entries(call.function):
            found.append((call, operations))
            break
    return found


def _of_singleton(
    function: Function, target: ir.Expr | None, graph: AppGraph
) -> tuple[str, str, Users] | None:
    """`self.session = Session()` in the constructor of a class of which a module keeps one instance."""
    owner = function.owner
    if (
        owner is None
        or function.name != "__init__"
        or not isinstance(target, ir.Attribute)
        or last_name(target.value) != "self"
    ):
        return None
    kept = [
        site
        for site in graph.program.call_sites_named(owner.name)
        if isinstance(site.scope, Module)
        and site.scope.kind == "source"
        and isinstance(site.statement, ir.Assign)
    ]
    if not any(is_served(site.scope, graph) for site in kept):
        return None
    found: Users = []
    for method in owner.functions:
        for call in graph.within(DatabaseCall, method):
            if call.session is not None and dotted_name(call.session) == f"self.{target.attr}":
                found += _with_requests(call, graph)
    return f"of `{owner.name}`, of which the module keeps one instance", f"self.{target.attr}", found


def _requests(operations: list[PathOperation]) -> str:
    name = operations[0].names[0]
    return (
        f"all requests to {name}"
        if len(operations) == 1
        else f"{name} and {len(operations) - 1} more operations"
    )


def _suggested(creation: SessionCreation) -> str:
    factory = dotted_name(creation.node.func) or "SessionFactory"
    asynchronous = creation.is_async
    make = f"{factory}()" if not creation.node.args else f"{factory}(engine)"
    prefix, kind = ("async ", "AsyncIterator[AsyncSession]") if asynchronous else ("", "Iterator[Session]")
    return f"{prefix}def get_session() -> {kind}:\n    {prefix}with {make} as session:\n        yield session"


rule.bad = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})
    SessionFactory = sessionmaker(bind=engine)
    session = SessionFactory()  # finding: session-shared-globally


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        book: Mapped[str]


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def place_order(book: str, copies: int) -> None:
        session.add(Order(book=book))
        if copies < 1:
            raise HTTPException(422, "an order needs a copy")
        session.commit()


    @app.get("/orders/count")
    def count_orders() -> int:
        return session.scalar(select(func.count(Order.id))) or 0
"""

rule.good = """
    from collections.abc import Iterator
    from typing import Annotated

    from fastapi import Depends, FastAPI, HTTPException
    from sqlalchemy import create_engine, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db", connect_args={"check_same_thread": False})
    SessionFactory = sessionmaker(bind=engine)


    def get_session() -> Iterator[Session]:
        with SessionFactory() as session:
            yield session


    SessionDep = Annotated[Session, Depends(get_session)]


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"

        id: Mapped[int] = mapped_column(primary_key=True)
        book: Mapped[str]


    Base.metadata.create_all(engine)


    @app.post("/orders")
    def place_order(session: SessionDep, book: str, copies: int) -> None:
        session.add(Order(book=book))
        if copies < 1:
            raise HTTPException(422, "an order needs a copy")
        session.commit()


    @app.get("/orders/count")
    def count_orders(session: SessionDep) -> int:
        return session.scalar(select(func.count(Order.id))) or 0
"""


@rule.symptom
def a_refused_order_is_stored_by_the_next_request(proof: Proof) -> None:
    """The order that one request refused is committed by the next request's commit."""
    assert proof.client.post("/orders?book=Emma&copies=0").status_code == 422
    assert proof.client.post("/orders?book=Persuasion&copies=1").status_code == 200
    assert proof.client.get("/orders/count").json() == 2
