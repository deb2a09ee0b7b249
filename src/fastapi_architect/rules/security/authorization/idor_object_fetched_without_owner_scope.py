"""An object is found by its identifier alone, whoever asks.

Being signed in says who is calling, not what is theirs. When `/orders/{order_id}` loads the order by `order_id` and nobody
compares its owner with the caller, every user reads or changes everybody's orders by counting.

An account that the body names is one such object: `PUT /profile` with the `username` of somebody else, where the handler is given
the caller and never asks about them.

What an operation looks up is followed through dependencies, services and repositories, generic ones too. A condition on the
owner, a comparison of the owner with the caller, a membership that is looked up for both, a test of the caller's role, or a
dependency that does one of these is the check that is missing here.

Known limits: an owner is a foreign key to whoever signs in, or a chain of them; that rows are private is learned from other
operations that keep to the caller's own (that read, for what is read), or, for changes, that make them. Where everybody can
list the rows, where few operations keep to their own, or where only an author is known, the finding is tentative. A row
of another tenant is reported where it is loaded by its key and nearly all queries name the tenant, and a row whose parent
belongs to a tenant where three other models are kept to the caller's tenant and the operation never asks for it. Other
queries belong to `tenant-filter-missing`, and a child that is not tied to its parent in the path by
`nested-resource-parent-mismatch`. Files and documents that are found by name or in other databases are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.chosen_accounts import ChosenAccount, chosen_accounts
from fastapi_architect.analyses.origins import CALLER, flat
from fastapi_architect.analyses.ownership import (
    Scoped,
    Unscoped,
    asks_for_caller,
    asks_for_rank,
    kept_apart,
    listed,
    made_for_callers,
    scoping,
    unscoped_lookups,
)
from fastapi_architect.analyses.row_owners import Owner
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    ir,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "An object is found by its identifier alone, whoever asks",
    severity=Severity.CRITICAL,
    cwe=639,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Insecure_Direct_Object_Reference_Prevention_Cheat_Sheet.html",
    ),
    requires=("sqlalchemy",),
)

#: From operations that ask for a role, a majority has to keep to the caller's own rows.
_FEWEST_SIBLINGS = 3
_SHARE = 0.8
#: What keeps tenants apart for every query at once.
_WALLS = ("with_loader_criteria", "do_orm_execute", "set_config", "schema_translate_map")
_CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
#: With fewer places than this that keep to the caller's own rows, they may be the exception.
_FEWEST_SCOPED = 2


@rule.check(per=AppGraph)
def found_by_identifier_alone(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    places: dict[tuple[int, int], list[Unscoped]] = {}
    count: dict[int, int] = {}
    for operation in graph.operations:
        for each in unscoped_lookups(graph, operation):
            if each.lookup.site.scope.module.kind == "source" and _is_ours(each, graph):
                places.setdefault((id(_place(each).node), id(each.owner)), []).append(each)
                count[id(each.owner)] = count.get(id(each.owner), 0) + 1
    for found in places.values():
        owner = found[0].owner
        siblings = _siblings(owner, graph)
        if not any(_changes(each) for each in found):
            # That only the owner may change a row does not say that nobody else may read it.
            siblings = [sibling for sibling in siblings if not sibling.operation.is_write]
        if siblings:
            sure = _confidence(found, siblings, count[id(owner)], graph)
        elif owner.tenant:
            siblings, sure = _of_other_tenants(found, graph)
        else:
            siblings, sure = _of_their_makers(found, graph)
        if sure is not None:
            yield _finding(found, siblings, sure)
    for account in chosen_accounts(graph):
        yield _of_account(account)


def _of_account(account: ChosenAccount) -> Finding:
    """The body names the account that is changed, and the caller, whom the handler is given, is not asked about."""
    operation, lookup, fill = account.operation, account.lookup, account.fill
    name, model = ".".join(account.chosen[1:]), fill.model.name
    caller = next(
        (n for n, value in account.frame.arguments.items() if flat(value) == {CALLER}), "current_user"
    )
    return rule.at(
        lookup.sites[0],
        f"`{operation}` changes the `{model}` that `{name}` names, which the client chooses, and never asks about `{caller}`.",
        f"Change the caller's own account, and drop `{account.chosen[-1]}` from what the client sends:\n```python\n"
        f'for name, value in {fill.parameter.name}.model_dump(exclude={{"{account.chosen[-1]}"}}, exclude_unset=True).items():\n'
        f"    setattr({caller}, name, value)\n```",
        reasoning=f"The handler is given `{caller}`, whom the token proves, and neither compares it with `{name}` nor looks "
        "anything up by it.",
        exploit=f"Signed in as anybody, send `{operation}` with somebody else's `{account.chosen[-1]}`: their account is changed.",
        confidence=Confidence.TENTATIVE if operation.conditional else Confidence.FIRM,
        trace=steps(
            (account.frame.function, f"`{name}` comes from the client of {operation}"),
            *((site, "it is handed on") for site in lookup.sites[:-1]),
            (lookup.site, f"the `{model}` is found by it alone"),
            (fill.site, "and filled with what the client sends"),
        ),
        routes=routes_of([operation]),
        context=Context(access="user", missing_check=True, data="personal", writes=True),
        symbol=lookup.sites[0].scope.full_name,
    )


def _is_ours(each: Unscoped, graph: AppGraph) -> bool:
    """Statements that forget the tenant belong to `tenant-filter-missing`; it does not look at keys, nor at sessions with walls."""
    if not each.owner.tenant:
        return True
    named_by_parent = each.owner.via is not None
    return (named_by_parent or each.lookup.column is None) and not graph.program.mentioning(*_WALLS)


def _siblings(owner: Owner, graph: AppGraph) -> list[Scoped]:
    """Places that keep to the caller's own rows of the model, or of the one that has the owner."""
    found = list(scoping(graph).get(id(owner.model), ()))
    return found + (_siblings(owner.via, graph) if owner.via is not None else [])


