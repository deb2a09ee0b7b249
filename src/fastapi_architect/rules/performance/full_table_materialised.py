"""All rows of a table are loaded, and Python picks, counts or adds up what it needs.

`len(query.all())`, a sum over every row, a filter in a comprehension or `[0]` make the database send the
whole table and the process build an object of each row. It is fast with ten rows, slow with a hundred
thousand, and then it ends the process.

Known limits: a statement that is put together in another function is not followed. The links of one row in a
table of references are taken to be few; other tables that stay small by their nature are not known as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from fastapi_architect.analyses.run_by_hand import is_run_by_hand
from fastapi_architect.analyses.select_statements import SelectStatement, selects
from fastapi_architect.analyses.served_modules import is_served
from fastapi_architect.analyses.surroundings import nodes_of, parents_of
from fastapi_architect.appgraph.tables import Table
from fastapi_architect.concepts.database import QueryStart
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    lazy_pattern,
    names_in,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A whole table is loaded to count, add up or pick rows in Python",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://docs.sqlalchemy.org/en/20/tutorial/data_select.html#aggregate-functions-with-group-by-having",
        "https://docs.sqlalchemy.org/en/20/tutorial/data_select.html",
    ),
    requires=("sqlalchemy",),
)

_SAME = frozenset({"list", "tuple", "sorted", "reversed", "iter"})
_CHAIN = frozenset({"all", "scalars", "unique", "mappings", "fetchall", "tuples", "columns"})
#: What makes one value of many rows, to what the database does instead.
_REDUCE = {
    "len": "select(func.count()).select_from({model})",
    "sum": "select(func.sum({model}.column))",
    "max": "select(func.max({model}.column))",
    "min": "select(func.min({model}.column))",
    "any": "select(exists().where({model}.column == value))",
    "all": "select(exists().where({model}.column != value))",
    "next": "select({model}).limit(1)",
}
_SAYS = {
    "filter": "keeps some of the rows",
    "pick": "takes a few of the rows",
    "test": "asks whether there are any",
}
_INSTEAD = {
    "filter": "select({model}).where({model}.column == value)",
    "pick": "select({model}).order_by({model}.id).limit(1)",
    "test": "select(exists(select({model}.id)))",
}


@rule.check(per=Function, having=(QueryStart,))
def rows_that_python_reduces(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source" or is_run_by_hand(function) or not is_served(function, graph):
        return
    for statement in selects(graph, function):
        if statement.start is None or statement.is_open or statement.single:
            continue
        if statement.of_kind("limit", "group_by", "distinct", "execution_options", "lock"):
            continue
        if _is_of_one_row(statement) and any(_holds_links(table) for table in _tables(statement, graph)):
            continue
        use = _use(statement.site.node, function, graph)
        if (use == "len" and not _is_picked(statement)) or (
            use and not statement.of_kind("where", "join", "having")
        ):
            yield _finding(statement, use, graph)


def _is_picked(statement: SelectStatement) -> bool:
    """The rows are named one by one: `where(Model.id.in_(ids))`."""
    wheres = [each for step in statement.of_kind("where") for each in step.args]
    return any("in_" in names_in(each) for each in wheres)


#: Groups of people and things whose rows are counted by hand.
_GROUP = lazy_pattern(
    r"^(team|tenant|org|organi[sz]ation|group|workspace|household|family|department)_?id$", re.IGNORECASE
)


def _is_of_one_group(statement: SelectStatement) -> bool:
    """Only the rows of one team or tenant: `where(Member.team_id == team.id)`."""
    return any(_GROUP.match(name) for name in _equated(statement))


def _equated(statement: SelectStatement) -> Iterator[str]:
    """Names of columns that are held to one value: `where(Member.team_id == team.id)`."""
    for step in statement.of_kind("where"):
        for given in step.args:
            for part in walk(given):
                if isinstance(part, ir.Compare) and part.ops == ["=="]:
                    yield from (last_name(side) for side in (part.left, *part.comparators))


#: Keys of somebody or something that has rows without end.
_OWNER = lazy_pattern(r"user|owner|tenant|account|org|member|customer|author|status|type|role", re.IGNORECASE)


def _is_of_one_row(statement: SelectStatement) -> bool:
    """Only what belongs to one row: `where(links.c.document_id == document.id)`."""
    return any(name.endswith("_id") and not _OWNER.search(name) for name in _equated(statement))


def _tables(statement: SelectStatement, graph: AppGraph) -> list[Table]:
    """Tables that the statement selects; fewer than its entities when one of them is not known."""
    entities = statement.start.entities if statement.start is not None else ()
    mapped = {id(cls) for cls in statement.models(graph)}
    named = {last_name(entity) for entity in entities}
    found = [model.table for model in graph.models if id(model.cls) in mapped]
    return found + [table for table in graph.database.tables if table.variable and table.variable in named]


def _holds_links(table: Table) -> bool:
    """Its columns are references to other tables, its own key, and dates."""
    references = {name for key in table.foreign_keys for name in key.columns}
    others = [c for c in table.columns if c.name not in references and not c.primary_key]
    dated = all(c.type is not None and c.type.family in ("datetime", "date") for c in others)
    return len(references) > 1 and dated


def _use(node: Any, function: Function, graph: AppGraph) -> str:
    """What is done with all the rows; "" when all of them are needed."""
    parents = parents_of(function, graph)
    while True:
        parent: Any = parents.get(id(node))
        kind = parent.__class__
        if kind is ir.Await:
            node = parent
        elif kind is ir.Attribute and parent.attr in _CHAIN:
            call: Any = parents.get(id(parent))
            if call.__class__ is not ir.Call:
                return ""
            node = call
        elif kind is ir.Call and parent.func is not node:
            name = last_name(parent.func)
            if name in _SAME:
                node = parent
                continue
            return name if name in _REDUCE and parent.func.__class__ is ir.Name else ""
        elif kind is ir.Assign:
            return _use_of_name(parent, function, graph)
        else:
            return _use_of_rows(node, parent, parents)


def _use_of_rows(node: Any, parent: Any, parents: dict[int, Any]) -> str:
    kind = parent.__class__
    if kind is ir.Subscript and parent.value is node:
        return "pick" if parent.slice.__class__ in (ir.Slice, ir.Constant, ir.UnaryOp) else ""
    if kind in (ir.If, ir.Branch, ir.While) or (kind is ir.UnaryOp and parent.op == "not"):
        return "test"
    if kind is ir.Generator and parent.iter is node:
        comprehension = parents.get(id(parent))
        if parent.ifs:
            calls = any(each.__class__ is ir.Call for test in parent.ifs for each in walk(test))
            return "" if calls else "filter"
        outer: Any = parents.get(id(comprehension))
        if outer.__class__ is ir.Call and last_name(outer.func) in _REDUCE:
            return last_name(outer.func)
    return ""


def _use_of_name(statement: ir.Assign, function: Function, graph: AppGraph) -> str:
    """One way for all reads of a name: when something needs all rows, they had to be loaded."""
    targets = statement.targets
    if len(targets) != 1 or targets[0].__class__ is not ir.Name or function.functions:
        return ""
    name = targets[0].id
    if len(function.facts.bindings.get(name, ())) != 1:
        return ""
    reads = [n for n in nodes_of(function) if n.__class__ is ir.Name and n.id == name and n is not targets[0]]
    parents = parents_of(function, graph)
    uses = [_use_of_read(node, parents) for node in reads]
    if not uses or not all(uses):
        return ""
    rest = [use for use in uses if use != "test"]
    return rest[0] if rest else "test"


def _use_of_read(node: Any, parents: dict[int, Any]) -> str:
    parent: Any = parents.get(id(node))
    while parent.__class__ is ir.Call and parent.func is not node and last_name(parent.func) in _SAME:
        node, parent = parent, parents.get(id(parent))
    if parent.__class__ is ir.Call and parent.func is not node and parent.func.__class__ is ir.Name:
        return last_name(parent.func) if last_name(parent.func) in _REDUCE else ""
    return _use_of_rows(node, parent, parents)


def _finding(statement: SelectStatement, use: str, graph: AppGraph) -> Finding:
    function = statement.function
    selected = [cls.name for cls in statement.models(graph)] or [
        table.variable for table in _tables(statement, graph)
    ]
    model = selected[0] if selected else "Model"
    rows = f"every row of `{model}`" if not statement.of_kind("where") else f"every matching row of `{model}`"
    conditions = ", with the conditions as they are" if statement.of_kind("where") else ""
    how = _SAYS.get(use, f"needs only `{use}(...)` of them")
    instead = (_INSTEAD.get(use) or _REDUCE[use]).format(model=model)
    found = rule.at(
        statement.site,
        f"`{function.name}` loads {rows} and {how}: time and memory grow with the table.",
        f"Let the database do it{conditions}, so that one row travels instead of all:\n```python\nstatement = {instead}\n"
        f"```",
        reasoning=f"The statement has no LIMIT, an object is built of each row, and Python {how}.",
        exploit=f"With a million rows of `{model}`, `{function.name}` builds a million objects and {how}.",
        confidence=Confidence.FIRM,
        trace=steps((statement.site, f"the rows are loaded here; {function.name} {how}")),
        context=Context(stops_process=False),
        impact=100.0,
    )
    # Who only asks whether a table is empty has a small one in mind: settings, hooks.
    small = use == "test" or _is_of_one_group(statement)
    # Nor is it known how large a table is that is chosen only at run time, for one row of another.
    small = small or (_is_of_one_row(statement) and not _tables(statement, graph))
    return replace(found, severity=Severity.MINOR) if small else found


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import StaticPool, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        total: Mapped[int]


    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/sales-total")
    def read_sales_total() -> int:
        with Session(engine) as session:
            orders = session.scalars(select(Order)).all()  # finding: full-table-materialised
            return sum(order.total for order in orders)
"""

rule.good = """
    from fastapi import FastAPI
    from sqlalchemy import StaticPool, create_engine, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


    class Base(DeclarativeBase):
        pass


    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        total: Mapped[int]


    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    Base.metadata.create_all(engine)
    app = FastAPI()


    @app.get("/sales-total")
    def read_sales_total() -> int:
        with Session(engine) as session:
            return session.scalar(select(func.sum(Order.total))) or 0
"""


@rule.symptom
def every_row_becomes_an_object(proof: Proof) -> None:
    """Of three hundred orders three hundred objects are built to answer with one number."""
    from sqlalchemy import event
    from sqlalchemy.orm import Session

    main = proof.module()
    with Session(main.engine) as session:
        session.add_all(main.Order(total=2) for _ in range(300))
        session.commit()
    loaded: list[object] = []
    event.listen(main.Order, "load", lambda instance, _: loaded.append(instance))
    assert proof.client.get("/sales-total").json() == 600
    assert len(loaded) == 300
