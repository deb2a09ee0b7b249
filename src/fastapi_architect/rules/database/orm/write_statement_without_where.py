"""An UPDATE or DELETE without a condition changes every row of the table.

`delete(Order)` empties the table. The same happens to `delete(Order).where(*conditions)` when the list of conditions is empty,
because nobody gave a filter. Nothing warns: the statement is correct.

Known limits: statements in scripts, tests and migrations are left out; a condition that is true of every row is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.database import BulkWrite, QueryStart
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Scope,
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
    "An UPDATE or DELETE statement has no condition",
    severity=Severity.CRITICAL,
    cwe=440,
    references=(
        "https://docs.sqlalchemy.org/en/20/tutorial/data_update.html#using-update-and-delete-statements",
    ),
    requires=("sqlalchemy",),
)

#: Tables that may hold one row.
_ONE_ROW = lazy_pattern(r"Config|Setting|State|Status|Cache|Snapshot|Singleton|Session$")
_CONDITIONS = ("where", "filter", "filter_by")
#: Names of functions whose purpose is every row of a table: `clear_cart`, `deactivate_all`, `delete_all_rows`.
_PURPOSE = lazy_pattern(
    r"_*(?:clear|truncate|reset|delete_all|remove_all|wipe|rebuild|reindex|sync"
    r"|purge(?!_(?:old|older|expired|stale|before|outdated|by)))|(?:.*_)?(?:all|everything)$"
)


@rule.check(per=QueryStart)
def unconditional_statement(start: QueryStart, graph: AppGraph) -> Iterator[Finding]:
    if start.kind not in ("update", "delete") or not start.entities or start.scope.module.kind != "source":
        return
    entity = start.entities[0]
    if not _is_table(entity, start.scope, graph):
        return
    yield from _judged(start.site, start.node, last_name(entity), start.kind, graph)


@rule.check(per=BulkWrite)
def unconditional_query(write: BulkWrite, graph: AppGraph) -> Iterator[Finding]:
    """`session.query(Order).delete()`."""
    if write.kind not in ("query_update", "query_delete") or write.scope.module.kind != "source":
        return
    start = write.node.func.value if isinstance(write.node.func, ir.Attribute) else None
    if not isinstance(start, ir.Call) or last_name(start.func) != "query" or not start.args:
        return
    if _is_table(start.args[0], write.scope, graph):
        yield from _report(write.site, last_name(start.args[0]), write.kind.removeprefix("query_"), graph)


def _is_table(entity: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    types = options(graph.program.inference.type_of(entity, scope))
    return any(isinstance(of, ClassRef) and id(of.cls) in graph.database.model_of for of in types)


def _judged(site: Site, call: ir.Call, name: str, kind: str, graph: AppGraph) -> Iterator[Finding]:
    scope = site.scope
    if not isinstance(scope, Function):
        return
    outer, conditions = _chain(call, scope)
    if any(not _may_be_empty(c, scope) for c in conditions):
        return
    if conditions:
        yield from _report(site, name, kind, graph, conditions[0])
    elif not _continued(outer, site, scope):
        yield from _report(site, name, kind, graph)


def _chain(call: ir.Call, scope: Function) -> tuple[ir.Call, list[ir.Call]]:
    """The outermost call of the chain that begins with `call`, and its conditions."""
    outer, conditions = call, []
    for site in scope.facts.calls:  # inner calls come first
        func = site.node.func
        if isinstance(func, ir.Attribute) and func.value is outer:
            outer = site.node
            if func.attr in _CONDITIONS:
                conditions.append(site.node)
    return outer, conditions


def _continued(outer: ir.Call, site: Site, scope: Function) -> bool:
    """The statement is handed on or gets its condition later: it is assigned, returned, or an argument of something
    that does not execute it."""
    statement = site.statement
    if isinstance(statement, ir.Assign) and statement.value is outer:
        target = last_name(statement.targets[0])
        if target == "":
            return True
        return not _executed_as_is(target, scope)
    if isinstance(statement, ir.Return) and statement.value is outer:
        return True
    return not any(_executes(s.node) and s.node.args[0] is outer for s in scope.facts.calls)


def _executes(call: ir.Call) -> bool:
    """It executes its one argument; with a list of rows beside it, each is found by its primary key."""
    return (
        last_name(call.func) in ("execute", "exec", "scalar", "scalars")
        and len(call.args) == 1
        and not call.keywords
    )


def _executed_as_is(name: str, scope: Function) -> bool:
    """The name is bound once and executed, and nothing is ever called on it."""
    if len(scope.facts.bindings.get(name, ())) != 1:
        return False
    used = executed = False
    for site in scope.facts.calls:
        func = site.node.func
        used |= isinstance(func, ir.Attribute) and last_name(func.value) == name and func.attr in _CONDITIONS
        executed |= _executes(site.node) and last_name(site.node.args[0]) == name
    return executed and not used


def _may_be_empty(condition: ir.Call, scope: Function) -> bool:
    """`.where(*conditions)` where the list begins empty and every addition stands in an `if`."""
    if len(condition.args) != 1 or condition.keywords:
        return not condition.args and not condition.keywords
    starred = condition.args[0]
    if not isinstance(starred, ir.Starred) or not isinstance(starred.value, ir.Name):
        return False
    name = starred.value.id
    bindings = scope.facts.bindings.get(name, ())
    if len(bindings) != 1 or not isinstance(bindings[0].value, ir.Sequence) or bindings[0].value.elts:
        return False
    if any(
        site.node.target.__class__ is ir.Name and site.node.target.id == name
        for site in scope.facts.sites(ir.AugAssign)
    ):
        return False
    additions = [
        s
        for s in scope.facts.calls
        if isinstance(s.node.func, ir.Attribute)
        and last_name(s.node.func.value) == name
        and s.node.func.attr in ("append", "extend")
    ]
    tested = any(name in _names(site.node.test) for site in scope.facts.sites(ir.If))
    return (
        bool(additions)
        and not tested
        and all(s.context.inside("if", "else", "case") is not None for s in additions)
    )


def _names(expr: ir.Expr) -> set[str]:
    found = set()
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, ir.Name):
            found.add(node.id)
        elif isinstance(node, ir.UnaryOp):
            stack.append(node.operand)
        elif isinstance(node, ir.BoolOp):
            stack += node.values
        elif isinstance(node, ir.Compare):
            stack += [node.left, *node.comparators]
        elif isinstance(node, ir.Call):
            stack += node.args
    return found


def _report(
    site: Site, name: str, kind: str, graph: AppGraph, condition: ir.Call | None = None
) -> Iterator[Finding]:
    scope = site.scope
    operations: tuple[PathOperation, ...] = graph.entries(scope) if isinstance(scope, Function) else ()
    if not operations or _PURPOSE.match(scope.name):
        return
    verb = "removes" if kind == "delete" else "changes"
    when = " when no filter is given" if condition is not None else ""
    model = name or "the table"
    if condition is None:
        values = ".values(...)" if kind == "update" else ""
        advice = f"Say which rows are meant:\n```python\n{kind}({model}).where({model}.id == wanted_id){values}\n```"
    else:
        listed = (
            condition.args[0].value if condition.args and isinstance(condition.args[0], ir.Starred) else None
        )
        conditions = last_name(listed) if listed is not None else "conditions"
        advice = (
            f"Refuse to run it without a condition:\n```python\nif not {conditions}:\n"
            f'    raise ValueError("{kind} of {model} needs a filter")\n```'
        )
    yield rule.at(
        site,
        f"This statement {verb} every row of `{model}`{when}.",
        advice,
        reasoning=f"{operations[0].names[0]} executes it, and there is no condition between the request and the table.",
        exploit=f"A client sends `{operations[0].names[0]}` once{' and gives no filter' if when else ''}: every row of `{model}` is "
        f"{'gone' if kind == 'delete' else 'changed'}.",
        confidence=_confidence(model, condition),
        trace=steps((operations[0], f"{operations[0].names[0]} leads here")),
        routes=routes_of(operations),
    )


def _confidence(model: str, condition: ir.Call | None) -> Confidence:
    if _ONE_ROW.search(model):
        return Confidence.TENTATIVE  # a table that may hold one row by design
    return Confidence.CERTAIN if condition is None else Confidence.FIRM


rule.bad = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, delete, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class LogEntry(Base):
        __tablename__ = "log_entries"

        id: Mapped[int] = mapped_column(primary_key=True)
        year: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/log/{year}")
    def write(year: int) -> int:
        with Session(engine) as session:
            session.add(LogEntry(year=year))
            session.commit()
            return session.scalar(select(func.count(LogEntry.id))) or 0


    @app.delete("/log/before/{year}")
    def forget(year: int) -> int:
        with Session(engine) as session:
            session.execute(delete(LogEntry))  # finding: write-statement-without-where
            session.commit()
            return session.scalar(select(func.count(LogEntry.id))) or 0
"""

rule.good = """
    from fastapi import FastAPI
    from sqlalchemy import create_engine, delete, func, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class LogEntry(Base):
        __tablename__ = "log_entries"

        id: Mapped[int] = mapped_column(primary_key=True)
        year: Mapped[int]


    Base.metadata.create_all(engine)


    @app.post("/log/{year}")
    def write(year: int) -> int:
        with Session(engine) as session:
            session.add(LogEntry(year=year))
            session.commit()
            return session.scalar(select(func.count(LogEntry.id))) or 0


    @app.delete("/log/before/{year}")
    def forget(year: int) -> int:
        with Session(engine) as session:
            session.execute(delete(LogEntry).where(LogEntry.year < year))
            session.commit()
            return session.scalar(select(func.count(LogEntry.id))) or 0
"""


@rule.symptom
def the_newest_row_is_gone(proof: Proof) -> None:
    """Forgetting what is older than 2020 removes the row of 2026, too."""
    proof.client.post("/log/2026")
    assert proof.client.delete("/log/before/2020").json() == 0
