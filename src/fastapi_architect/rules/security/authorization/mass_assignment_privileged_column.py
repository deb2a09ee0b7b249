"""A client sets a column that only the server may set.

`for name, value in update.model_dump().items(): setattr(user, name, value)` writes whatever the schema lets through. When the
schema of a profile inherits `is_superuser` or `is_verified` from a common base, a user makes themselves an administrator with one
more key in the body.

The mapping is followed from the place that fills the row (`Model(**data)`, a loop of `setattr`, `values(**data)`,
`sqlmodel_update`, `model_validate`) back through dumps, variables and generic helpers to the schema that the handler declares,
inherited fields included. Keys that are excluded, popped or written over on the way do not count.

Known limits: columns are recognised by their names, on models of accounts; the owner of a row only where something else can tell
who it is. Operations for administrators, or that ask for a role, are left alone. An owner that is checked against the caller
is fine. New rows whose owner the client names are told by `client-supplied-identity-trusted`; a body of an account and
its new role, by `privileged-route-without-role-check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fastapi_architect.analyses.ownership import asks_for_role, checked_inputs
from fastapi_architect.analyses.principal import story
from fastapi_architect.analyses.privileged_columns import Privilege, privileges
from fastapi_architect.analyses.row_fills import Fill, row_fills
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    routes_of,
    steps,
    walk,
)

rule = Rule(
    __name__,
    "A client sets a column that only the server may set",
    severity=Severity.CRITICAL,
    cwe=915,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Mass_Assignment_Cheat_Sheet.html",
    ),
    requires=("sqlalchemy",),
)


_IDENTITY = lazy_pattern(r"(^|_)(id|uuid|username|email|login)$")


@rule.check(per=AppGraph)
def client_fills_privileged_columns(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    places: dict[tuple[int, str], list[tuple[Fill, Privilege, SchemaField]]] = {}
    for fill in row_fills(graph):
        if (
            fill.schema is None
            or fill.schema.kind == "sqlmodel-table"
            or asks_for_role(graph, fill.operation)
        ):
            continue
        found = _exposed(fill, graph)
        if found is not None:
            places.setdefault((id(fill.site.node), found[0].column.attribute), []).append((fill, *found))
    for same in places.values():
        yield _finding(same, graph)


def _exposed(fill: Fill, graph: AppGraph) -> tuple[Privilege, SchemaField] | None:
    """The most dangerous column that the schema lets a client set."""
    assert fill.schema is not None
    fields = {field.name: field for field in fill.schema.fields if not field.is_computed}
    for privilege in privileges(graph, fill.model):
        name = privilege.column.attribute
        field = fields.get(name)
        if field is None or not fill.taken.allows(name) or _is_harmless(field):
            continue
        if privilege.what.endswith("whose the row is") and not _moves_rows(fill, name, graph):
            continue
        if fill.kind == "update" and _is_for_it(fields, name):
            continue
        return privilege, field
    return None


def _is_for_it(fields: Iterable[str], name: str) -> bool:
    """`RoleUpdate(username, role)` exists to hand the role out: who may ask for it is another question than what is let through."""
    others = [each for each in fields if each != name]
    return bool(others) and all(_IDENTITY.search(each) for each in others)


def _is_harmless(field: SchemaField) -> bool:
    """`Literal["reader"]`: none of the values is worth having."""
    values = (
        [n.value for n in walk(field.annotation) if isinstance(n, ir.Constant)] if field.annotation else []
    )
    literal = any(
        isinstance(n, ir.Name | ir.Attribute) and _last(n) == "Literal" for n in walk(field.annotation)
    )
    return literal and len(values) == 1


def _last(node: ir.Name | ir.Attribute) -> str:
    return node.id if isinstance(node, ir.Name) else node.attr


def _moves_rows(fill: Fill, name: str, graph: AppGraph) -> bool:
    """An existing row gets another owner, and nothing compares that owner with the caller."""
    if fill.kind != "update" or not graph.access(fill.operation).authenticated:
        return False
    covered = checked_inputs(story(graph, fill.operation))
    return not any(
        origin[:2] == ("client", fill.parameter.name) and (len(origin) == 2 or origin[2] == name)
        for origin in covered
    )


def _finding(same: list[tuple[Fill, Privilege, SchemaField]], graph: AppGraph) -> Finding:
    fill, privilege, field = same[0]
    assert fill.schema is not None
    operations = list(dict.fromkeys(each.operation for each, _, _ in same))
    name, model, schema = privilege.column.attribute, fill.model.name, fill.schema.cls
    public = any(graph.access(o).level == AccessLevel.NONE for o in operations)
    inherited = f", inherited from `{field.owner.name}`" if field.owner is not schema else ""
    does = "makes" if fill.kind == "create" else "changes"
    owned = privilege.what.endswith("whose the row is")
    return rule.at(
        fill.site,
        f"`{fill.operation}` {does} a `{model}` with every key of `{schema.name}`, `{name}`{inherited} among them: it "
        f"{privilege.what}, and the client sets it.",
        _suggestion(fill, name),
        reasoning=f"`{schema.name}` is what the client sends as `{fill.parameter.name}`; it has the field `{name}`, and nothing "
        f"between the request and this place leaves it out or writes it over.",
        exploit=f'Send `{fill.operation}` with `"{name}"` in the body, as any {"stranger" if public else "user"}: '
        f"the row is stored with it.",
        confidence=Confidence.TENTATIVE if owned or fill.operation.conditional else Confidence.FIRM,
        trace=steps(
            (field.location, f"`{schema.name}` lets the client set `{name}`"),
            *((site, "it is handed on") for site in fill.sites[:-1]),
            (fill.site, f"every key becomes a column of `{model}`"),
            (privilege.column, f"`{model}.{name}` {privilege.what}"),
        ),
        routes=routes_of(operations),
        context=Context(access="none" if public else "user", writes=True, missing_check=True),
        symbol=fill.site.scope.full_name,
    )


def _suggestion(fill: Fill, name: str) -> str:
    assert fill.schema is not None
    schema, parameter = fill.schema.cls.name, fill.parameter.name
    unset = ", exclude_unset=True" if fill.kind == "update" else ""
    return (
        f"Give this operation a schema without `{name}`; until then leave it out, and set it from what the server knows:\n"
        f'```python\nvalues = {parameter}.model_dump(exclude={{"{name}"}}{unset})\n```\n'
        f'`model_config = ConfigDict(extra="forbid")` in `{schema}` tells clients that it is not theirs to set.'
    )


_START = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str] = mapped_column(unique=True)
        full_name: Mapped[str] = mapped_column(default="")
        is_superuser: Mapped[bool] = mapped_column(default=False)

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add(User(id=1, token="mallory"))
        start.commit()

    def get_session():
        with Session(engine) as session:
            yield session

    SessionDep = Annotated[Session, Depends(get_session)]

    def current_user(session: SessionDep, x_token: Annotated[str | None, Header()] = None) -> User:
        user = session.scalar(select(User).where(User.token == x_token))
        if user is None:
            raise HTTPException(401)
        return user

    CurrentUser = Annotated[User, Depends(current_user)]
    app = FastAPI()

    class UserBase(BaseModel):
        full_name: str | None = None

    @app.get("/secrets")
    def secrets(user: CurrentUser) -> str:
        if not user.is_superuser:
            raise HTTPException(403)
        return "the plans"
"""

_UPDATE = """
    @app.patch("/users/me")
    def update_me(update: {schema}, user: CurrentUser, session: SessionDep) -> None:
        for name, value in update.model_dump(exclude_unset=True).items():
            setattr(user, name, value){mark}
        session.commit()
"""

rule.bad = (
    _START
    + """
    class UserUpdate(UserBase):
        is_superuser: bool = False
"""
    + _UPDATE.format(schema="UserUpdate", mark="  # finding: mass-assignment-privileged-column")
)

rule.good = (
    _START
    + """
    class UserUpdateMe(UserBase): ...
"""
    + _UPDATE.format(schema="UserUpdateMe", mark="")
)


@rule.exploit
def mallory_becomes_an_administrator(proof: Proof) -> None:
    """Mallory adds `is_superuser` to the change of her own name, and then reads what administrators read."""
    mallory = {"X-Token": "mallory"}
    assert proof.client.get("/secrets", headers=mallory).status_code == 403
    proof.client.patch("/users/me", json={"full_name": "Mallory", "is_superuser": True}, headers=mallory)
    assert proof.client.get("/secrets", headers=mallory).json() == "the plans"
