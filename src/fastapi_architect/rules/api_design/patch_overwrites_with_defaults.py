"""A partial update writes defaults over what the client did not mention.

`PATCH` sends what changes. `update.model_dump()` holds every field of the schema, those that were not sent with their defaults, so
that changing the name also empties the address. `exclude_unset=True` leaves out what was not sent.

Known limits: operations that answer to `PATCH`, and to `PUT` where every field of the schema may be left out. Fields that have to be
sent hide nothing. With `exclude_none=True` only defaults other than None are written, and that alone is not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.row_fills import Fill, dumped_columns, row_fills
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
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
    "A partial update writes defaults over what the client did not mention",
    severity=Severity.CRITICAL,
    references=(
        "https://fastapi.tiangolo.com/tutorial/body-updates/#partial-updates-with-patch",
        "https://www.rfc-editor.org/rfc/rfc5789",
    ),
    requires=("sqlalchemy",),
)


@rule.check(per=AppGraph)
def defaults_are_written(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    places: dict[int, list[tuple[Fill, list[SchemaField]]]] = {}
    for fill in (*row_fills(graph), *dumped_columns(graph)):
        dump = fill.taken.dump
        if (
            dump is None
            or fill.kind != "update"
            or fill.taken.unset
            or fill.taken.none
            or fill.schema is None
        ):
            continue
        lost = _lost(fill)
        if lost and _is_partial(fill):
            places.setdefault(id(dump.node), []).append((fill, lost))
    for same in places.values():
        yield _finding(same)


def _is_partial(fill: Fill) -> bool:
    assert fill.schema is not None
    methods = fill.operation.methods
    if "PATCH" in methods:
        return True
    return "PUT" in methods and not any(
        field.required for field in fill.schema.fields if not field.is_computed
    )


def _lost(fill: Fill) -> list[SchemaField]:
    """Fields that a request may leave out, and whose columns are then written all the same."""
    assert fill.schema is not None
    return [
        field
        for field in fill.schema.fields
        if not field.required and not field.is_computed and fill.taken.allows(field.name)
        and field.name in fill.model.by_attribute
    ]  # fmt: skip


def _finding(same: list[tuple[Fill, list[SchemaField]]]) -> Finding:
    fill, lost = same[0]
    dump = fill.taken.dump
    assert dump is not None
    assert fill.schema is not None
    schema, model = fill.schema.cls.name, fill.model.name
    named = ", ".join(f"`{field.name}`" for field in lost[:3]) + (" and others" if len(lost) > 3 else "")
    operations = list(dict.fromkeys(each.operation for each, _ in same))
    partial = "PATCH" in fill.operation.methods
    return rule.at(
        dump,
        f"`{fill.operation}` writes {named} of `{schema}` to `{model}` although the request may leave {'it' if len(lost) == 1 else 'them'} "
        f"out: what was stored is replaced by the default.",
        f"Take only what was sent:\n```python\nvalues = {fill.parameter.name}.model_dump(exclude_unset=True)\n"
        "for name, value in values.items():\n    setattr(row, name, value)\n```",
        reasoning=f"`{schema}` fills in defaults for what is missing, and the dump holds them; nothing tells them from what the client "
        "sent.",
        exploit=f"Send `{fill.operation}` with one other field: `{lost[0].name}` is back at its default.",
        confidence=Confidence.FIRM if partial else Confidence.TENTATIVE,
        trace=steps(
            (lost[0].location, f"`{lost[0].name}` need not be sent"),
            (dump, "the dump holds its default"),
            (fill.site, f"it is written to `{model}`"),
        ),
        fix=_fix(dump, fill),
        routes=routes_of(operations),
        symbol=dump.scope.full_name,
    )


def _fix(dump: Site, fill: Fill) -> Fix | None:
    """One more argument, where each key of the mapping is written by itself: nobody misses what was not sent."""
    node = dump.node
    if fill.taken.picked or not isinstance(node, ir.Call):
        return None
    place = dump.scope.location(node)
    behind = Location(place.path, place.end_line, place.end_column - 1, place.end_line, place.end_column - 1)
    comma = ", " if node.args or node.keywords else ""
    return Fix("Leave out what was not sent", (Edit(behind, f"{comma}exclude_unset=True"),), safe=True)


_START = """
    from fastapi import FastAPI
    from pydantic import BaseModel
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)

    class Base(DeclarativeBase): ...

    class Profile(Base):
        __tablename__ = "profiles"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        address: Mapped[str | None]

    Base.metadata.create_all(engine)
    with Session(engine) as start:
        start.add(Profile(id=1, name="Ada", address="12 St James's Square"))
        start.commit()

    class ProfileUpdate(BaseModel):
        name: str | None = None
        address: str | None = None

    app = FastAPI()

    @app.get("/profiles/{profile_id}")
    def read(profile_id: int) -> dict[str, str | None]:
        with Session(engine) as session:
            profile = session.get_one(Profile, profile_id)
            return {"name": profile.name, "address": profile.address}

    @app.patch("/profiles/{profile_id}")
    def change(profile_id: int, update: ProfileUpdate) -> None:
        with Session(engine) as session:
            profile = session.get_one(Profile, profile_id)
"""

rule.bad = (
    _START
    + """
            for name, value in update.model_dump().items():  # finding: patch-overwrites-with-defaults
                setattr(profile, name, value)
            session.commit()
"""
)

rule.good = (
    _START
    + """
            for name, value in update.model_dump(exclude_unset=True).items():
                setattr(profile, name, value)
            session.commit()
"""
)


@rule.symptom
def the_address_is_gone(proof: Proof) -> None:
    """The name is changed, and the address that nobody mentioned is empty afterwards."""
    proof.client.patch("/profiles/1", json={"name": "Ada Lovelace"})
    assert proof.client.get("/profiles/1").json() == {"name": "Ada Lovelace", "address": None}
