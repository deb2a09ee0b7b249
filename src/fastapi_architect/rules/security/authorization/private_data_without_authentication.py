"""Anybody may read what everywhere else asks for a login.

Routes that only read are easily left open: a list for a partner that is hidden from the documentation, a helper that looks through
the server's folders. Hiding a route from the documentation keeps nobody out.

Known limits: said of applications of which at least half the operations ask who is calling. Rows are private where they have an
owner, other operations keep to the caller's own, and the route is hidden or the rows are such as orders, payments and messages;
what is public by its name, its docstring or its path is left alone, and so is what verifies a token or a signature itself. Folders
are those that an input names, unless the path is tested to lie within another.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import registered
from fastapi_architect.analyses.ownership import scoping
from fastapi_architect.analyses.public_operations import (
    callers_of,
    guard_of,
    is_public_by_nature,
    seems_meant_for_strangers,
)
from fastapi_architect.analyses.query_predicates import statements_of
from fastapi_architect.analyses.row_owners import owners
from fastapi_architect.analyses.row_writes import models_read_by
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import QueryStart
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Application,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    last_name,
    lazy_pattern,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A route gives out private data and lets everybody in",
    severity=Severity.CRITICAL,
    cwe=306,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa2-broken-authentication/",
        "https://fastapi.tiangolo.com/tutorial/security/get-current-user/",
    ),
    requires=("sqlalchemy",),
)

_FEWEST_GUARDED = 3
_SHARE = 0.5
#: Rows that nobody shows to strangers.
_PERSONAL = lazy_pattern(
    r"order|payment|invoice|address|(?<!broadcast)message|appointment|patient|transaction|booking|reservation|salary|payroll|"
    r"prescription|bank|cards?$|wallet|notification|conversation|passport"
)
#: Questions about a folder whose answers tell what there is.
_LOOKED_AT = frozenset({"is_dir", "iterdir", "glob", "rglob", "walk"})
_LISTING = frozenset({"listdir", "scandir", "walk", "glob", "iglob"})
_LISTING_MODULES = frozenset({"os", "glob"})
_WITHIN = frozenset({"is_relative_to", "relative_to", "startswith", "commonpath"})


@rule.check(per=Application)
def private_data_for_strangers(application: Application, graph: AppGraph) -> Iterator[Finding]:
    operations = [o for o in application.operations if o.kind == "http" and not o.floating]
    guarded = [o for o in operations if graph.access(o).authenticated]
    if len(guarded) < _FEWEST_GUARDED or len(guarded) < _SHARE * len(operations):
        return
    for operation in operations:
        if operation.is_write or not _is_open(operation, application, graph):
            continue
        folder = _folder_looked_at(operation)
        if folder is not None:
            what = f"looks through whichever folder of the server `{folder[1]}` names"
            yield _finding(operation, application, graph, folder[0], what)
            continue
        rows = _private_rows(operation, graph)
        if rows is not None:
            yield _finding(
                operation, application, graph, rows[0], f"gives out everybody's `{rows[1].name}` rows"
            )


def _is_open(operation: PathOperation, application: Application, graph: AppGraph) -> bool:
    """Nothing on the way asks who is calling, and nothing says that strangers are meant."""
    if operation.handler is None or operation.handler.module.kind != "source":
        return False
    access = graph.access(operation)
    if access.level > AccessLevel.NONE or access.public_reason or is_public_by_nature(operation):
        return False
    callers = callers_of(graph)
    return not (callers.proof_in_body(operation) or callers.guarded_elsewhere(operation, application))


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _private_rows(operation: PathOperation, graph: AppGraph) -> tuple[Site, Model] | None:
    """A query for all the rows of a model that other operations keep to the caller's own."""
    functions = effects(graph).of_handler(operation).functions
    for function in functions:
        for model in models_read_by(function, graph):
            if _is_private(model, operation, graph) and not _is_narrowed(model, functions, graph):
                starts = graph.within(QueryStart, function)
                site = next((s.site for s in starts if s.kind in ("select", "query")), None)
                if site is not None:
                    return site, model
    return None


def _is_private(model: Model, operation: PathOperation, graph: AppGraph) -> bool:
    owner = owners(graph).get(id(model))
    if owner is None or owner.via is not None or owner.tenant or owner.is_author:
        return False
    if operation.in_schema and not _PERSONAL.search(model.name.lower()):
        return False
    return any(not scoped.operation.is_write for scoped in scoping(graph).get(id(model), ()))


def _is_narrowed(model: Model, functions: tuple[Function, ...], graph: AppGraph) -> bool:
    """Some condition chooses among the rows: a link, a slug or a flag may be what makes them public."""
    return any(
        p.model is model and p.operator != "order"
        for s in statements_of(functions, graph)
        for p in s.predicates
    )


# ── folders ──────────────────────────────────────────────────────────────────────────────────────────────────