def _of_other_tenants(found: list[Unscoped], graph: AppGraph) -> tuple[list[Scoped], Confidence | None]:
    """Rows of a tenant's child, where other models are kept apart by the caller's tenant and nobody here asks who that is."""
    owner = found[0].owner
    kept = [places for places in kept_apart(graph).values() if places]
    if owner.via is None or len(kept) < _FEWEST_SIBLINGS:
        return [], None
    if any(asks_for_rank(graph, each.operation) or asks_for_caller(graph, each.operation) for each in found):
        return [], None
    return [places[0] for places in kept], Confidence.FIRM


def _of_their_makers(found: list[Unscoped], graph: AppGraph) -> tuple[list[Scoped], Confidence | None]:
    """Rows that are made for the caller, and that anybody changes: who may read them is open, but not that."""
    owner = found[0].owner
    asking = any(asks_for_rank(graph, each.operation) for each in found)
    if asking or not any(_changes(each) for each in found):
        return [], None
    makers = _made(owner, graph)
    return makers, Confidence.FIRM if makers else None


def _made(owner: Owner, graph: AppGraph) -> list[Scoped]:
    """Places that make rows of the model, or of the one that has the owner, for whoever is signed in."""
    found = list(made_for_callers(graph).get(id(owner.model), ()))
    return found + (_made(owner.via, graph) if owner.via is not None else [])


def _changes(each: Unscoped) -> bool:
    return each.lookup.kind in ("update", "delete") or _CHANGING.issuperset(each.operation.methods)


def _confidence(
    found: list[Unscoped], siblings: list[Scoped], unscoped: int, graph: AppGraph
) -> Confidence | None:
    """None where a role is asked for, and too few keep to the caller's own rows."""
    owner = found[0].owner
    operations = list(dict.fromkeys(each.operation for each in found))
    if owner.tenant or all(asks_for_rank(graph, operation) for operation in operations):
        most = len(siblings) >= _FEWEST_SIBLINGS and len(siblings) >= _SHARE * (len(siblings) + unscoped)
        return Confidence.FIRM if most else None
    changed = any(
        each.lookup.kind in ("update", "delete") or _CHANGING.issuperset(each.operation.methods)
        for each in found
    )
    open_to_all = id(owner.model) in listed(graph) and not changed
    few = len(siblings) < _FEWEST_SCOPED and len(siblings) < unscoped
    return Confidence.TENTATIVE if open_to_all or owner.is_author or few else Confidence.FIRM


def _place(each: Unscoped) -> Site:
    """The statement where the function around it knows the caller, else the call that should have handed the caller on."""
    lookup = each.lookup
    for index in range(len(lookup.told) - 1, -1, -1):
        if CALLER in lookup.told[index]:
            return lookup.sites[index + 1]
    return lookup.sites[0]


def _finding(found: list[Unscoped], siblings: list[Scoped], sure: Confidence) -> Finding:
    first = found[0]
    owner, lookup = first.owner, first.lookup
    operations = list(dict.fromkeys(each.operation for each in found))
    name = ".".join(first.chosen[1:])
    what = {"update": "changes", "delete": "deletes"}.get(lookup.kind, "finds")
    place = _place(first)
    shown = ", ".join(f"`{o}`" for o in dict.fromkeys(str(s.operation) for s in siblings[:3]))
    return rule.at(
        place,
        f"`{first.operation}` {what} `{owner.model.name}` by `{name}`, which the client chooses, and nothing asks whether it is "
        "the caller's.",
        _suggestion(first),
        reasoning=f"`{owner.path}` says whose it is, and {shown} {_do(siblings, shown)}. "
        f"Between the request and the use of this row there is no condition on the owner and no comparison with the caller.",
        exploit=f"Signed in as anybody, send `{first.operation}` with the `{name}` of somebody else's "
        f"`{owner.model.name}`; the next number often is one.",
        confidence=sure,
        trace=steps(
            (first.frame.function, f"`{name}` comes from the client of {first.operation}"),
            *((site, "it is handed on") for site in lookup.sites[:-1]),
            (lookup.site, f"`{owner.model.name}` is found by it alone"),
            *((s.site, s.text) for s in siblings[:3]),
        ),
        fix=_fix(first),
        routes=routes_of(operations),
        context=Context(
            access="user", missing_check=True, data="personal", writes=any(o.is_write for o in operations)
        ),
        symbol=place.scope.full_name,
    )


