"""A query looks whether a row exists, and nothing in the database keeps two requests from both finding none.

`if session.scalar(select(User).where(User.email == email)): raise ...` refuses a duplicate as long as requests come one after the other.
Two at once both look, both find nothing, and both insert. Only a unique constraint, or a lock, refuses the second. Its absence
also means that the query reads the whole table.

Known limits: the query and the insert are looked for in one function and in what it calls; a limit on the number of rows is left
alone, as no constraint expresses it. Rows that people make by hand (roles, types), and what only administrators add, are minor:
two at once are rare.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.added_rows import AddedRow, added_rows
from fastapi_architect.analyses.guarded_rows import is_isolated, is_under_lock
from fastapi_architect.analyses.migration_history import histories
from fastapi_architect.analyses.query_predicates import Statement, statements_of
from fastapi_architect.analyses.request_transactions import request_end
from fastapi_architect.analyses.search_indexes import is_known, table_of
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.session_acts import session_acts
from fastapi_architect.analyses.session_owners import may_commit
from fastapi_architect.analyses.small_tables import tends_to_stay_small
from fastapi_architect.appgraph.models import Model
from fastapi_architect.concepts.database import SessionAdd
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Severity,
    Site,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A duplicate is refused by a query, and by no unique constraint",
    severity=Severity.IMPORTANT,
    cwe=367,
    cvss="AV:N/AC:H/PR:L/UI:N/S:U/C:N/I:H/A:N",
    references=(
        "https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-UNIQUE-CONSTRAINTS",
        "https://docs.sqlalchemy.org/en/20/core/constraints.html#unique-constraint",
    ),
    requires=("sqlalchemy",),
)

_MAX_DEPTH = 3
#: Conditions that a unique constraint, whole or partial, can express.
_EXACT = ("==", "is", "truth")
#: With more columns than this it is a search for something alike, rather than a key.
_MAX_COLUMNS = 4
#: What makes something else of a result: `bool(count >= limit)`.
_COMPUTED = ("bool", "len", "int", "any", "all", "max", "min")


class _Look(msgspec.Struct, frozen=True, eq=False):
    """A test whether such a row is there."""

    test: Site
    statement: Statement
    columns: tuple[str, ...]


@rule.check(per=AppGraph)
def looked_first(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    if is_isolated(graph):
        return
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for function in session_acts(graph).members.values():
        if function.module.kind != "source" or not function.facts.sites(ir.If):
            continue
        inserts = list(added_rows(function, graph))
        for look, insert in _pairs(function, inserts, graph) if inserts else ():
            key = (insert.model.cls.full_name, look.columns)
            if (
                key in seen
                or not _is_open(insert.model, look.columns, graph)
                or is_under_lock(graph, function)
            ):
                continue
            operations = tuple(o for o in graph.entries(function) if o.is_write and _is_saved(o, graph))
            if operations:
                seen.add(key)
                found = _finding(look, insert, function, operations)
                few = tends_to_stay_small(insert.model.name) or all(
                    is_for_administrators(operation, graph) for operation in operations
                )
                yield replace(found, severity=Severity.MINOR) if few else found


def _is_saved(operation: PathOperation, graph: AppGraph) -> bool:
    committer = request_end(graph, operation).committer
    return committer is not None or any(may_commit(graph, each) for each in operation.functions)


# ── the insert ──────────────────────────────────────────────────────────────────────────────────────────────


def _is_open(model: Model, columns: tuple[str, ...], graph: AppGraph) -> bool:
    """No unique constraint or index, whole or partial, of the models or of the migrations lies within the columns.

    One that holds them all and more (`email` of a tenant) is believed to be what was meant.
    """
    if not is_known(model, graph):
        return False
    table = table_of(model, graph)
    unique: list[tuple[str, ...]] = [table.primary_key, *(u.columns for u in table.uniques)]
    unique += [index.columns for index in table.indexes if index.unique]
    for history in graph.migrations:
        state = histories(graph).head(history).table(table.full_name)
        if state is not None:
            unique += [u.columns for u in state.uniques]
            unique += [index.columns for index in state.indexes if index.unique]
    names = [column.name for column in table.columns if column.attribute in columns]
    for each in unique:
        within = all(any(name in part for name in names) for part in each)
        if each and (within or all(any(name in part for part in each) for name in names)):
            return False
    return True


# ── the look ────────────────────────────────────────────────────────────────────────────────────────────────


def _pairs(function: Function, inserts: list[AddedRow], graph: AppGraph) -> Iterator[tuple[_Look, AddedRow]]:
    for site in function.facts.sites(ir.If):
        sense = _sense(site.node.test)
        if sense is None:
            continue
        for insert in inserts:
            inside = any(context.node is site.node for context in insert.site.context)
            if sense and (inside or not _leaves(site.node.body) or insert.site.node.span < site.node.span):
                continue  # `if taken: raise`, and the insert behind it
            if not sense and not inside:
                continue  # `if user is None: add(User(...))`
            look = _looked_for(site, insert, function, graph)
            if look is not None:
                yield look, insert


def _sense(test: ir.Expr) -> bool | None:
    """True where the test holds when there is a row, False where it holds when there is none; None when unclear."""
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        inner = _sense(test.operand)
        return None if inner is None else not inner
    if isinstance(test, ir.Compare) and len(test.ops) == 1:
        other = test.comparators[0]
        is_none = isinstance(other, ir.Constant) and other.kind == "none"
        if is_none and test.ops[0] in ("is", "is not"):
            return test.ops[0] == "is not"
        is_zero = isinstance(other, ir.Constant) and other.value == 0
        return True if is_zero and test.ops[0] == ">" else None
    return True if isinstance(test, ir.Name | ir.Call | ir.Await) else None


def _leaves(body: list[ir.Stmt]) -> bool:
    return any(isinstance(statement, ir.Raise | ir.Return) for statement in body)


def _looked_for(site: Site, insert: AddedRow, function: Function, graph: AppGraph) -> _Look | None:
    """The statement whose result is tested, when it asks for rows of the model by what they are to hold."""
    for expr in _origins(site, function):
        for statement in _statements(expr, function, graph, 0):
            found = [p for p in statement.predicates if p.operator == "==" and p.model is insert.model]
            others = any(
                p.model is not insert.model or p.alternative or p.operator not in _EXACT
                for p in statement.predicates
            )
            columns = tuple(sorted({p.column.attribute for p in found}))
            asks = "order_by" not in statement.kinds and "limit" not in statement.kinds
            if columns and asks and not others and not statement.opaque and _are_set(columns, insert):
                return _Look(site, statement, columns)
    return None


def _origins(site: Site, function: Function) -> Iterator[ir.Expr]:
    """The test, and what the names in it were last given before it."""
    yield site.node.test
    for node in walk(site.node.test):
        if isinstance(node, ir.Name):
            bound = [
                b.value
                for b in function.facts.bindings.get(node.id, ())
                if b.kind in ("assign", "annotated", "walrus")
                and b.value is not None
                and b.node.span < site.node.span
            ]
            yield from (
                v for v in bound[-1:] if not isinstance(v, ir.Call) or last_name(v.func) not in _COMPUTED
            )


def _statements(expr: ir.Expr, function: Function, graph: AppGraph, depth: int) -> Iterator[Statement]:
    """Statements that an expression sends: in this body, by their own text or the name that holds them, or below a call."""
    inside = {id(node) for node in walk(expr)}
    names = {node.id for node in walk(expr) if isinstance(node, ir.Name)}
    for statement in statements_of([function], graph):
        step = statement.predicates[0].step if statement.predicates else None
        if step is None:
            continue
        held = step.site.statement
        named = isinstance(held, ir.Assign) and any(last_name(t) in names for t in held.targets)
        result = names & {last_name(t) for t in getattr(held, "targets", ())}
        if id(step.node) in inside or named or result:
            yield statement
    for call in (node for node in walk(expr) if isinstance(node, ir.Call)):
        if depth < _MAX_DEPTH:
            for target in _targets(call, function, graph):
                for each in (s.node.value for s in target.facts.sites(ir.Return) if s.node.value is not None):
                    yield from _returned(each, target, graph, depth + 1)


def _returned(expr: ir.Expr, target: Function, graph: AppGraph, depth: int) -> Iterator[Statement]:
    yield from _statements(expr, target, graph, depth)
    for node in walk(expr):  # `result = session.execute(...)`, then `return result.scalar()`
        if isinstance(node, ir.Name):
            for binding in target.facts.bindings.get(node.id, ()):
                if binding.kind in ("assign", "annotated") and binding.value is not None:
                    yield from _statements(binding.value, target, graph, depth)


def _targets(call: ir.Call, function: Function, graph: AppGraph) -> tuple[Function, ...]:
    site = next((s for s in function.facts.calls_named(last_name(call.func)) if s.node is call), None)
    return graph.program.calls.targets(site) if site is not None else ()


def _are_set(columns: tuple[str, ...], insert: AddedRow) -> bool:
    """The new row gets these columns; where it is made elsewhere, that is believed."""
    concept = insert.add.concept
    made = concept.instance if isinstance(concept, SessionAdd) else None
    if isinstance(made, ir.Name):
        function = insert.add.site.scope
        values = [b.value for b in function.facts.bindings.get(made.id, ()) if b.value is not None]
        made = next((v for v in values if isinstance(v, ir.Call)), None)
    if not isinstance(made, ir.Call):
        return True
    given = {keyword.arg for keyword in made.keywords}
    return None in given or not given or given.issuperset(columns)


# ── what is said ────────────────────────────────────────────────────────────────────────────────────────────


def _finding(
    look: _Look, insert: AddedRow, function: Function, operations: tuple[PathOperation, ...]
) -> Finding:
    model, columns = insert.model.cls.name, look.columns
    named = ", ".join(f"`{model}.{column}`" for column in columns)
    names = ", ".join(
        f'"{column.name}"' for column in insert.model.table.columns if column.attribute in columns
    )
    table = insert.model.table.name
    mend = (
        f"{columns[0]}: Mapped[...] = mapped_column(unique=True)"
        if len(columns) == 1
        else f"__table_args__ = (UniqueConstraint({names}),)"
    )
    return rule.at(
        look.test.scope.location(look.test.node.test),
        f"`{function.name}` looks for a `{model}` with the same {named} before it adds one, and no unique constraint keeps two "
        "requests at once from adding both.",
        f"Let the database refuse the second, with a migration, and answer its IntegrityError with 409:\n```python\n{mend}\n\n"
        f'op.create_unique_constraint("uq_{table}_{"_".join(columns)}", "{table}", [{names}])\n```',
        reasoning="Under READ COMMITTED neither transaction sees the row of the other before it is committed; both tests pass.",
        exploit=f"{first_route(operations, function.name)} is sent twice at once: both look, both find nothing, and there are two rows.",
        confidence=Confidence.FIRM if len(columns) <= _MAX_COLUMNS else Confidence.TENTATIVE,
        trace=steps(
            (function, f"{operations[0].names[0]} gets to `{function.name}`"),
            (look.statement.predicates[0].location, "looks for such a row"),
            (insert.site, "adds one"),
            (insert.model.cls, f"nothing makes {named} unique"),
        ),
        routes=routes_of(operations),
        context=Context(hard=True),
    )


_EXAMPLE = """
    from fastapi import FastAPI, HTTPException
    from sqlalchemy import create_engine, select
    from sqlalchemy.exc import IntegrityError
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass

