"""A JSON or array column is changed in place, and the change is never written.

SQLAlchemy notices that an attribute is set, not that the dict or list in it has changed. `book.details["pages"] = 300`
leaves the row as it was: the commit writes nothing, the request answers as if it had, and the next one reads the old
value. A new dict, a `MutableDict` column or `flag_modified` make the change known.

A change that is to be seen in the answer only is left out: its session is opened here, and nothing below sends or commits
anything. Where the object is handed on to a function that announces it, or nothing behind the change commits, flushes or
adds it, it is tentative.

Known limits: changes through another name (`details = book.details`) are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.never_named import is_never_named
from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.concepts.database import Commit, SessionAdd, SessionCreation, SessionFlush
from fastapi_architect.program.types import options
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Instance,
    Proof,
    Rule,
    Severity,
    Site,
    argument,
    first_route,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A JSON column is changed in place and not saved",
    severity=Severity.IMPORTANT,
    cwe=440,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/mutable.html",
        "https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.attributes.flag_modified",
    ),
    requires=("sqlalchemy",),
)

_CHANGES = frozenset("append extend insert pop popitem update setdefault remove clear sort reverse".split())  # noqa: SIM905
_ANNOUNCING = frozenset({"flag_modified", "flag_dirty"})
_SAVING = (Commit, SessionFlush, SessionAdd)

Columns = dict[tuple[int, str], tuple[Model, Column]]


@rule.check(per=AppGraph)
def lost_change(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if graph.program.scopes_calling("associate_with") or graph.program.scopes_calling(
        "associate_with_attribute"
    ):
        return
    columns = {
        (id(m.cls), c.attribute): (m, c) for m in graph.models for c in m.columns if _is_plain(c, graph)
    }
    names = {name for _, name in columns}
    if not names:
        return
    sources = (m for m in graph.program.modules.values() if m.kind == "source")
    modules = {id(m) for m in sources if not names.isdisjoint(m.parsed.identifiers)}
    for function in graph.program.functions:
        if id(function.module) not in modules:
            continue
        if function.name == "__init__" or not _ANNOUNCING.isdisjoint(function.node.called):
            continue
        yield from _in_function(function, columns, names, graph)


def _is_plain(column: Column, graph: AppGraph) -> bool:
    """A JSON, array or pickle column that nobody watches."""
    if column.type is None or (
        column.type.family not in ("json", "array") and column.type.name != "PickleType"
    ):
        return False
    if column.type.impl not in ("", column.type.name):
        return False
    args = [] if column.call is None else [*column.call.args, *(k.value for k in column.call.keywords)]
    explicit = False
    for arg in args:
        inner, _ = graph.program.inference.expand(arg, column.scope)
        explicit |= isinstance(inner, ir.Call | ir.Name | ir.Attribute)
        if any(name == "as_mutable" or name.startswith("Mutable") for name in names_in(inner)):
            return False
    watched = graph.program.scopes_calling("as_mutable")
    return explicit or not watched  # a `type_annotation_map` may watch what is not written at the column


def _in_function(function: Function, columns: Columns, names: set[str], graph: AppGraph) -> Iterator[Finding]:
    told = set()
    for site, target in _changes(function):
        if (
            target.attr not in names
            or _assigned(function, target.attr)
            or _is_new(function, target.value, graph)
            or _is_inserted_behind(function, site, target.value, graph)
            or _is_thrown_away(function, graph)
        ):
            continue
        for of in options(graph.program.inference.type_of(target.value, function)):
            found = columns.get((id(of.cls), target.attr)) if isinstance(of, Instance) else None
            if found is not None and target.attr not in told:
                told.add(target.attr)
                yield _finding(site, target, found, graph)


def _changes(function: Function) -> Iterator[tuple[Site, ir.Attribute]]:
    """Places that change something in place, with the attribute that holds it."""
    for kind in (ir.Assign, ir.AugAssign, ir.Delete):
        for site in function.facts.sites(kind):
            node = site.node
            targets = node.targets if not isinstance(node, ir.AugAssign) else [node.target]
            for target in targets:
                if isinstance(target, ir.Subscript) and (held := _held(target.value)) is not None:
                    yield site, held
    if _CHANGES.isdisjoint(function.node.called):
        return
    for site in function.facts.calls:
        func = site.node.func
        if (
            isinstance(func, ir.Attribute)
            and func.attr in _CHANGES
            and (held := _held(func.value)) is not None
        ):
            yield site, held


def _held(expr: ir.Expr) -> ir.Attribute | None:
    """`book.details` of `book.details["a"]["b"]`."""
    while isinstance(expr, ir.Subscript):
        expr = expr.value
    return expr if isinstance(expr, ir.Attribute) else None


def _assigned(function: Function, attribute: str) -> bool:
    return any(
        isinstance(t, ir.Attribute) and t.attr == attribute
        for s in function.facts.sites(ir.Assign)
        for t in s.node.targets
    )


def _is_new(function: Function, owner: ir.Expr, graph: AppGraph) -> bool:
    """The object is made in this function: what it holds when it is inserted is written."""
    if not isinstance(owner, ir.Name):
        return False
    for binding in function.facts.bindings.get(owner.id, ()):
        value = binding.value
        if isinstance(value, ir.Call):
            types = options(graph.program.inference.type_of(value.func, function))
            if any(isinstance(of, ClassRef) for of in types):
                return True
    return False


def _is_inserted_behind(function: Function, change: Site, owner: ir.Expr, graph: AppGraph) -> bool:
    """The object is given to a function that inserts it, or every caller has just made it."""
    if not isinstance(owner, ir.Name):
        return False
    for site in function.facts.calls_named("create", "insert", "bulk_create", "insert_one"):
        given = (*site.node.args, *(k.value for k in site.node.keywords))
        if site.node.span > change.node.span and any(getattr(a, "id", "") == owner.id for a in given):
            return True
    names = [p.name for p in function.parameters[1 if function.is_method else 0 :]]
    if owner.id not in names:
        return False
    callers = graph.program.calls.callers(function)
    return bool(callers) and all(
        isinstance(s.scope, Function)
        and (given_ := argument(s.node, names.index(owner.id), owner.id)) is not None
        and _is_new(s.scope, given_, graph)
        for s in callers
    )


def _is_thrown_away(function: Function, graph: AppGraph) -> bool:
    """The session is opened here, and nothing sends a change: not its `begin()`, no flush, no commit."""
    if not any(made.managed for made in graph.within(SessionCreation, function)):
        return False
    if function.facts.calls_named("begin", "add", "add_all", "merge"):
        return False
    reached, complete = effects(graph).reached([function])
    return complete and not any(
        graph.within(Commit, each) or graph.within(SessionFlush, each) for each in reached
    )


def _is_announced_behind(function: Function, change: Site, owner: ir.Expr, graph: AppGraph) -> bool:
    """Behind the change the object is handed to a function that announces it."""
    return any(
        not _ANNOUNCING.isdisjoint(target.node.called)
        for site in _handing_on(function, change, owner)
        for target in graph.program.calls.targets(site)
    )


def _is_meant_to_be_saved(function: Function, change: Site, owner: ir.Expr, graph: AppGraph) -> bool:
    """Behind the change this body, or one that it hands the object to, commits, flushes or adds something.

    Else the change may be for the answer alone, or something else writes it.
    """
    if any(fact.node.span > change.node.span for kind in _SAVING for fact in graph.within(kind, function)):
        return True
    given = [t for site in _handing_on(function, change, owner) for t in graph.program.calls.targets(site)]
    reached, _ = effects(graph).reached(given)
    return any(graph.within(kind, each) for each in reached for kind in _SAVING)


def _handing_on(function: Function, change: Site, owner: ir.Expr) -> list[Site]:
    """Calls behind the change that get the object."""
    if not isinstance(owner, ir.Name):
        return []
    return [
        site
        for site in function.facts.calls
        if site.node.span > change.node.span
        and any(
            getattr(given, "id", "") == owner.id
            for given in (*site.node.args, *(k.value for k in site.node.keywords))
        )
    ]


def _finding(site: Site, target: ir.Attribute, found: tuple[Model, Column], graph: AppGraph) -> Finding:
    model, column = found
    function = site.scope
    holder = text_at(graph, function.location(target))
    operations = graph.entries(function) if isinstance(function, Function) else ()
    fixed, fix = _fix(site, target, holder, graph)
    owner = text_at(graph, function.location(target.value))
    kind = "dict" if column.type is not None and column.type.family == "json" else "list"
    unsure = isinstance(function, Function) and (
        not _is_meant_to_be_saved(function, site, target.value, graph)
        or _is_announced_behind(function, site, target.value, graph)
        or (not operations and is_never_named(graph, function))
    )
    flagged = f'flag_modified({owner}, "{target.attr}")'
    return rule.at(
        site,
        f"This changes `{holder}` in place: SQLAlchemy does not notice, and the commit writes nothing.",
        f"Set a new {kind}, or announce the change:\n```python\n{fixed or flagged}\n```\nor declare "
        f"`{model.name}.{column.attribute}` with `Mutable{kind.title()}.as_mutable({column.type.name if column.type else ''})`.",
        reasoning=f"`{model.name}.{column.attribute}` is a plain {column.type.name if column.type else 'JSON'} column; "
        "only setting the attribute marks the row as changed.",
        exploit=f"{first_route(operations, function.name)} succeeds, and the next request finds `{holder}` as it was.",
        confidence=Confidence.TENTATIVE if unsure else Confidence.FIRM,
        trace=steps((column, f"`{model.name}.{column.attribute}` is not watched")),
        fix=fix,
        routes=routes_of(operations),
    )


def _fix(site: Site, target: ir.Attribute, holder: str, graph: AppGraph) -> tuple[str, Fix | None]:
    """The statement that sets a new value, and the edit, for the plain cases."""
    node, scope = site.node, site.scope
    if isinstance(node, ir.Assign) and len(node.targets) == 1:
        written = node.targets[0]
        if (
            isinstance(written, ir.Subscript)
            and written.value is target
            and isinstance(written.slice, ir.Constant | ir.JoinedStr)
        ):
            if getattr(written.slice, "kind", "str") != "str":
                return "", None
            key, value = (
                text_at(graph, scope.location(written.slice)),
                text_at(graph, scope.location(node.value)),
            )
            text = f"{holder} = {{**{holder}, {key}: {value}}}"
            return text, Fix("Set a new dict", (Edit(scope.location(node), text),), safe=True)
    if (
        isinstance(node, ir.Call)
        and last_name(node.func) == "append"
        and len(node.args) == 1
        and site.context.role == "statement-value"
    ):
        value = text_at(graph, scope.location(node.args[0]))
        text = f"{holder} = [*{holder}, {value}]"
        return text, Fix("Set a new list", (Edit(scope.location(node), text),), safe=True)
    return "", None


rule.bad = """
    from typing import Any

    from fastapi import FastAPI
    from sqlalchemy import JSON, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


    Base.metadata.create_all(engine)


    @app.post("/books")
    def add_book() -> int:
        with Session(engine) as session:
            book = Book(details={"pages": 100})
            session.add(book)
            session.commit()
            return book.id


    @app.put("/books/{book_id}/pages/{pages}")
    def set_pages(book_id: int, pages: int) -> None:
        with Session(engine) as session:
            book = session.get_one(Book, book_id)
            book.details["pages"] = pages  # finding: in-place-json-mutation-lost
            session.commit()


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> dict[str, Any]:
        with Session(engine) as session:
            return session.get_one(Book, book_id).details
"""

rule.good = """
    from typing import Any

    from fastapi import FastAPI
    from sqlalchemy import JSON, create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


    Base.metadata.create_all(engine)


    @app.post("/books")
    def add_book() -> int:
        with Session(engine) as session:
            book = Book(details={"pages": 100})
            session.add(book)
            session.commit()
            return book.id


    @app.put("/books/{book_id}/pages/{pages}")
    def set_pages(book_id: int, pages: int) -> None:
        with Session(engine) as session:
            book = session.get_one(Book, book_id)
            book.details = {**book.details, "pages": pages}
            session.commit()


    @app.get("/books/{book_id}")
    def read_book(book_id: int) -> dict[str, Any]:
        with Session(engine) as session:
            return session.get_one(Book, book_id).details
"""


@rule.symptom
def the_new_number_of_pages_is_not_stored(proof: Proof) -> None:
    """The request that sets 300 pages succeeds, and the book still has 100."""
    book = proof.client.post("/books").json()
    assert proof.client.put(f"/books/{book}/pages/300").status_code == 200
    assert proof.client.get(f"/books/{book}").json() == {"pages": 100}