def _do(siblings: list[Scoped], shown: str) -> str:
    """What the operations that are named do: they keep to the caller's own rows, or make them."""
    one = "s" if shown.count("`") == 2 else ""
    return (
        f"make{one} it for the caller" if "makes it" in siblings[0].text else f"keep{one} to the caller's own"
    )


def _suggestion(each: Unscoped) -> str:
    model, column = each.owner.model.name, each.owner.columns[0].attribute
    name = each.chosen[-1]
    if each.owner.via is not None:
        parent = each.owner.via
        return (
            f"Ask for the owner in the same statement, and answer 404 where there is no row:\n```python\nstatement = (\n"
            f"    select({model})\n    .join({parent.model.name}, {model}.{column} == {parent.model.name}.id)\n"
            f"    .where({model}.id == {name}, {parent.model.name}.{parent.columns[0].attribute} == user.id)\n)\n```"
        )
    return (
        f"Ask for the owner in the same statement, and answer 404 where there is no row:\n```python\nstatement = select({model})"
        f".where({model}.id == {name}, {model}.{column} == user.id)\n```\nWhere many operations need it, make it a dependency "
        "that takes the caller and gives the row."
    )


def _fix(each: Unscoped) -> Fix | None:
    """A condition on the owner, where the statement stands in a function that is given the caller's row."""
    owner, lookup = each.owner, each.lookup
    function = lookup.site.scope
    if owner.via is not None or lookup.column is None or function is not each.frame.function:
        return None
    assert isinstance(function, Function)
    key = next((f.target_columns[0] for f in owner.columns[0].foreign_keys if f.target_columns), "")
    caller = next(
        (
            p.name
            for p in function.parameters
            if flat(each.frame.arguments.get(p.name, frozenset())) == {CALLER}
        ),
        "",
    )
    step = lookup.site.node
    condition = step.args[-1] if isinstance(step, ir.Call) and step.args else None
    if (
        not key
        or not caller
        or not isinstance(condition, ir.Compare)
        or not isinstance(condition.left, ir.Attribute)
    ):
        return None
    place = function.location(condition)
    behind = Location(place.path, place.end_line, place.end_column, place.end_line, place.end_column)
    column = owner.columns[0].attribute
    return Fix(
        f"Ask for `{column}`, too", (Edit(behind, f", {owner.model.name}.{column} == {caller}.{key}"),)
    )


_START = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str] = mapped_column(unique=True)

    class Invoice(Base):
        __tablename__ = "invoices"
        id: Mapped[int] = mapped_column(primary_key=True)
        owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
        text: Mapped[str]

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add_all([User(id=1, token="ada"), User(id=2, token="mallory")])
        start.add_all([Invoice(id=1, owner_id=1, text="one harp"), Invoice(id=2, owner_id=2, text="a knife")])
        start.commit()

    def current_user(x_token: Annotated[str | None, Header()] = None) -> User:
        with Session(engine) as session:
            user = session.scalar(select(User).where(User.token == x_token))
        if user is None:
            raise HTTPException(401)
        return user

    CurrentUser = Annotated[User, Depends(current_user)]
    app = FastAPI()

    @app.get("/invoices")
    def own_invoices(user: CurrentUser) -> list[int]:
        with Session(engine) as session:
            return list(session.scalars(select(Invoice.id).where(Invoice.owner_id == user.id)))
"""

rule.bad = (
    _START
    + """
    @app.get("/invoices/{invoice_id}")
    def read_invoice(invoice_id: int, user: CurrentUser) -> str:
        with Session(engine) as session:
            invoice = session.scalar(select(Invoice).where(Invoice.id == invoice_id))  # finding: idor-object-fetched-without-owner-scope
            if invoice is None:
                raise HTTPException(404)
            return invoice.text
"""
)

rule.good = (
    _START
    + """
    @app.get("/invoices/{invoice_id}")
    def read_invoice(invoice_id: int, user: CurrentUser) -> str:
        with Session(engine) as session:
            invoice = session.scalar(select(Invoice).where(Invoice.id == invoice_id, Invoice.owner_id == user.id))
            if invoice is None:
                raise HTTPException(404)
            return invoice.text
"""
)


@rule.exploit
def mallory_reads_adas_invoice(proof: Proof) -> None:
    """Mallory, whose invoice is number 2, asks for number 1 with her own token and reads what Ada bought."""
    answer = proof.client.get("/invoices/1", headers={"X-Token": "mallory"})
    assert answer.status_code == 200
    assert answer.json() == "one harp"
