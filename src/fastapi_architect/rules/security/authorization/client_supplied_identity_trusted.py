"""The client says who they are, and is believed.

Whoever signs in is known: their token was verified. When the owner of a new review is `payload.reviewer_id`, or the orders that are
listed are those of `?user_id=`, the client names anybody, and acts or reads in their name. A header such as `X-User-Id` that nobody
has signed is the same.

Values are followed through dependencies, services and repositories to the column that says whose a row is. A comparison with the
caller, or a lookup that names both, is the check that is missing here.

Known limits: rows that tell of another person as well as of the caller (a message, a membership) are left alone; so are operations
for administrators, or that ask for a role. What is listed by a user whom the client names is firm only where other operations keep to
the caller's own rows. Whoever is let in by another part of the path (a group) may name its people. Headers are looked at by
their names, and only where nothing verifies a token, a key or a signature.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.body_events import Creation, Lookup
from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.origins import CALLER, Origin
from fastapi_architect.analyses.ownership import (
    Scoped,
    checked_inputs,
    chosen_identity,
    listed,
    scoping,
    serves_callers,
)
from fastapi_architect.analyses.principal import Frame, Story, story
from fastapi_architect.analyses.query_predicates import statements
from fastapi_architect.analyses.row_fills import Fill, row_fills
from fastapi_architect.analyses.row_owners import Owner, owners, principal_models
from fastapi_architect.analyses.row_uses import is_used
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.concepts.identity import (
    PasswordVerify,
    SecretComparison,
    SignatureVerification,
    TokenDecode,
)
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
    ir,
    lazy_pattern,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "The client says who they are, and is believed",
    severity=Severity.CRITICAL,
    cwe=290,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N",
    references=(
        "https://owasp.org/API-Security/editions/2023/en/0xa1-broken-object-level-authorization/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Authorization_Cheat_Sheet.html",
    ),
    requires=("sqlalchemy",),
)

#: Columns that say who acts, or whose a row is; others tell of somebody else as well.
_ACTOR = lazy_pattern(
    r"^(user|owner|author|creator|customer|account|created_by|posted_by|member)(_id|_uuid)?$|^created_by_id$"
)
#: Rows that say what one person may do for another, or that bring two together.
_BETWEEN = lazy_pattern(
    r"member|assign|role|invit|permission|share|participant|follow|friend|access|grant|link|subscri|notif|message|token|session|"
    r"contact|block|mention|recipient|enrol|attend"
)
_HEADER = lazy_pattern(
    r"^x[-_](user|role|tenant|org|organi[sz]ation|account|customer|owner)s?([-_](id|role|email|name|uuid))?$|"
    r"^x[-_]remote[-_]user$"
)
#: What a proxy in front of the application adds.
_PROXY = lazy_pattern(r"forwarded|remote|auth[-_]request|authentik|goog|amzn|cf[-_]access")
_PROOFS = (PasswordVerify, SecretComparison, SignatureVerification, TokenDecode)
_SECRET = lazy_pattern(r"secret|api_?key|token|signature|hmac|trusted")


@rule.check(per=AppGraph)
def identity_of_the_clients_choice(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    seen: set[tuple[int, str]] = set()
    for operation in graph.operations:
        if not serves_callers(graph, operation) or not _may_name_somebody(operation, graph):
            continue
        told = story(graph, operation)
        for finding in (*_created(told, graph), *_filtered(told, graph)):
            key = (hash(finding.location), finding.symbol)
            if key not in seen:
                seen.add(key)
                yield finding
    yield from _filled(graph)
    yield from _headers(graph)


@question
def _naming(graph: AppGraph) -> frozenset[int]:
    """Functions (by identity) that make rows which have an owner, or look them up by their owner."""
    found: set[int] = set()
    for owner in owners(graph).values():
        if not owner.tenant and owner.via is None:
            found.update(id(site.scope) for site in graph.program.call_sites_named(owner.model.name))
    for statement in statements(graph):
        for each in statement.predicates:
            owned = owners(graph).get(id(each.model))
            if owned is not None and each.column in owned.columns and _ACTOR.search(each.column.attribute):
                found.add(id(statement.scope))
    return frozenset(found)


def _may_name_somebody(operation: PathOperation, graph: AppGraph) -> bool:
    """The story of the others need not be told."""
    if not any(p.is_input for p in operation.all_parameters()):
        return False
    naming = _naming(graph)
    return bool(naming) and any(
        id(function) in naming for function in effects(graph).of_operation(operation).functions
    )


# ── rows that are made ───────────────────────────────────────────────────────────────────────────────────────


def _created(told: Story, graph: AppGraph) -> Iterator[Finding]:
    if any(made.model is account for _, made in told.creations for account in principal_models(graph)):
        return  # a registration: whose rows these are is made by the same request
    creations = [
        (frame, made, owner)
        for frame, made in told.creations
        if (owner := _personal(made, graph)) is not None
    ]
    covered = checked_inputs(told) if creations else set()
    for frame, made, owner in creations:
        for column in owner.columns:
            given = {origin for path, origin in made.given if path == (column.attribute,)}
            acting = any(origin == CALLER for _, origin in made.given)
            chosen = chosen_identity(given, told, covered)
            if chosen is None or _manages(chosen, told.operation, covered):
                continue
            if not acting and _ACTOR.search(column.attribute):
                yield _made(told.operation, frame, made, column.attribute, chosen)


def _personal(made: Creation, graph: AppGraph) -> Owner | None:
    owner = owners(graph).get(id(made.model))
    if owner is None or owner.tenant or owner.via is not None or _is_between(made.model, graph):
        return None
    return owner if made.site.scope.module.kind == "source" else None


def _made(operation: PathOperation, frame: Frame, made: Creation, column: str, chosen: Origin) -> Finding:
    name = ".".join(chosen[1:])
    model = made.model.name
    return rule.at(
        made.site,
        f"`{operation}` stores `{name}`, which the client chooses, as `{model}.{column}`: a `{model}` in anybody's name.",
        f"Take the owner from whoever is signed in, and drop `{chosen[-1]}` from what the client sends:\n```python\n"
        f"row = {model}({column}=user.id)\n```",
        reasoning=f"The caller of `{operation}` is known from their token; `{name}` is only what the request says, and nothing "
        "compares the two.",
        exploit=f"Signed in as anybody, send `{operation}` with the id of somebody else as `{chosen[-1]}`: the row is theirs.",
        trace=steps(
            (frame.function, f"`{name}` comes from the client of {operation}"),
            *((site, "it is handed on") for site in made.sites[:-1]),
            (made.site, f"it becomes `{model}.{column}`"),
        ),
        routes=routes_of([operation]),
        context=Context(access="user", writes=True, reads=False, missing_check=True),
        symbol=made.site.scope.full_name,
    )


def _filled(graph: AppGraph) -> Iterator[Finding]:
    """`Review(**payload.model_dump())`, whose schema names the owner."""
    seen: set[int] = set()
    for fill in row_fills(graph):
        owner = owners(graph).get(id(fill.model))
        if (
            fill.kind != "create"
            or fill.schema is None
            or owner is None
            or owner.tenant
            or owner.via is not None
        ):
            continue
        if _is_between(fill.model, graph) or not serves_callers(graph, fill.operation):
            continue
        fields = {field.name for field in fill.schema.fields if not field.is_computed}
        for column in owner.columns:
            name = column.attribute
            origin = ("client", fill.parameter.name, name)
            if (
                name not in fields
                or not fill.taken.allows(name)
                or not _ACTOR.search(name)
                or id(fill.site.node) in seen
            ):
                continue
            told = story(graph, fill.operation)
            if chosen_identity({origin}, told, checked_inputs(told)) is not None:
                seen.add(id(fill.site.node))
                yield _from_schema(fill, name)


def _from_schema(fill: Fill, column: str) -> Finding:
    assert fill.schema is not None
    model, schema = fill.model.name, fill.schema.cls.name
    return rule.at(
        fill.site,
        f"`{fill.operation}` stores `{column}` of `{schema}`, which the client chooses, as `{model}.{column}`: a `{model}` in "
        "anybody's name.",
        f"Take the owner from whoever is signed in, and drop `{column}` from `{schema}`:\n```python\n"
        f'row = {model}(**{fill.parameter.name}.model_dump(exclude={{"{column}"}}), {column}=user.id)\n```',
        reasoning=f"The caller of `{fill.operation}` is known from their token; `{column}` is only what the body says, and nothing "
        "compares the two.",
        exploit=f"Signed in as anybody, send `{fill.operation}` with the id of somebody else as `{column}`: the row is theirs.",
        trace=steps(
            (fill.parameter, f"`{schema}` is what the client sends"),
            *((site, "it is handed on") for site in fill.sites[:-1]),
            (fill.site, f"its `{column}` becomes `{model}.{column}`"),
        ),
        routes=routes_of([fill.operation]),
        context=Context(access="user", writes=True, reads=False, missing_check=True),
        symbol=fill.site.scope.full_name,
    )


def _is_between(model: Model, graph: AppGraph) -> bool:
    """It brings people and something else together: `Membership`, `UserGroup`."""
    name = model.name.lower()
    if _BETWEEN.search(name):
        return True
    names = {each.name.lower() for each in graph.models if each is not model}
    return any(name.startswith(one) and name.removeprefix(one) in names for one in names)


def _manages(chosen: Origin, operation: PathOperation, covered: set[Origin]) -> bool:
    """Several people are named, or something else in the path is checked: who runs a group names its members."""
    if chosen[-1].endswith("s"):
        return True
    others = {("client", name) for name in operation.path_names} - {chosen[:2]}
    return any(origin[:2] in others for origin in covered)


# ── rows that are listed ─────────────────────────────────────────────────────────────────────────────────────


def _filtered(told: Story, graph: AppGraph) -> Iterator[Finding]:
    found = [
        (frame, lookup)
        for frame, lookup in told.lookups
        if CALLER not in lookup.every and _by_person(lookup, graph)
    ]
    covered = checked_inputs(told) if found else set()
    for frame, lookup in found:
        chosen = chosen_identity(lookup.by, told, covered)
        if chosen is None or _manages(chosen, told.operation, covered):
            continue
        siblings = [s for s in scoping(graph).get(id(lookup.model), []) if not s.operation.is_write]
        if siblings and is_used(graph, lookup):
            yield _shown(told.operation, frame, lookup, chosen, siblings, graph)


def _by_person(lookup: Lookup, graph: AppGraph) -> bool:
    owner = owners(graph).get(id(lookup.model))
    if (
        owner is None
        or owner.tenant
        or owner.via is not None
        or lookup.column is None
        or lookup.kind == "get"
    ):
        return False
    if _is_between(owner.model, graph):
        return False
    return lookup.column in owner.columns and bool(_ACTOR.search(lookup.column.attribute))


def _shown(
    operation: PathOperation,
    frame: Frame,
    lookup: Lookup,
    chosen: Origin,
    siblings: list[Scoped],
    graph: AppGraph,
) -> Finding:
    assert lookup.model is not None
    assert lookup.column is not None
    name, model, column = ".".join(chosen[1:]), lookup.model.name, lookup.column.attribute
    owner = owners(graph)[id(lookup.model)]
    place = _place(lookup)
    public = id(lookup.model) in listed(graph) or owner.is_author or lookup.column.primary_key
    shown = ", ".join(f"`{o}`" for o in dict.fromkeys(str(s.operation) for s in siblings[:3]))
    return rule.at(
        place,
        f"`{operation}` gives the `{model}` rows of `{name}`, which the client chooses, not those of the caller.",
        f"Ask for the caller's own, or compare the two and answer 403:\n```python\nstatement = select({model})"
        f".where({model}.{column} == user.id)\n```",
        reasoning=f"The caller of `{operation}` is known from their token, and {shown} keep to the caller's own rows; "
        f"`{name}` is only what the request says.",
        exploit=f"Signed in as anybody, send `{operation}` with the id of somebody else as `{chosen[-1]}`.",
        confidence=Confidence.TENTATIVE if public else Confidence.FIRM,
        trace=steps(
            (frame.function, f"`{name}` comes from the client of {operation}"),
            *((site, "it is handed on") for site in lookup.sites[:-1]),
            (lookup.site, f"rows are found by it as `{model}.{column}`"),
            *((s.site, s.text) for s in siblings[:3]),
        ),
        routes=routes_of([operation]),
        context=Context(access="user", writes=operation.is_write, data="personal", missing_check=True),
        symbol=place.scope.full_name,
    )


def _place(lookup: Lookup) -> Site:
    """The statement where the function around it knows the caller, else the call that should have handed the caller on."""
    for index in range(len(lookup.told) - 1, -1, -1):
        if CALLER in lookup.told[index]:
            return lookup.sites[index + 1]
    return lookup.sites[0]


# ── headers ──────────────────────────────────────────────────────────────────────────────────────────────────


def _headers(graph: AppGraph) -> Iterator[Finding]:
    found: dict[int, tuple[Parameter, Function, list[PathOperation]]] = {}
    for operation in graph.operations:
        if operation.floating or graph.project.gateway.get("authentication"):
            continue
        reading = [(operation.handler, operation.parameters)]
        reading += [(d.function, d.parameters) for d in operation.all_dependencies()]
        for function, parameters in reading:
            for parameter in parameters:
                if (
                    function is not None
                    and parameter.kind == "header"
                    and _HEADER.search(parameter.alias.lower())
                ):
                    found.setdefault(id(parameter), (parameter, function, []))[2].append(operation)
    for parameter, function, operations in found.values():
        trusting = [o for o in operations if not _is_verified(o, graph) and not _is_behind_sign_in(o, graph)]
        if trusting and parameter.owner.module.kind == "source":
            yield _header(parameter, function, trusting)


def _is_behind_sign_in(operation: PathOperation, graph: AppGraph) -> bool:
    """The whole application or router signs callers in, and not by such a header: it says something else, such as for whom."""
    return any(
        guard.level >= AccessLevel.USER
        and guard.dependency is not None
        and guard.dependency.level in ("application", "include", "router")
        and not any(
            parameter.kind == "header" and _HEADER.search(parameter.alias.lower())
            for each in guard.dependency.walk()
            for parameter in each.parameters
        )
        for guard in graph.access(operation).guards
    )


def _is_verified(operation: PathOperation, graph: AppGraph) -> bool:
    """Somewhere a token, a key, a password or a signature is looked at, by a library or by comparing a secret."""
    functions, complete = effects(graph).reached(operation.functions)
    if not complete or any(d.instance_of for d in operation.all_dependencies()):
        return True
    middleware = [m.function for m in graph.application_of(operation).middleware if m.function is not None]
    functions += effects(graph).reached(middleware)[0]
    if any(graph.within(proof, function) for function in functions for proof in _PROOFS):
        return True
    return any(
        _SECRET.search(name.lower())
        for function in functions
        for site in function.facts.sites(ir.Compare)
        for name in names_in(site.node)
    )


def _header(parameter: Parameter, function: Function, operations: list[PathOperation]) -> Finding:
    first = operations[0]
    behind = _PROXY.search(parameter.alias.lower())
    return rule.at(
        parameter,
        f"`{function.name}` takes who is calling from the header `{parameter.alias}`, which every client can set.",
        "Verify a token, and take the caller from it:\n```python\ndef current_user(token: Annotated[str, Depends(bearer)]) -> int:\n"
        '    return int(jwt.decode(token, settings.key, algorithms=["HS256"])["sub"])\n```\n'
        "Where a gateway sets the header, let it sign the header, or say in the configuration that it authenticates.",
        reasoning=f"`{first}` runs `{function.name}`, and nothing that it runs looks at a token, a key or a signature.",
        exploit=f"Send `{first}` with `{parameter.alias}` set to somebody else.",
        confidence=Confidence.TENTATIVE if behind else Confidence.FIRM,
        trace=steps((parameter, "the client sends it"), (function, "it is taken for the caller")),
        routes=routes_of(operations),
        context=Context(access="none", writes=any(o.is_write for o in operations), missing_check=True),
        symbol=function.full_name,
    )


_START = """
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException
    from pydantic import BaseModel
    from sqlalchemy import ForeignKey, create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        token: Mapped[str] = mapped_column(unique=True)

    class Review(Base):
        __tablename__ = "reviews"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
        text: Mapped[str]

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add_all([User(id=1, token="ada"), User(id=2, token="mallory")])
        start.commit()

    def current_user(x_token: Annotated[str | None, Header()] = None) -> User:
        with Session(engine) as session:
            user = session.scalar(select(User).where(User.token == x_token))
        if user is None:
            raise HTTPException(401)
        return user

    CurrentUser = Annotated[User, Depends(current_user)]
    app = FastAPI()

    @app.get("/reviews/mine")
    def own_reviews(user: CurrentUser) -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Review.text).where(Review.user_id == user.id)))
"""

rule.bad = (
    _START
    + """
    class NewReview(BaseModel):
        reviewer_id: int
        text: str

    @app.post("/reviews", status_code=201)
    def write_review(review: NewReview, user: CurrentUser) -> None:
        with Session(engine) as session:
            session.add(Review(user_id=review.reviewer_id, text=review.text))  # finding: client-supplied-identity-trusted
            session.commit()
"""
)

rule.good = (
    _START
    + """
    class NewReview(BaseModel):
        text: str

    @app.post("/reviews", status_code=201)
    def write_review(review: NewReview, user: CurrentUser) -> None:
        with Session(engine) as session:
            session.add(Review(user_id=user.id, text=review.text))
            session.commit()
"""
)


@rule.exploit
def mallory_writes_in_adas_name(proof: Proof) -> None:
    """Mallory signs in as herself and names Ada as the reviewer: the review stands among Ada's."""
    review = {"reviewer_id": 1, "text": "dreadful"}
    proof.client.post("/reviews", json=review, headers={"X-Token": "mallory"})
    assert proof.client.get("/reviews/mine", headers={"X-Token": "ada"}).json() == ["dreadful"]
