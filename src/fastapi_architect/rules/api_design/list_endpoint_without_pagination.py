"""A list operation returns the whole table, or as many rows as the client asks for.

A list without a limit is quick with ten rows in development and takes the service down with a million:
every request reads the table, builds an object a row, and validates and encodes each. A `limit` parameter
without an upper bound is the same: `?limit=1000000000` is accepted, and so is `-5`.

Known limits: lookup tables are recognised by their names; a list that is filtered by a parent is taken for
small.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.own_code import definition
from fastapi_architect.analyses.parameter_bounds import bounds, is_integer
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.analyses.select_statements import SelectStatement, names_model, selects
from fastapi_architect.analyses.small_tables import tends_to_stay_small
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.concepts.database import QueryStep
from fastapi_architect.rules.kit import (
    UNKNOWN,
    AppGraph,
    Class,
    Confidence,
    Context,
    Finding,
    Function,
    Instance,
    PathOperation,
    Proof,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    names_in,
    options,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A list operation has no limit on its rows",
    severity=Severity.IMPORTANT,
    cwe=770,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
        "https://google.aip.dev/158",
    ),
    requires=("sqlalchemy",),
)

_LISTS = frozenset(
    {
        "builtins.list",
        "collections.abc.Sequence",
        "builtins.tuple",
        "builtins.set",
        "collections.abc.Iterable",
    }
)
_LOOKUP = lazy_pattern(
    r"countr|currenc|language|locale|role|permission|status|categor|tag|type|kind|unit|setting|config|option|plan|tier|region|"
    r"timezone|feature|flag|provider|integration|template|menu|dict|department|scope|level|rate|tax|genre|format",
    re.IGNORECASE,
)
#: What a schema's name adds to the model's.
_SHOWN_AS = lazy_pattern(
    r"s?_?(out|read|response|result|schema|dto|public|base|item|row|summary|detail|info|view|model|list|entry|record|data|"
    r"get|in|minimal|short|full|simple|brief|compact|basic|with|and|for|api|resource|serializer|representation|v\d)",
    re.IGNORECASE,
)
_OWNER = lazy_pattern(r"user|owner|tenant|account|org|member|author|customer", re.IGNORECASE)
_LIMITS = lazy_pattern(
    r"^(limit|page_?size|per_?page|size|page_limit|max_results|take|top|rows|max_rows)$", re.IGNORECASE
)
_BOUNDED_CALLS = frozenset({"paginate", "apaginate", "yield_per", "stream", "stream_scalars", "partitions"})

#: Python's type of a key, by what its column stores.
_KEYS = {"uuid": "UUID", "string": "str", "text": "str"}


@rule.check(per=PathOperation)
def list_without_a_limit(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    handler = operation.handler
    if handler is None or operation.kind != "http" or "GET" not in operation.methods:
        return
    paths = _paths_of(handler, graph)
    if operation is not paths[0]:
        return
    # Administrators are few, and are trusted with more than this; a deprecated operation is on its way out.
    by_few = is_for_administrators(operation, graph) or operation.deprecated
    for finding in _lists(operation, handler, graph):
        lowered = replace(finding, severity=Severity.MINOR) if by_few else finding
        yield replace(lowered, routes=routes_of(paths))


def _paths_of(handler: Function, graph: AppGraph) -> list[PathOperation]:
    """Every operation of one handler, such as `/books` and `/books/`, the one that people are meant to use first."""
    own = [o for o in graph.operations_running(handler) if o.handler is handler and "GET" in o.methods]
    return sorted(own, key=lambda o: (o.deprecated, not o.in_schema, o.registered_order))


def _lists(operation: PathOperation, handler: Function, graph: AppGraph) -> Iterator[Finding]:
    yield from _unbounded_parameters(operation, graph)
    element = _element(operation)
    if element is None or _LOOKUP.search(operation.path.rpartition("/")[2]):
        return
    reached, complete = effects(graph).reached([handler])
    if not complete or any(_BOUNDED_CALLS & set(f.node.called) for f in reached):
        return
    for function in reached:
        for statement in selects(graph, function):
            model = _unlimited_model(statement, element, operation, graph)
            if model is not None and _may_be_returned(function, handler, graph):
                found = _whole_table(operation, handler, statement, model, graph)
                # Half a tree of folders is of no use, and people make them one by one.
                yield replace(found, severity=Severity.MINOR) if tends_to_stay_small(model.name) else found
                return


def _may_be_returned(function: Function, handler: Function, graph: AppGraph) -> bool:
    """What a constructor does on the way prepares an object: its rows are not what the handler answers with."""
    seen: set[int] = set()
    queue = [handler]
    while queue:
        current = queue.pop()
        if current is function:
            return True
        if id(current) not in seen:
            seen.add(id(current))
            queue += [c for c in graph.program.calls.callees(current) if c.name != "__init__"]
    return False


def _element(operation: PathOperation) -> str | None:
    """Name of what the operation lists; None when it does not return a list."""
    for option in options(operation.response_type):
        if isinstance(option, Instance) and option.name in _LISTS and option.args:
            for inner in options(option.args[0]):
                cls = names_model(inner)
                if cls is not None:
                    return cls.name
    return None


def _unlimited_model(
    statement: SelectStatement, element: str, operation: PathOperation, graph: AppGraph
) -> Class | None:
    if statement.single or statement.is_open or statement.start is None:
        return None
    if statement.of_kind("limit", "group_by") or statement.function.is_generator:
        return None
    if any(_narrows(step, statement, graph) for step in statement.of_kind("where", "join", "having")):
        return None
    mapped = {id(model.cls) for model in graph.models}
    models = [cls for cls in statement.models(graph) if id(cls) in mapped]
    if len(models) != 1 or _LOOKUP.search(models[0].name):
        return None
    return models[0] if _is_listed(models[0].name, element, operation) else None


def _narrows(step: QueryStep, statement: SelectStatement, graph: AppGraph) -> bool:
    """A condition that always holds the rows to those of one parent, or to given keys."""
    function = statement.function
    around = {id(context.node) for context in statement.site.context}
    if any(c.role in ("if", "else", "case") and id(c.node) not in around for c in step.site.context):
        # Only sometimes; but what is filtered by its owner in one branch is so in spirit in the other.
        return any(_OWNER.search(name) for given in step.args for name in names_in(given))
    if step.kind == "join":
        return True
    for given in (*step.args, *(k.value for k in step.keywords)):
        for part in walk(given):
            if isinstance(part, ir.Compare) and any(
                _is_variable(c, graph, function) for c in part.comparators
            ):
                return True
            if isinstance(part, ir.Call) and getattr(part.func, "attr", "") in (
                "in_",
                "any",
                "has",
                "contains",
                "any_",
            ):
                return True
    return any(_is_variable(k.value, graph, function) for k in step.keywords) or any(
        a.__class__ is ir.Starred or a.__class__ is ir.Name for a in step.args
    )


def _is_variable(expr: ir.Expr, graph: AppGraph, function: Function) -> bool:
    """Its value differs from call to call, as that of `self.workspace_id` does whatever the class says first."""
    if isinstance(expr, ir.Attribute) and isinstance(expr.value, ir.Name):
        owner = expr.value.id
        if function.parameter(owner) is not None and not expr.attr.isupper():
            return True
    return graph.program.constants.value(expr, function) is UNKNOWN


def _is_listed(model: str, element: str, operation: PathOperation) -> bool:
    """The selected model is what the response or the path is about."""
    name = model.lower()
    last = next((p for p in reversed(operation.path.split("/")) if p and "{" not in p), "")
    segment = re.sub(r"[^a-z]", "", last.lower())
    rest = element[len(name) :] if element.lower().startswith(name) else None
    shown = rest is not None and (not rest or _SHOWN_AS.match(rest) is not None)
    return shown or segment in (name, f"{name}s", f"{name}es", f"{name[:-1]}ies")


def _whole_table(
    operation: PathOperation, handler: Function, statement: SelectStatement, model: Class, graph: AppGraph
) -> Finding:
    own = statement.function is handler
    mapped = next((m for m in graph.models if m.cls is model), None)
    column = next((c for c in mapped.columns if c.primary_key), None) if mapped is not None else None
    key = f"{model.name}.{column.attribute if column is not None else 'id'}"
    kind = _KEYS.get(column.type.family if column is not None and column.type is not None else "", "int")
    body = (
        f"statement = select({model.name}).order_by({key}).limit(limit)\n"
        f"if after is not None:\n    statement = statement.where({key} > after)"
    )
    page = {"after": (f"{kind} | None", "None"), "limit": ("Annotated[int, Query(ge=1, le=100)]", "50")}
    return rule.at(
        handler,
        f"`{operation}` ({handler.name}) returns every row of `{model.name}`: the select has no limit.",
        "Take a page, with an upper bound, and continue behind the last key:\n"
        "```python\nfrom typing import Annotated\n\nfrom fastapi import Query\n\n\n"
        f"{definition(graph, handler, body, parameters=page)}\n```",
        reasoning="Each row costs a fetch, an object, a validation and an encoding, and the number of rows only grows.",
        exploit=f"A few clients send `{operation}` at once; each request holds the whole table in memory.",
        confidence=Confidence.CERTAIN if own else Confidence.FIRM,
        trace=steps((statement.site, f"select({model.name}) without a limit")),
        routes=routes_of([operation]),
        context=Context(reads=False, writes=False),
    )


# ── limits without a bound ───────────────────────────────────────────────────────────────────────────────────────


def _unbounded_parameters(operation: PathOperation, graph: AppGraph) -> Iterator[Finding]:
    for parameter in operation.all_parameters():
        if (
            parameter.kind != "query"
            or not _LIMITS.match(parameter.name)
            or not isinstance(parameter.owner, Function)
        ):
            continue
        if parameter.model is not None or not is_integer(parameter.type):
            continue
        if not bounds(parameter, graph).keys().isdisjoint(("le", "lt")):
            continue
        reached, complete = effects(graph).reached(operation.functions)
        used = next(
            (step for f in reached for step in graph.within(QueryStep, f) if _limits_by(step, parameter)),
            None,
        )
        if used is not None and complete and not _is_clamped(parameter, reached):
            found = _unbounded(operation, parameter, used, graph)
            few = _is_below_one_parent(operation, used, graph)
            yield replace(found, severity=Severity.MINOR) if few else found


def _is_below_one_parent(operation: PathOperation, used: QueryStep, graph: AppGraph) -> bool:
    """`/positions/{address}/events`, filtered by that one: as many rows as one parent has, which are few unless it is an account."""
    parents = re.findall(r"([^/{}]+)/\{(\w+)[^}]*\}/[^{}]+$", operation.path)
    if not parents or any(_OWNER.search(name) for name in parents[0]):
        return False
    return any(
        isinstance(part, ir.Compare) and part.ops == ["=="]
        for step in graph.within(QueryStep, used.scope)
        if step.kind == "where" and step.site.context.inside("if", "else") is None
        for given in step.args
        for part in walk(given)
    )


def _limits_by(step: QueryStep, parameter: Parameter) -> bool:
    return step.kind == "limit" and any(parameter.name in set(names_in(a)) for a in step.args)


def _is_clamped(parameter: Parameter, reached: tuple[Function, ...]) -> bool:
    """The value is compared, or cut by `min`, somewhere on the way."""
    for function in reached:
        for site in function.facts.calls_named("min", "clamp", "clip"):
            if any(parameter.name in set(names_in(a)) for a in site.node.args):
                return True
        for site in function.facts.sites(ir.Compare):
            if parameter.name in set(names_in(site.node)):
                return True
    return False


def _unbounded(operation: PathOperation, parameter: Parameter, used: QueryStep, graph: AppGraph) -> Finding:
    name = parameter.name
    demanded = bounds(parameter, graph)
    assert isinstance(parameter.owner, Function)
    declared = parameter.owner.parameter(name)
    default = declared.default if declared is not None else None
    kept = int(default.value) if isinstance(default, ir.Constant) and isinstance(default.value, int) else 50
    bounded = {name: ("Annotated[int, Query(ge=1, le=100)]", str(kept if 1 <= kept <= 100 else 50))}
    return rule.at(
        parameter.location,
        f"`{name}` of `{operation}` has no upper bound: `?{parameter.alias}=1000000000` reads everything at once"
        f"{'' if 'ge' in demanded or 'gt' in demanded else ', and -5 is accepted too'}.",
        "Bound it:\n```python\nfrom typing import Annotated\n\nfrom fastapi import Query\n\n\n"
        f"{definition(graph, parameter.owner, parameters=bounded)}\n```",
        reasoning=f"`{name}` is used in `.limit(...)` ({used.location}) and compared with nothing on the way.",
        exploit=f"A client asks for a billion rows in one request to `{operation.path}`.",
        confidence=Confidence.CERTAIN if used.sure else Confidence.FIRM,
        trace=steps(
            (parameter.location, f"{name} comes from the query"), (used, f"{name} limits the select")
        ),
        routes=routes_of([operation]),
        context=Context(reads=False, writes=False),
        symbol=parameter.owner.full_name,
    )


rule.bad = """
    from fastapi import FastAPI
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        name: str


    Base.metadata.create_all(engine)
    with Session(engine) as seed:
        seed.add_all(Author(name=f"author {number}") for number in range(1000))
        seed.commit()

    app = FastAPI()


    @app.get("/authors", response_model=list[AuthorOut])
    def list_authors() -> list[Author]:  # finding: list-endpoint-without-pagination
        with Session(engine) as session:
            return list(session.scalars(select(Author).order_by(Author.name, Author.id)))
"""

rule.good = """
    from typing import Annotated

    from fastapi import FastAPI, Query
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)


    class Base(DeclarativeBase):
        pass


    class Author(Base):
        __tablename__ = "authors"

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]


    class AuthorOut(BaseModel):
        model_config = ConfigDict(from_attributes=True)

        id: int
        name: str


    Base.metadata.create_all(engine)
    with Session(engine) as seed:
        seed.add_all(Author(name=f"author {number}") for number in range(1000))
        seed.commit()

    app = FastAPI()


    @app.get("/authors", response_model=list[AuthorOut])
    def list_authors(after: int = 0, limit: Annotated[int, Query(ge=1, le=100)] = 50) -> list[Author]:
        with Session(engine) as session:
            return list(session.scalars(select(Author).where(Author.id > after).order_by(Author.id).limit(limit)))
"""


@rule.exploit
def one_request_reads_the_table(proof: Proof) -> None:
    """One request of any client is answered with all thousand rows."""
    assert len(proof.client.get("/authors?limit=1000").json()) == 1000
