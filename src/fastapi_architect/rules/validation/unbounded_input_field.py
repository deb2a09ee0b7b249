"""A field of a request takes more than the column that it is stored in.

Pydantic lets a text be as long and a number as large as the client likes. The database does not: it refuses what does not
fit, and the client is told "Internal Server Error" for a mistake of its own, which nobody can tell from a fault of the
server.

Known limits: only columns that have the field's name and are filled from it. Texts matter where the database refuses them,
which SQLite does not. A validator of the field, a `len(...)` on the way and an `except` around the commit are taken for the
limit. Identifiers and choices (`status`,
`type`), which are looked up first, are left out; passwords, patterns, prompts, NaN and
NUL characters are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.column_limits import Overflow, overflows
from fastapi_architect.analyses.own_code import written
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Context,
    Edit,
    Finding,
    Fix,
    Proof,
    Rule,
    Severity,
    ir,
    last_name,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A field takes more than its column holds",
    severity=Severity.MINOR,
    cwe=770,
    cvss="AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
    references=(
        "https://docs.pydantic.dev/latest/concepts/fields/#string-constraints",
        "https://owasp.org/API-Security/editions/2023/en/0xa4-unrestricted-resource-consumption/",
    ),
    requires=("sqlalchemy",),
)

_LISTED = 6


@rule.check(per=AppGraph)
def fields_without_a_limit(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_owner: dict[int, list[Overflow]] = {}
    for overflow in overflows(graph):
        by_owner.setdefault(id(overflow.field.owner), []).append(overflow)
    for found in by_owner.values():
        yield _finding(sorted(found, key=lambda each: each.field.location.line), graph)


def _finding(found: list[Overflow], graph: AppGraph) -> Finding:
    first = found[0]
    owner, operation = first.field.owner, first.operation
    listed = ", ".join(f"`{each.field.name}` ({_column(each)})" for each in found[:_LISTED])
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    fields = "\n".join(f"    {_limited(each, graph)}" for each in found[:_LISTED])
    too_much = f"{first.limit + 1} characters" if first.constraint == "max_length" else f"{first.limit + 1}"
    return rule.at(
        first.field,
        f"`{owner.name}` takes more than its columns hold: {listed}{more}.",
        "Say in the model what the column holds, so that too much is refused with 422 and an explanation:\n"
        f"```python\nclass {owner.name}({_base(owner.node)}):\n{fields}\n```",
        reasoning=f"`{operation}` stores `{first.field.name}` in `{first.model.name}.{first.column.attribute}`, and nothing on the "
        "way limits it.",
        exploit=f"Send `{operation}` with {too_much} in `{first.field.name}`: it is answered with 500.",
        confidence=Confidence.FIRM if any(each.sure for each in found) else Confidence.TENTATIVE,
        trace=steps(
            (first.field, f"`{first.field.name}` has no limit"),
            (first.creation.site, f"`{first.model.name}` is filled with it"),
            (first.column, f"the column holds {_column(first)}"),
        ),
        fix=_fix(found, graph),
        routes=routes_of({id(each.operation): each.operation for each in found}.values()),
        context=Context(writes=True),
        symbol=owner.full_name,
    )


def _column(overflow: Overflow) -> str:
    if overflow.constraint == "max_length":
        return f"{overflow.limit} characters"
    return f"up to {overflow.limit}"


def _base(node: ir.ClassDef) -> str:
    return last_name(node.bases[0]) if node.bases else "BaseModel"


def _limited(overflow: Overflow, graph: AppGraph) -> str:
    """The field with its limit, as it may be written."""
    field = overflow.field
    binding = next(iter(field.owner.facts.bindings.get(field.name, ())), None)
    annotation = written(graph, field.owner, binding.annotation if binding is not None else field.annotation)
    value = _with_limit(overflow, binding.value if binding is not None else None, graph)
    return f"{field.name}: {annotation or 'str'} = {value or _alone(overflow)}"


def _alone(overflow: Overflow) -> str:
    return f"Field({overflow.constraint}={overflow.limit})"


def _with_limit(overflow: Overflow, value: ir.Expr | None, graph: AppGraph) -> str:
    """The value of a field with the limit in it; "" where it cannot be put in."""
    given = f"{overflow.constraint}={overflow.limit}"
    text = written(graph, overflow.field.owner, value)
    if value is None:
        return _alone(overflow)
    if isinstance(value, ir.Constant):
        return f"Field({text}, {given})"
    is_field = isinstance(value, ir.Call) and last_name(value.func) == "Field"
    if not is_field or "#" in text or overflow.constraint in overflow.field.constraints:
        return ""
    inside = text[:-1].rstrip().removesuffix(",")
    return f"{inside}{'' if inside.endswith('(') else ', '}{given})"


def _fix(found: list[Overflow], graph: AppGraph) -> Fix | None:
    """The limit in every field, where the module knows `Field`."""
    edits = []
    for each in found:
        owner = each.field.owner
        binding = next(iter(owner.facts.bindings.get(each.field.name, ())), None)
        if binding is None or binding.annotation is None or "Field" not in owner.module.facts.bindings:
            return None
        value = _with_limit(each, binding.value, graph)
        if not value:
            return None
        if binding.value is None:
            text = written(graph, owner, binding.annotation)
            edits.append(Edit(owner.location(binding.annotation), f"{text} = {value}"))
        else:
            edits.append(Edit(owner.location(binding.value), value))
    return Fix("Limit the fields to what their columns hold", tuple(edits), safe=True, changes_contract=True)


_HEAD = """
    from fastapi import FastAPI
    from pydantic import BaseModel, Field
    from sqlalchemy import create_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
    from sqlalchemy.pool import StaticPool

    class Base(DeclarativeBase):
        pass

    class Book(Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str]
        pages: Mapped[int]

    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    Base.metadata.create_all(engine)
    app = FastAPI()
"""
_TAIL = """
    @app.post("/books", status_code=201)
    def add_book(book: NewBook) -> str:
        with Session(engine) as session:
            session.add(Book(title=book.title, pages=book.pages))
            session.commit()
        return book.title
"""

rule.bad = (
    _HEAD
    + """
    class NewBook(BaseModel):
        title: str = Field(max_length=200)
        pages: int  # finding: unbounded-input-field
"""
    + _TAIL
)

rule.good = (
    _HEAD
    + """
    class NewBook(BaseModel):
        title: str = Field(max_length=200)
        pages: int = Field(ge=1, le=100_000)
"""
    + _TAIL
)


@rule.exploit
def a_number_that_no_column_holds(proof: Proof) -> None:
    """A book of 10**30 pages is answered with 500, and an error of the driver."""
    answer = proof.client.post("/books", json={"title": "Everything", "pages": 10**30})
    assert answer.status_code == 500
    assert proof.server_errors
