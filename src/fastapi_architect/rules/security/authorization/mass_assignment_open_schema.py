"""Any key that a client sends becomes a column.

A body that is declared as `dict`, read with `request.json()`, or a schema with `extra="allow"` names no fields. When its keys
are written to a row with `setattr`, `Model(**data)` or `values(**data)`, the client sets every column there is, the owner, the
role and the price among them. `hasattr(row, name)` only keeps keys out that are no columns.

Known limits: keys that are compared with a list, or looked up in one, before they are written are taken for checked. Operations
for administrators, or that ask for a role, are left alone. A mapping that is stored whole in one JSON column is fine.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.ownership import asks_for_role
from fastapi_architect.analyses.privileged_columns import privileges
from fastapi_architect.analyses.row_fills import Fill, row_fills
from fastapi_architect.rules.kit import (
    AccessLevel,
    AppGraph,
    Confidence,
    Context,
    Finding,
    Proof,
    Rule,
    Severity,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "Any key that a client sends becomes a column",
    severity=Severity.CRITICAL,
    cwe=915,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
        "https://docs.pydantic.dev/latest/api/config/#pydantic.config.ConfigDict.extra",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def any_key_becomes_a_column(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    places: dict[int, list[Fill]] = {}
    for fill in row_fills(graph):
        is_open = fill.schema is None or (fill.schema.extra == "allow" and fill.taken.only is None)
        if is_open and not asks_for_role(graph, fill.operation):
            places.setdefault(id(fill.site.node), []).append(fill)
    for same in places.values():
        yield _finding(same, graph)


def _finding(same: list[Fill], graph: AppGraph) -> Finding:
    fill = same[0]
    operations = list(dict.fromkeys(each.operation for each in same))
    model = fill.model
    columns = [p.column.attribute for p in privileges(graph, model) if fill.taken.allows(p.column.attribute)]
    dangerous = columns[0] if columns else ""
    public = any(graph.access(o).level == AccessLevel.NONE for o in operations)
    named = f", `{dangerous}` too" if dangerous else ""
    body = f"`{fill.parameter.name}`" + (
        f', a `{fill.schema.cls.name}` with `extra="allow"`,' if fill.schema is not None else ""
    )
    sets = dangerous or next((c.attribute for c in model.columns if c.primary_key), "id")
    return rule.at(
        fill.site,
        f"`{fill.operation}` writes every key of {body} to `{model.name}`: the client sets any column{named}.",
        f"Say which fields there are, and refuse others:\n```python\nclass {model.name}Change(BaseModel):\n"
        f'    model_config = ConfigDict(extra="forbid")\n\n    {_harmless_field(model, columns)}\n```',
        reasoning=f"`{fill.parameter.name}` names no fields of its own, and no list is compared with its keys before they are written.",
        exploit=f'Send `{fill.operation}` with `{{"{sets}": ...}}` in the body: the column is written.',
        confidence=Confidence.FIRM if dangerous and not fill.operation.conditional else Confidence.TENTATIVE,
        trace=steps(
            (fill.parameter, f"any key may be sent to {fill.operation}"),
            *((site, "it is handed on") for site in fill.sites[:-1]),
            (fill.site, f"every key becomes a column of `{model.name}`"),
        ),
        routes=routes_of(operations),
        context=Context(access="none" if public else "user", writes=True, missing_check=True),
        symbol=fill.site.scope.full_name,
    )


def _harmless_field(model: object, privileged: list[str]) -> str:
    columns = getattr(model, "columns", ())
    name = next((c.attribute for c in columns if not c.primary_key and c.attribute not in privileged), "name")
    return f"{name}: str | None = None"


_START = """
    from typing import Annotated, Any

    from fastapi import Body, Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str] = mapped_column(unique=True)
        nickname: Mapped[str] = mapped_column(default="")
        balance: Mapped[int] = mapped_column(default=0)

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add(Account(id=1, token="mallory"))
        start.commit()

    def get_session():
        with Session(engine) as session:
            yield session

    SessionDep = Annotated[Session, Depends(get_session)]

    def current_account(session: SessionDep, x_token: Annotated[str | None, Header()] = None) -> Account:
        account = session.scalar(select(Account).where(Account.token == x_token))
        if account is None:
            raise HTTPException(401)
        return account

    CurrentAccount = Annotated[Account, Depends(current_account)]
    app = FastAPI()

    @app.get("/balance")
    def balance(account: CurrentAccount) -> int:
        return account.balance
"""

rule.bad = (
    _START
    + """
    @app.patch("/account")
    def change(data: Annotated[dict[str, Any], Body()], account: CurrentAccount, session: SessionDep) -> None:
        for name, value in data.items():
            if hasattr(account, name):
                setattr(account, name, value)  # finding: mass-assignment-open-schema
        session.commit()
"""
)

rule.good = (
    _START
    + """
    class AccountChange(BaseModel):
        model_config = ConfigDict(extra="forbid")

        nickname: str | None = None

    @app.patch("/account")
    def change(data: AccountChange, account: CurrentAccount, session: SessionDep) -> None:
        for name, value in data.model_dump(exclude_unset=True).items():
            setattr(account, name, value)
        session.commit()
"""
)


@rule.exploit
def mallory_gives_herself_money(proof: Proof) -> None:
    """Mallory sends `balance` with the change of her nickname, and has what she asked for."""
    mallory = {"X-Token": "mallory"}
    proof.client.patch("/account", json={"nickname": "M", "balance": 1000}, headers=mallory)
    assert proof.client.get("/balance", headers=mallory).json() == 1000
