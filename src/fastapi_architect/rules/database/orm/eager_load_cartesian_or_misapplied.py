"""A collection is loaded by a join that multiplies, cuts off or breaks what comes back.

`joinedload` of one collection repeats the parent for each child. With two, each child of the first meets each child of
the second: a book with 50 reviews and 40 copies is 2,000 rows for 90 objects. `selectinload` sends one short statement
for each collection and every row once.

The repeated parents are why SQLAlchemy refuses to hand out such a result before `.unique()` was said, and why a limit
behind `contains_eager` counts pairs: the tenth row may be the tenth review of the first book, and the book comes back
with some of its reviews as if there were no others.

Known limits: options that begin a chain and stand in one statement are read, and the fetch in the same body; what the
response makes of the loaded rows is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.select_statements import SelectStatement, selects
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.concepts.database import LoaderOption, RowFetch, SqlExecution
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    first_route,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A collection is loaded by a join that multiplies, cuts off or breaks the result",
    severity=Severity.MINOR,
    cwe=1073,
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#what-kind-of-loading-to-use",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=Function, having=(LoaderOption,))
def joined_collections(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source":
        return
    by_statement: dict[int, list[tuple[LoaderOption, Relationship]]] = {}
    for option in graph.within(LoaderOption, function):
        if option.kind == "joined" and option.after is None:  # a chain goes down, and multiplies nothing
            for attribute in option.attributes:
                relationship = _collection(attribute, option, graph)
                if relationship is not None:
                    by_statement.setdefault(option.site.statement.span, []).append((option, relationship))
    for found in by_statement.values():
        names = {(id(r.owner), r.attribute) for _, r in found}
        if len(names) > 1:
            yield _finding(function, found, graph)


@rule.check(per=Function, having=(LoaderOption,))
def option_that_does_not_fit(function: Function, graph: AppGraph) -> Iterator[Finding]:
    if function.module.kind != "source":
        return
    every = {id(o.node): o for o in graph.within(LoaderOption, function) if o.kind in ("joined", "contains")}
    for statement in selects(graph, function) if every else ():
        given = [
            every[id(n)]
            for step in statement.of_kind("options")
            for a in step.args
            for n in walk(a)
            if id(n) in every
        ]
        for option in given:
            relationship = next(
                (r for a in option.attributes if (r := _collection(a, option, graph)) is not None), None
            )
            if relationship is None or option.after is not None:
                continue
            finding = _unmade_unique(statement, relationship, option, graph) or _cut_off(
                statement, relationship, option, graph
            )
            if finding is not None:
                yield finding
                break


@rule.check(per=AppGraph)
def mapper_that_joins(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    joined = {id(m.cls): m for m in graph.models if m.cls.module.kind == "source" and _joins(m)}
    for model in joined.values():
        chain = _chain(model, joined)
        if len(chain) >= _DEEP:
            yield _of_chain(model, chain)
    collections = {
        key: r for key, m in joined.items() if (r := next((r for r in _joins(m) if r.uselist), None))
    }
    if not collections:
        return
    functions = {id(e.function): e.function for e in graph.facts(SqlExecution) if e.function is not None}
    for function in functions.values():
        if function.module.kind != "source":
            continue
        for statement in selects(graph, function):
            for cls in statement.models(graph):
                relationship = collections.get(id(cls))
                if relationship is None or _is_overridden(statement, relationship):
                    continue
                finding = _unmade_unique(statement, relationship, None, graph)
                if finding is not None:
                    yield finding


#: Tables that a mapper joins one behind the other before it is too much for every query.
_DEEP = 3
#: What refuses a result with repeated parents; `first` and `scalar` take one row and do not look.
_REFUSING = frozenset({"all", "one", "one_or_none", "scalar_one", "scalar_one_or_none"})
_TAKES_ONE = frozenset({"first", "scalar"})


def _unmade_unique(
    statement: SelectStatement, relationship: Relationship, option: LoaderOption | None, graph: AppGraph
) -> Finding | None:
    """SQLAlchemy raises: the rows of a joined collection are fetched without `.unique()`."""
    if statement.start is None or statement.start.kind != "select":
        return None
    fetch = _fetch_of(statement, graph)
    if fetch is None or fetch.kind not in _REFUSING or statement.function.facts.calls_named("unique"):
        return None
    name = f"{relationship.owner.name}.{relationship.attribute}"
    return rule.at(
        fetch,
        f"`{name}` is joined, and `{fetch.kind}` takes the rows without `unique()`: SQLAlchemy raises InvalidRequestError.",
        "Let each parent through once, or load the collection by itself:\n```python\n"
        f"rows = session.scalars(statement).unique().{'all' if fetch.kind == 'all' else 'one_or_none'}()\n```",
        reasoning="A joined collection repeats its parent for each child, and results of `select()` do not take repeats out "
        "by themselves, as those of `session.query()` do.",
        exploit=f"{first_route(graph.entries(statement.function), statement.function.name)} raises "
        "InvalidRequestError at the first row it takes.",
        confidence=Confidence.FIRM,
        trace=steps(
            (option if option is not None else relationship, f"`{name}` is joined here"),
            (fetch, "the rows are taken here"),
        ),
        routes=routes_of(graph.entries(statement.function)),
        impact=float(len(graph.entries(statement.function))),
    )


def _fetch_of(statement: SelectStatement, graph: AppGraph) -> RowFetch | None:
    """What takes the rows of a statement in its own body, the last call of the chain."""
    found = [
        f
        for f in graph.within(RowFetch, statement.function)
        if f.kind in _REFUSING | _TAKES_ONE and _comes_from(f.result, statement.site.node, statement.function)
    ]
    return found[0] if len(found) == 1 else None


def _comes_from(expr: ir.Expr | None, execution: ir.Expr, function: Function) -> bool:
    for _ in range(8):
        if expr is None or expr is execution:
            return expr is not None
        if isinstance(expr, ir.Await):
            expr = expr.value
        elif isinstance(expr, ir.Call) and last_name(expr.func) in ("scalars", "unique"):
            expr = expr.func.value if isinstance(expr.func, ir.Attribute) else None
        elif isinstance(expr, ir.Name) and len(function.facts.bindings.get(expr.id, ())) == 1:
            binding = function.facts.bindings[expr.id][0]
            expr = binding.value if binding.kind == "assign" and not binding.path else None
        else:
            return False
    return False


def _cut_off(
    statement: SelectStatement, relationship: Relationship, option: LoaderOption, graph: AppGraph
) -> Finding | None:
    """A limit counts pairs of parent and child, where the children come from the join of the statement itself."""
    limits = statement.of_kind("limit", "offset")
    fetch = _fetch_of(statement, graph)
    if option.kind != "contains" or not limits or (fetch is not None and fetch.kind in _TAKES_ONE):
        return None
    given = [graph.program.constants.value(a, statement.function) for step in limits for a in step.args]
    if 1 in given or statement.of_kind("distinct", "group_by"):
        return None
    name = f"{relationship.owner.name}.{relationship.attribute}"
    place = statement.function.location(limits[0].args[0]) if limits[0].args else limits[0].location
    return rule.at(
        place,
        f"`{name}` is filled from the join, and this limit counts pairs: the last parent comes back with some of its "
        f"`{relationship.attribute}` only, and a page holds fewer parents than it says.",
        "Take the page from the parents alone, and load the collection for it:\n```python\n"
        f"statement = select({relationship.owner.name}).options(selectinload({name})).limit(limit)\n```",
        reasoning="`contains_eager` takes the rows as they are; unlike `joinedload` it does not put the limit into a "
        "statement of its own.",
        exploit=f"{first_route(graph.entries(statement.function), statement.function.name)} answers with a last "
        f"`{relationship.owner.name}` that lacks "
        f"some of its `{relationship.attribute}`.",
        confidence=Confidence.FIRM,
        trace=steps((option, f"fills `{name}` from the joined rows"), (place, "counts joined rows")),
        symbol=statement.function.full_name,
        routes=routes_of(graph.entries(statement.function)),
        impact=float(len(graph.entries(statement.function))),
    )


def _joins(model: Model) -> list[Relationship]:
    return [r for r in model.relationships if r.lazy == "joined"]


def _is_overridden(statement: SelectStatement, relationship: Relationship) -> bool:
    """Some option of the statement names the attribute, or cannot be read."""
    given = [node for step in statement.of_kind("options") for a in step.args for node in walk(a)]
    return any(
        isinstance(n, ir.Attribute) and n.attr in (relationship.attribute, "lazyload", "noload", "raiseload")
        for n in given
    ) or any(isinstance(n, ir.Constant | ir.Starred) for n in given)


def _chain(model: Model, joined: dict[int, Model]) -> list[Relationship]:
    """The longest way through `lazy="joined"`, no table twice."""
    longest: list[Relationship] = []
    stack: list[tuple[Model, list[Relationship]]] = [(model, [])]
    while stack:
        current, way = stack.pop()
        longest = way if len(way) > len(longest) else longest
        passed = {id(model.cls), *(id(r.target) for r in way)}
        for each in _joins(current) if len(way) < 2 * _DEEP else ():
            following = joined.get(id(each.target))
            if id(each.target) not in passed:
                if following is not None:
                    stack.append((following, [*way, each]))
                elif len(way) + 1 > len(longest):
                    longest = [*way, each]
    return longest


def _of_chain(model: Model, chain: list[Relationship]) -> Finding:
    shown = " → ".join([model.name, *(r.target_name for r in chain)])
    return rule.at(
        chain[0],
        f"Every query of {model.name} joins {len(chain)} further tables ({shown}), whether anybody reads them or not.",
        "Leave the mapper lazy, and ask for the rows where they are read:\n```python\n"
        f"statement = select({model.name}).options(joinedload({model.name}.{chain[0].attribute}))\n```",
        reasoning='`lazy="joined"` on each of these relationships makes one chain of joins.',
        exploit=f"A query for one column of `{model.name}` goes through {len(chain) + 1} tables.",
        confidence=Confidence.FIRM if any(r.uselist for r in chain) else Confidence.TENTATIVE,
        trace=steps(*((r, f"`{r.owner.name}.{r.attribute}` is always joined") for r in chain)),
        symbol=model.cls.full_name,
    )


def _collection(attribute: ir.Expr, option: LoaderOption, graph: AppGraph) -> Relationship | None:
    if not isinstance(attribute, ir.Attribute):
        return None
    for of in options(graph.program.inference.type_of(attribute.value, option.scope)):
        model = graph.database.model_of.get(id(of.cls)) if isinstance(of, ClassRef) else None
        relationship = model.relationship_by_name.get(attribute.attr) if model is not None else None
        if relationship is not None and relationship.uselist:
            return relationship
    return None


def _finding(function: Function, found: list[tuple[LoaderOption, Relationship]], graph: AppGraph) -> Finding:
    shown = [f"{r.owner.name}.{r.attribute}" for _, r in found]
    operations = graph.entries(function)
    loads = ", ".join(f"selectinload({name})" for name in dict.fromkeys(shown))
    return rule.at(
        found[1][0],
        f"`{shown[0]}` and `{shown[1]}` are joined in one statement: a · b rows come back for a + b objects.",
        "Load each collection with a statement of its own:\n```python\n"
        f"statement = statement.options({loads})\n```",
        reasoning="The joins do not depend on each other, so that the result holds every combination of their rows.",
        exploit=f"One `{found[0][1].owner.name}` with 5 of `{found[0][1].attribute}` and 4 of "
        f"`{found[1][1].attribute}` comes back as 20 rows.",
        confidence=Confidence.FIRM,
        trace=steps(*((o, f"joins `{name}`") for (o, _), name in zip(found, shown, strict=True))),
        routes=routes_of(operations),
        impact=float(len(operations)),
    )


_MODELS = """
    from fastapi import FastAPI
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Review(Base):
        __tablename__ = "reviews"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)


    class Copy(Base):
        __tablename__ = "copies"

        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id"), index=True)


    class Book(Base):
        __tablename__ = "books"

        id: Mapped[int] = mapped_column(primary_key=True)
        reviews: Mapped[list[Review]] = relationship()
        copies: Mapped[list[Copy]] = relationship()


    Base.metadata.create_all(engine)


    @app.post("/books")
    def add_book() -> None:
        with Session(engine) as session:
            session.add(Book(reviews=[Review() for _ in range(5)], copies=[Copy() for _ in range(4)]))
            session.commit()

"""

rule.bad = (
    _MODELS
    + """
    @app.get("/books")
    def list_books() -> list[int]:
        with Session(engine) as session:
            statement = select(Book).options(
                joinedload(Book.reviews),
                joinedload(Book.copies),  # finding: eager-load-cartesian-or-misapplied
            )
            return [len(book.reviews) for book in session.scalars(statement).unique()]
"""
)

rule.good = (
    _MODELS
    + """
    @app.get("/books")
    def list_books() -> list[int]:
        with Session(engine) as session:
            statement = select(Book).options(
                selectinload(Book.reviews),
                selectinload(Book.copies),
            )
            return [len(book.reviews) for book in session.scalars(statement).unique()]
"""
)


@rule.symptom
def nine_objects_are_twenty_rows(proof: Proof) -> None:
    """One book with five reviews and four copies comes back as twenty rows."""
    from sqlalchemy import text

    proof.client.post("/books")
    with proof.count_statements() as counted:
        assert proof.client.get("/books").json() == [5]
    sent = next(s for s in counted.statements if "FROM books" in s)
    with proof.module("main").engine.connect() as connection:
        assert len(connection.execute(text(sent)).all()) == 20
