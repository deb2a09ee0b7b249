"""A query forgets the tenant.

In a shared database the tenant's column is the wall between customers. When nearly every query of a model names it and one
does not, a guessed or leaked identifier of another tenant works there.

A row that a dependency is handed (a session that was found by its token) is the same, where the dependency knows the tenant that
the client names and gives the row, or its user, out without comparing the two.

Known limits: learned from the majority: at least three queries of the model, and at least four in five of them, name the column.
Nothing is said where a session hook, `with_loader_criteria` or row-level security keeps tenants apart; about operations for
administrators, or that nobody has to sign in for; about queries that name a user, or rows that another query has found; or
about the table of the tenants themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.accepted_rows import accepted_rows
from fastapi_architect.analyses.public_operations import callers_of
from fastapi_architect.analyses.query_predicates import Predicate, Statement, statements
from fastapi_architect.analyses.seldom_operations import is_for_administrators
from fastapi_architect.appgraph.models import Model
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Finding,
    Function,
    PathOperation,
    Proof,
    Rule,
    Scope,
    Severity,
    argument,
    ir,
    last_name,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A query leaves out the tenant that its siblings name",
    severity=Severity.CRITICAL,
    cwe=639,
    cvss="AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/api.html#sqlalchemy.orm.with_loader_criteria",
    ),
    requires=("sqlalchemy",),
)

_FEWEST_MODELS = 3
_FEWEST_QUERIES = 3
_SHARE = 0.8
#: What keeps tenants apart for every query at once.
_WALLS = (
    "with_loader_criteria",
    "do_orm_execute",
    "set_config",
    "schema_translate_map",
    "execution_options_schema",
)
#: What a handler compares itself when a link carries a signature over the identifier.
_SIGNED = ("SignatureVerification", "SecretComparison")
_QUERIES = frozenset({"select", "subquery", "scalar_subquery", "query", "cte", "exists"})


@rule.check(per=AppGraph)
def query_without_the_tenant(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    models = [m for m in graph.models if m.tenant_columns]
    if len(models) < _FEWEST_MODELS or graph.program.mentioning(*_WALLS):
        return
    every = [
        s for s in statements(graph) if s.scope.module.kind == "source" and s.predicates and not s.opaque
    ]
    by_model: dict[int, list[Statement]] = {}
    for each in every:
        for model_id in dict.fromkeys(id(p.model) for p in each.predicates):
            by_model.setdefault(model_id, []).append(each)
    for model in models:
        yield from _of_model(model, by_model.get(id(model), []), graph)


@rule.check(per=AppGraph)
def row_of_another_tenant(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    for each in () if graph.program.mentioning(*_WALLS) else accepted_rows(graph):
        row, tenant = f"{each.row}.{each.way}", each.tenant
        yield rule.at(
            each.function.location(each.site.node),
            f"`{each.function.name}` knows the `{tenant}` that the request is for, and accepts `{each.row}` without comparing "
            f"`{row}` with it.",
            f"Refuse what belongs elsewhere:\n```python\nif {row} != {tenant}.id:\n    raise HTTPException(status_code=404)\n```",
            reasoning=f"The client names the tenant and the `{each.model.name}` independently, and nothing of "
            f"{', '.join(str(o) for o in each.operations[:3])} compares the two.",
            exploit=f"Somebody with a `{each.model.name}` of tenant B calls `{each.operations[0]}` for tenant A and is let in.",
            confidence=Confidence.FIRM,
            trace=steps((each.function, f"{each.function.name} receives both")),
            routes=routes_of(each.operations),
            context=Context(
                missing_check=True, data="personal", writes=any(o.is_write for o in each.operations)
            ),
            symbol=each.function.full_name,
        )


def _of_model(model: Model, queries: list[Statement], graph: AppGraph) -> Iterator[Finding]:
    # The key of the tenants' own table is what tells a caller's tenant: it is searched by a domain, a token, a name.
    tenant = {column.attribute for column in model.tenant_columns if not column.primary_key}
    if not tenant:
        return
    naming = [
        s for s in queries if any(p.model is model and p.column.attribute in tenant for p in s.predicates)
    ]
    if len(naming) < _FEWEST_QUERIES or len(naming) < _SHARE * len(queries):
        return
    named = {id(s) for s in naming}
    for query in queries:
        function = query.function
        if id(query) in named or function is None or _is_found_otherwise(query, model, function, graph):
            continue
        operations = [o for o in graph.entries(function) if _has_a_tenant(o, graph)]
        if not operations:
            continue
        first = query.predicates[0]
        column = min(tenant)
        yield rule.at(
            first,
            f"`{function.name}` searches `{model.name}` without `{column}`, which {len(naming)} of the {len(queries)} queries of "
            f"`{model.name}` name: a row of another tenant is found by its identifier.",
            f"Name the tenant in the condition:\n```python\nstatement = statement.where({model.name}.{column} == {column})\n```\n"
            "or install it once for the session with `with_loader_criteria`, or as row-level security in the database.",
            reasoning=f"{', '.join(str(o) for o in operations[:3])} leads here, and no hook of the session adds the tenant.",
            exploit=f"A user of tenant A asks `{operations[0]}` for an identifier of tenant B and is answered.",
            confidence=Confidence.FIRM,
            trace=steps(*((s.predicates[0], f"{s.scope.name} names the tenant") for s in naming[:4])),
            routes=routes_of(operations),
            context=Context(missing_check=True, data="personal", writes=any(o.is_write for o in operations)),
            symbol=function.full_name,
        )


def _has_a_tenant(operation: PathOperation, graph: AppGraph) -> bool:
    """Its caller belongs to one: administrators work for all of them, strangers for none, and a signed link says which row."""
    if not graph.access(operation).authenticated or is_for_administrators(operation, graph):
        return False
    return callers_of(graph).proof_in_body(operation) not in _SIGNED


def _is_found_otherwise(query: Statement, model: Model, function: Function, graph: AppGraph) -> bool:
    """No identifier from outside finds a row: the query names a user, continues another one, or only sorts."""
    own = [p for p in query.predicates if p.model is model and not p.alternative]
    owners = {column.attribute for column in model.owner_columns}
    if any(p.column.attribute in owners and p.operator in ("==", "in") for p in own):
        return True
    if any(p.operator == "in" and _is_a_query(p, function) for p in own):
        return True
    if any(p.operator == "in" and _is_gathered(p, function, graph) for p in own):
        return True
    others = (p for p in query.predicates if p.model is not model and not p.alternative)
    if any(
        p.operator == "==" and p.column in p.model.tenant_columns and not p.column.primary_key for p in others
    ):
        return True  # joined to rows of the caller's tenant
    return all(p.operator == "order" for p in query.predicates) and _is_continued(query, function)


def _is_a_query(predicate: Predicate, function: Function) -> bool:
    """`in_(select(...))`, or a name that a query is assigned to."""
    value = predicate.value
    if value is None:
        return False
    given = [value]
    if isinstance(value, ir.Name):
        given = [b.value for b in function.facts.bindings.get(value.id, ()) if isinstance(b.value, ir.Expr)]
    return any(last_name(n.func) in _QUERIES for g in given for n in walk(g) if isinstance(n, ir.Call))


def _is_gathered(predicate: Predicate, function: Function, graph: AppGraph) -> bool:
    """Every caller hands on keys of rows that it holds: `[book.id for book in books]`, `[book.id]`."""
    value = predicate.value
    names = [parameter.name for parameter in function.parameters]
    if not isinstance(value, ir.Name) or value.id not in names:
        return False
    position = names.index(value.id) - function.is_method
    callers = graph.program.calls.callers(function)
    given = [(argument(site.node, position, value.id), site.scope) for site in callers]
    return bool(given) and all(_holds_keys(expr, scope) for expr, scope in given)


def _holds_keys(expr: ir.Expr | None, scope: Scope) -> bool:
    if isinstance(expr, ir.Name):
        values = [binding.value for binding in scope.facts.bindings.get(expr.id, ())]
        return bool(values) and all(
            isinstance(v, ir.Comprehension | ir.Sequence) and _holds_keys(v, scope) for v in values
        )
    if isinstance(expr, ir.Comprehension):
        return isinstance(expr.elt, ir.Attribute)
    return isinstance(expr, ir.Sequence) and all(isinstance(each, ir.Attribute) for each in expr.elts)


def _is_continued(query: Statement, function: Function) -> bool:
    """What is sorted was made, with its conditions, by another function: `statement = self._filtered(statement, ...)`."""
    for predicate in query.predicates:
        statement = predicate.step.statement
        name = statement.id if isinstance(statement, ir.Name) else ""
        for binding in function.facts.bindings.get(name, ()):
            value = binding.value
            if isinstance(value, ir.Call) and not any(value is p.step.node for p in query.predicates):
                return True
    return False


_MODELS = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class Project(Base):
        __tablename__ = "projects"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int] = mapped_column(index=True)
        name: Mapped[str]

    class Invoice(Base):
        __tablename__ = "invoices"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int] = mapped_column(index=True)

    class Member(Base):
        __tablename__ = "members"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant_id: Mapped[int] = mapped_column(index=True)

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add_all([Project(id=1, tenant_id=1, name="ours"), Project(id=2, tenant_id=2, name="theirs")])
        start.commit()

    def tenant(authorization: Annotated[str | None, Header()] = None) -> int:
        if authorization is None:
            raise HTTPException(401)
        return int(authorization)

    Tenant = Annotated[int, Depends(tenant)]
    app = FastAPI()

    @app.get("/projects")
    def projects(tenant_id: Tenant) -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Project.name).where(Project.tenant_id == tenant_id)))

    @app.get("/projects/by-name/{name}")
    def by_name(name: str, tenant_id: Tenant) -> list[int]:
        with Session(engine) as session:
            return list(session.scalars(select(Project.id).where(Project.tenant_id == tenant_id, Project.name == name)))

    @app.delete("/projects/{project_id}")
    def remove(project_id: int, tenant_id: Tenant) -> None:
        with Session(engine) as session:
            row = session.scalars(select(Project).where(Project.id == project_id, Project.tenant_id == tenant_id)).one()
            session.delete(row)
            session.commit()

    @app.get("/projects/newest")
    def newest(tenant_id: Tenant) -> str | None:
        with Session(engine) as session:
            return session.scalar(
                select(Project.name).where(Project.tenant_id == tenant_id).order_by(Project.id.desc()).limit(1)
            )
"""

rule.bad = (
    _MODELS
    + """
    @app.get("/projects/{project_id}")
    def read(project_id: int, tenant_id: Tenant) -> str:
        with Session(engine) as session:
            return session.scalars(select(Project.name).where(Project.id == project_id)).one()  # finding: tenant-filter-missing
"""
)

rule.good = (
    _MODELS
    + """
    @app.get("/projects/{project_id}")
    def read(project_id: int, tenant_id: Tenant) -> str:
        with Session(engine) as session:
            found = session.scalars(
                select(Project.name).where(Project.id == project_id, Project.tenant_id == tenant_id)
            ).one_or_none()
        if found is None:
            raise HTTPException(404)
        return found
"""
)


@rule.exploit
def a_tenant_reads_anothers_project(proof: Proof) -> None:
    """A user of tenant 1 asks for project 2, which belongs to tenant 2, and is told its name."""
    answer = proof.client.get("/projects/2", headers={"Authorization": "1"})
    assert answer.status_code == 200
    assert answer.json() == "theirs"