"""

rule.bad = (
    _EXAMPLE
    + """
    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(index=True)


    Base.metadata.create_all(engine)


    @app.post("/users", status_code=201)
    def register(email: str) -> None:
        with Session(engine) as session:
            taken = session.scalar(select(User).where(User.email == email))
            if taken is not None:  # finding: check-then-insert-without-unique-constraint
                raise HTTPException(409, "this email is taken")
            session.add(User(email=email))
            session.commit()
"""
)

rule.good = (
    _EXAMPLE
    + """
    class User(Base):
        __tablename__ = "users"

        id: Mapped[int] = mapped_column(primary_key=True)
        email: Mapped[str] = mapped_column(unique=True)


    Base.metadata.create_all(engine)


    @app.post("/users", status_code=201)
    def register(email: str) -> None:
        with Session(engine) as session:
            session.add(User(email=email))
            try:
                session.commit()
            except IntegrityError as exc:
                raise HTTPException(409, "this email is taken") from exc
"""
)


@rule.exploit
def two_accounts_with_one_address(proof: Proof) -> None:
    """Two registrations with one address arrive at once, and both are accepted."""
    register = lambda: proof.client.post("/users?email=ann@example.org").status_code  # noqa: E731
    assert proof.race(register, register, meet="SELECT") == [201, 201]
