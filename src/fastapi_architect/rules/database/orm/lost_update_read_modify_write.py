"""A number is read from a row, changed in Python and written back.

Two requests read the same stock of 10, each takes one, and both write 9: one of the two sales is lost. The transaction does
not help, because READ COMMITTED, the default of PostgreSQL, lets both read before either writes. A balance that is checked in
Python first (`if account.balance >= amount`) passes twice in the same way. The database can do it in one statement, or lock the
row while it is changed.

Known limits: rows are followed within one function and through its parameters; a lock anywhere around, of whatever kind, silences
the rule. Counters of views and the like are tentative, and so are rows that only workers change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.guarded_rows import is_guarded
from fastapi_architect.analyses.own_code import written
from fastapi_architect.analyses.request_transactions import request_end
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.analyses.session_acts import session_acts
from fastapi_architect.analyses.session_owners import may_commit
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
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
    Site,
    conditions,
    dotted_name,
    first_route,
    ir,
    lazy_pattern,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A number is read, changed and written back without a lock",
    severity=Severity.IMPORTANT,
    cwe=362,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:H/A:N",
    references=(
        "https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED",
        "https://docs.sqlalchemy.org/en/20/orm/versioning.html",
    ),
    requires=("sqlalchemy",),
)

_ARITHMETIC = frozenset({"+", "-", "*", "/", "//"})
_ORDERING = frozenset({"<", "<=", ">", ">="})
_NUMBERS = ("integer", "numeric", "float")
#: Numbers that say where a row stands, or which edition it is: each writer sets them anew.
_PLACES = lazy_pattern(
    r"version|revision|position|index|order|rank|page|sort|priority|generation", re.IGNORECASE
)
#: Numbers that nobody misses one of.
_STATISTICS = lazy_pattern(
    r"view|hit|visit|seen|click|impression|read_count|download|usage|use_count|used_count|uses$",
    re.IGNORECASE,
)


class _Change(msgspec.Struct, frozen=True, eq=False):
    """`row.column += value` or `row.column = row.column - value`."""

    site: Site
    target: ir.Attribute
    op: str
    value: ir.Expr | None
    model: Model
    column: Column


@rule.check(per=AppGraph)
def changed_in_python(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for function in _candidates(graph):
        if function.module.kind != "source":
            continue
        for change in _changes(function, graph):
            if _is_new(change, function, graph) or is_guarded(graph, change.model, function):
                continue
            operations = tuple(o for o in graph.entries(function) if _is_saved(o, graph))
            if operations or _is_in_task(function, graph):
                yield _finding(change, function, operations, graph)


def _candidates(graph: AppGraph) -> Iterator[Function]:
    """Functions that lead to a write, and methods of models."""
    members = session_acts(graph).members
    yield from members.values()
    for model in graph.models:
        yield from (each for each in model.cls.functions if id(each) not in members)


def _changes(function: Function, graph: AppGraph) -> Iterator[_Change]:
    for site in function.facts.sites(ir.AugAssign):
        node = site.node
        if isinstance(node.target, ir.Attribute) and node.op in _ARITHMETIC:
            yield from _of_number(site, node.target, node.op, node.value, function, graph)
    for site in function.facts.sites(ir.Assign):
        target = site.node.targets[0]
        if isinstance(target, ir.Attribute):
            found = _own_value(target, site.node.value, function)
            if found is not None:
                yield from _of_number(site, target, found.op, found.right, function, graph)


def _own_value(target: ir.Attribute, value: ir.Expr, function: Function) -> ir.BinOp | None:
    """The arithmetic on the column itself in what it is set to, there or in the name that is written."""
    if isinstance(value, ir.Name):
        bound = [
            b.value
            for b in function.facts.bindings.get(value.id, ())
            if b.kind == "assign" and b.value is not None
        ]
        value = bound[0] if len(bound) == 1 else value
    name = dotted_name(target)
    for node in walk(value) if name else ():
        if not isinstance(node, ir.BinOp) or node.op not in _ARITHMETIC:
            continue
        if any(isinstance(side, ir.Attribute) and dotted_name(side) == name for side in walk(node)):
            return node
    return None


def _of_number(
    site: Site, target: ir.Attribute, op: str, value: ir.Expr | None, function: Function, graph: AppGraph
) -> Iterator[_Change]:
    if _PLACES.search(target.attr):
        return
    for model in _models(target.value, function, graph):
        column = model.by_attribute.get(target.attr)
        if column is not None and column.type is not None and column.type.family in _NUMBERS:
            yield _Change(site, target, op, value, model, column)
            return


def _models(owner: ir.Expr, function: Function, graph: AppGraph) -> list[Model]:
    """Models of the row; `self` in a method of a model is one."""
    if isinstance(owner, ir.Name) and function.owner is not None and owner.id == "self":
        model = graph.database.model(function.owner)
        return [model] if model is not None else []
    return models_of(owner, function, graph)


def _is_new(change: _Change, function: Function, graph: AppGraph) -> bool:
    """The row is made here: nobody else has it."""
    owner = change.target.value
    if not isinstance(owner, ir.Name):
        return False
    for binding in function.facts.bindings.get(owner.id, ()):
        made = binding.value.value if isinstance(binding.value, ir.Await) else binding.value
        if isinstance(made, ir.Call):
            of = graph.program.inference.type_of(made.func, function)
            if any(isinstance(option, ClassRef) for option in options(of)):
                return True
    return False


def _is_saved(operation: PathOperation, graph: AppGraph) -> bool:
    """Something commits what the operation does."""
    return request_end(graph, operation).committer is not None or any(
        may_commit(graph, each) for each in operation.functions
    )


def _is_in_task(function: Function, graph: AppGraph) -> bool:
    return function in [task.function for task in graph.tasks]


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def _finding(
    change: _Change, function: Function, operations: tuple[PathOperation, ...], graph: AppGraph
) -> Finding:
    row, column = written(graph, function, change.target.value), change.target.attr
    check = _checked(change, function)
    model = change.model.cls.name
    twice = f"pass the check in line {function.location(check).line} and " if check is not None else ""
    return rule.at(
        change.site,
        f"`{row}.{column}` is computed from what was read before: two requests at the same time {twice}"
        "write the same number, and one of the changes is lost.",
        _suggestion(change, check is not None, function, graph),
        reasoning="Both transactions read before either writes, which READ COMMITTED allows, and the second write replaces the first. "
        f"Nothing locks the row, and `{model}` has no version column.",
        exploit=f"Somebody sends {first_route(operations, function.name)} twice at once: both requests read the same `{column}`"
        + (", both pass the check," if check is not None else "")
        + " and one change is gone.",
        confidence=_confidence(change, operations),
        trace=steps(
            *([(function, f"{operations[0].names[0]} gets to `{function.name}`")] if operations else []),
            *([(function.location(check), "the check that both pass")] if check is not None else []),
            (change.site, f"written back as a plain number to `{model}.{column}`"),
        ),
        fix=_fix(change, function, graph),
        routes=routes_of(operations),
        context=Context(hard=True),
    )


def _checked(change: _Change, function: Function) -> ir.Expr | None:
    """A comparison with the same column, around or before the change: is there enough?"""
    name = dotted_name(change.target)
    tests = [*conditions(change.site)]
    tests += [s.node.test for s in function.facts.sites(ir.If) if s.node.span < change.site.node.span]
    for test in tests:
        for node in walk(test):
            sides = walk(node) if isinstance(node, ir.Compare) and not _ORDERING.isdisjoint(node.ops) else ()
            if any(isinstance(side, ir.Attribute) and dotted_name(side) == name for side in sides):
                return test
    return None


def _confidence(change: _Change, operations: tuple[PathOperation, ...]) -> Confidence:
    if not operations or _STATISTICS.search(change.target.attr):
        return Confidence.TENTATIVE
    return Confidence.FIRM


def _suggestion(change: _Change, is_checked: bool, function: Function, graph: AppGraph) -> str:
    model, column = change.model.cls.name, change.target.attr
    row = written(graph, function, change.target.value)
    key = next((c.attribute for c in change.model.table.columns if c.primary_key and c.attribute), "id")
    value = written(graph, function, change.value) if change.value is not None else "1"
    guard = f", {model}.{column} >= {value}" if is_checked and change.op == "-" else ""
    return (
        "Let the database compute it in one statement, with the check in its condition, and look at `rowcount`:\n```python\n"
        f"update({model})\n```\n".replace(
            f"update({model})",
            f"update({model}).where({model}.{key} == {row}.{key}{guard}).values({column}={model}.{column} {change.op} {value})",
        )
        + "Or lock the row when it is read: `with_for_update=True` of `session.get`, `.with_for_update()` of a statement."
    )


def _fix(change: _Change, function: Function, graph: AppGraph) -> Fix | None:
    """`book.stock += 1` becomes `book.stock = Book.stock + 1`: the same attribute, computed by the database."""
    node = change.site.node
    model = change.model.cls.name
    if not isinstance(node, ir.AugAssign) or _checked(change, function) is not None:
        return None  # the check would still be made of what was read
    if graph.program.inference.lookup(model, function) is None:
        return None
    place = function.location(node)
    value = written(graph, function, node.value)
    value = value if isinstance(node.value, ir.Name | ir.Constant | ir.Attribute | ir.Call) else f"({value})"
    target = written(graph, function, node.target)
    whole = Location(place.path, place.line, place.column, place.end_line, place.end_column)
    text = f"{target} = {model}.{change.target.attr} {node.op} {value}"
    return Fix("Let the database compute the number", (Edit(whole, text),), safe=False)


_EXAMPLE = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine, update
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        stock: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/books", status_code=201)
    def add_book(stock: int) -> int:
        with Session(engine) as session:
            book = Book(stock=stock)
            session.add(book)
            session.commit()
            return book.id


    @app.get("/books/{book_id}")
    def read_stock(book_id: int) -> int:
        with Session(engine) as session:
            return session.get_one(Book, book_id).stock

"""

rule.bad = (
    _EXAMPLE
    + """
    @app.post("/books/{book_id}/copies")
    def add_copies(book_id: int, copies: int) -> None:
        with Session(engine) as session:
            book = session.get_one(Book, book_id)
            book.stock += copies  # finding: lost-update-read-modify-write
            session.commit()
"""
)

rule.good = (
    _EXAMPLE
    + """
    @app.post("/books/{book_id}/copies")
    def add_copies(book_id: int, copies: int) -> None:
        with Session(engine) as session:
            changed = session.execute(update(Book).where(Book.id == book_id).values(stock=Book.stock + copies))
            if changed.rowcount == 0:
                raise HTTPException(404, "no such book")
            session.commit()
"""
)


@rule.exploit
def one_of_two_deliveries_is_lost(proof: Proof) -> None:
    """Two deliveries of five copies arrive at once, and the stock grows by five."""
    assert proof.client.post("/books?stock=10").status_code == 201
    deliver = lambda: proof.client.post("/books/1/copies?copies=5")  # noqa: E731
    proof.race(deliver, deliver, meet="SELECT")
    assert proof.client.get("/books/1").json() == 15