def _folder_looked_at(operation: PathOperation) -> tuple[Site, str] | None:
    """A call that looks at a folder which an input of the handler names, untested."""
    handler = operation.handler
    assert handler is not None
    inputs = {p.name for p in operation.parameters if p.kind in ("query", "path", "body", "form")}
    tested = {
        last_name(site.node.func.value)
        for site in handler.facts.calls_named(*sorted(_WITHIN))
        if isinstance(site.node.func, ir.Attribute)
    }
    for site in handler.facts.calls_named(*sorted(_LOOKED_AT | _LISTING)):
        name = _looked_at(site.node)
        source = name if name in inputs else _path_of(name, handler, inputs)
        if source and not {name, source} & tested:
            return site, source
    return None


def _looked_at(call: ir.Call) -> str:
    """The variable that names the folder: `os.listdir(folder)`, `path.iterdir()`; "" for anything else."""
    receiver = call.func.value if isinstance(call.func, ir.Attribute) else None
    if receiver is not None and last_name(receiver) in _LISTING_MODULES:
        folder = call.args[0] if last_name(call.func) in _LISTING and call.args else None
    else:
        folder = receiver if last_name(call.func) in _LOOKED_AT else None
    return folder.id if isinstance(folder, ir.Name) else ""


def _path_of(name: str, handler: Function, inputs: set[str]) -> str:
    """The input that `path = Path(folder)` is made of and nothing else; "" for other variables."""
    bindings = handler.facts.bindings.get(name, ())
    first = bindings[0].value if bindings else None
    if isinstance(first, ir.Call) and last_name(first.func) == "Path" and len(first.args) == 1:
        given = first.args[0]
        return given.id if isinstance(given, ir.Name) and given.id in inputs else ""
    return ""


def _finding(
    operation: PathOperation, application: Application, graph: AppGraph, site: Site, what: str
) -> Finding:
    assert operation.handler is not None
    guard = guard_of(graph, application) or "get_current_user"
    name = operation.handler.name
    hidden = "" if operation.in_schema else " That it is hidden from the documentation keeps nobody out."
    return rule.at(
        operation.handler,
        f"`{operation}` ({name}) {what}, and nothing on the way asks who is calling.",
        f"Require `{guard}`, or what its siblings require:\n"
        f"```python\n{registered(graph, operation, keywords={'dependencies': f'[Depends({guard})]'})}\n```",
        reasoning=f"No dependency of {name}, of its router, or of the includes on the way refuses an anonymous request, and most "
        f"operations of `{application.name}` do.{hidden}",
        exploit=f"An anonymous client sends `{operation}` and reads the answer.",
        confidence=Confidence.TENTATIVE
        if operation.conditional or seems_meant_for_strangers(operation, graph)
        else Confidence.FIRM,
        trace=steps((operation.handler, f"{operation} runs for everybody"), (site, what)),
        routes=routes_of([operation]),
        context=Context(access="none", writes=False, data="personal"),
    )


_START = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str] = mapped_column(unique=True)

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
        address: Mapped[str]

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add_all([User(id=1, token="ada"), Order(id=1, user_id=1, address="12 Harp Lane")])
        start.commit()

    def current_user(x_token: Annotated[str | None, Header()] = None) -> User:
        with Session(engine) as session:
            user = session.scalar(select(User).where(User.token == x_token))
        if user is None:
            raise HTTPException(401)
        return user

    CurrentUser = Annotated[User, Depends(current_user)]
    app = FastAPI()

    @app.get("/orders")
    def own_orders(user: CurrentUser) -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Order.address).where(Order.user_id == user.id)))

    @app.get("/me")
    def me(user: CurrentUser) -> int:
        return user.id

    @app.get("/limits", dependencies=[Depends(current_user)])
    def limits() -> int:
        return 10
"""

rule.bad = (
    _START
    + """
    @app.get("/delivery/orders", include_in_schema=False)
    def for_the_courier() -> list[str]:  # finding: private-data-without-authentication
        with Session(engine) as session:
            return list(session.scalars(select(Order.address).order_by(Order.id.desc()).limit(100)))
"""
)

rule.good = (
    _START
    + """
    def courier(x_api_key: Annotated[str | None, Header()] = None) -> None:
        if x_api_key != "a long random key":
            raise HTTPException(401)

    @app.get("/delivery/orders", include_in_schema=False, dependencies=[Depends(courier)])
    def for_the_courier() -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Order.address).order_by(Order.id.desc()).limit(100)))
"""
)


@rule.exploit
def a_stranger_reads_where_everybody_lives(proof: Proof) -> None:
    """Without any token the hidden route answers with everybody's address."""
    assert proof.client.get("/orders").status_code == 401
    assert proof.client.get("/delivery/orders").json() == ["12 Harp Lane"]
