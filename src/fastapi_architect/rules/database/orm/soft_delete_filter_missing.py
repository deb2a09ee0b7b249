"""One query shows rows that all others treat as deleted.

Rows of this table are marked as deleted instead of being removed, and the other queries leave the marked ones out. This one does
not: what a user deleted can still be read, or is counted, found and changed.

Known limits: learned from the majority of the project's own queries; administration, restoring and auditing are left out,
as are projects with a global criterion (`with_loader_criteria`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.analyses.query_predicates import Statement, statements
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.tables import Column
from fastapi_architect.rules.kit import (
    AppGraph,
    ClassRef,
    Confidence,
    Context,
    Finding,
    Function,
    Proof,
    Rule,
    Severity,
    ir,
    lazy_pattern,
    options,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "A query does not leave out deleted rows",
    severity=Severity.IMPORTANT,
    cwe=672,
    cvss="AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N",
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/api.html#sqlalchemy.orm.with_loader_criteria",
    ),
    requires=("sqlalchemy",),
)

_MEANT = lazy_pattern(
    r"admin|restor|audit|trash|archiv|purge|delet|remov|histor|include|with_deleted|undelete|migrat|export|unique|exists|stat|"
    r"report|sync|cleanup|job|all_",
    re.IGNORECASE,
)
#: So many queries of the project have to leave deleted rows out, and so large a part of all.
_ENOUGH, _PART = 3, 0.7
_SEARCHED = ("==", "in", "<", ">", "<=", ">=", "like", "startswith", "between", "truth", "is", "is not")


@rule.check(per=AppGraph)
def deleted_rows_shown(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    marked = {id(m.cls): (m, column) for m in graph.models if (column := m.soft_delete_column) is not None}
    if not marked or graph.program.scopes_calling("with_loader_criteria"):
        return
    by_model: dict[int, list[Statement]] = {}
    for statement in statements(graph):
        if statement.scope.module.kind == "source" and "values" not in statement.kinds:
            for key in {id(p.model.cls) for p in statement.predicates if p.operator in _SEARCHED}:
                if key in marked:
                    by_model.setdefault(key, []).append(statement)
    for key, found in by_model.items():
        yield from _outliers(*marked[key], found, graph)


def _outliers(model: Model, column: Column, found: list[Statement], graph: AppGraph) -> Iterator[Finding]:
    filtered = [
        s for s in found if any(p.model is model and p.column.name == column.name for p in s.predicates)
    ]
    others = [s for s in found if s not in filtered]
    if len(filtered) < _ENOUGH or len(filtered) < _PART * len(found):
        return
    for statement in others:
        function = statement.function
        if (
            function is None
            or statement.opaque
            or _MEANT.search(function.name)
            or _is_told_apart(function, column, graph)
        ):
            continue
        operations = [o for o in graph.entries(function) if not _MEANT.search(f"{o.path} {o.handler_name}")]
        if operations:
            yield _finding(model, column, (statement, filtered), routes_of(operations))


def _is_told_apart(function: Function, column: Column, graph: AppGraph) -> bool:
    """The function revives deleted rows, or looks at the mark of the rows that it has loaded."""
    written = set()
    for site in function.facts.sites(ir.Assign):
        for target in site.node.targets:
            if isinstance(target, ir.Attribute) and target.attr == column.attribute:
                written.add(id(target))
                if isinstance(site.node.value, ir.Constant) and not site.node.value.value:
                    return True
    return any(
        site.node.attr == column.attribute
        and id(site.node) not in written
        and not any(
            isinstance(of, ClassRef)
            for of in options(graph.program.inference.type_of(site.node.value, function))
        )
        for site in function.facts.sites(ir.Attribute)
    )


def _finding(
    model: Model,
    column: Column,
    found: tuple[Statement, list[Statement]],
    routes: tuple[str, ...],
) -> Finding:
    statement, filtered = found
    first = next(p for p in statement.predicates if p.model is model)
    name = f"{model.name}.{column.attribute}"
    boolean = column.type is not None and column.type.family == "boolean"
    condition = f"{name}.is_(False)" if boolean else f"{name}.is_(None)"
    total = len(filtered) + 1
    return rule.at(
        first,
        f"This query does not leave out deleted rows of `{model.table.name}`; {len(filtered)} others do.",
        f"Add the condition:\n```python\nstatement = statement.where({condition})\n```",
        reasoning=f"`{name}` marks deleted rows, and {len(filtered)} of {total} or more queries of `{model.name}` test it. "
        f"{routes[0]} answers with rows that their owner has deleted.",
        exploit=f"A row of `{model.table.name}` that its owner has deleted is in the answer of `{routes[0]}`.",
        confidence=Confidence.FIRM if len(filtered) >= 2 * _ENOUGH else Confidence.TENTATIVE,
        trace=steps(
            (column, f"`{column.attribute}` marks deleted rows"),
            *((s.predicates[0], f"`{s.scope.name}` leaves them out") for s in filtered[:4]),
        ),
        routes=routes,
        context=Context(writes=False),
        symbol=statement.scope.full_name,
    )


rule.bad = """
    from datetime import datetime

    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Note(Base):
        __tablename__ = "notes"

        id: Mapped[int] = mapped_column(primary_key=True)
        owner: Mapped[str]
        text: Mapped[str]
        deleted_at: Mapped[datetime | None]


    Base.metadata.create_all(engine)


    @app.post("/notes/{owner}")
    def write(owner: str, text: str) -> int:
        with Session(engine) as session:
            note = Note(owner=owner, text=text)
            session.add(note)
            session.commit()
            return note.id


    @app.delete("/notes/{note_id}")
    def forget(note_id: int) -> None:
        with Session(engine) as session:
            note = session.scalars(select(Note).where(Note.id == note_id, Note.deleted_at.is_(None))).one()
            note.deleted_at = datetime(2026, 1, 1)
            session.commit()


    @app.get("/notes/{note_id}")
    def read(note_id: int) -> str | None:
        with Session(engine) as session:
            return session.scalar(select(Note.text).where(Note.id == note_id, Note.deleted_at.is_(None)))


    @app.get("/notes")
    def find(text: str) -> list[int]:
        with Session(engine) as session:
            return list(session.scalars(select(Note.id).where(Note.text == text, Note.deleted_at.is_(None))))


    @app.get("/owners/{owner}/notes")
    def of_owner(owner: str) -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Note.text).where(Note.owner == owner)))  # finding: soft-delete-filter-missing
"""

rule.good = """
    from datetime import datetime

    from fastapi import FastAPI
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    app = FastAPI()
    engine = create_engine("sqlite:///shop.db")


    class Base(DeclarativeBase):
        pass


    class Note(Base):
        __tablename__ = "notes"

        id: Mapped[int] = mapped_column(primary_key=True)
        owner: Mapped[str]
        text: Mapped[str]
        deleted_at: Mapped[datetime | None]


    Base.metadata.create_all(engine)


    @app.post("/notes/{owner}")
    def write(owner: str, text: str) -> int:
        with Session(engine) as session:
            note = Note(owner=owner, text=text)
            session.add(note)
            session.commit()
            return note.id


    @app.delete("/notes/{note_id}")
    def forget(note_id: int) -> None:
        with Session(engine) as session:
            note = session.scalars(select(Note).where(Note.id == note_id, Note.deleted_at.is_(None))).one()
            note.deleted_at = datetime(2026, 1, 1)
            session.commit()


    @app.get("/notes/{note_id}")
    def read(note_id: int) -> str | None:
        with Session(engine) as session:
            return session.scalar(select(Note.text).where(Note.id == note_id, Note.deleted_at.is_(None)))


    @app.get("/notes")
    def find(text: str) -> list[int]:
        with Session(engine) as session:
            return list(session.scalars(select(Note.id).where(Note.text == text, Note.deleted_at.is_(None))))


    @app.get("/owners/{owner}/notes")
    def of_owner(owner: str) -> list[str]:
        with Session(engine) as session:
            return list(session.scalars(select(Note.text).where(Note.owner == owner, Note.deleted_at.is_(None))))
"""


@rule.exploit
def a_deleted_note_is_read(proof: Proof) -> None:
    """A note that its owner has deleted is still in the list of the owner's notes."""
    note = proof.client.post("/notes/ann?text=secret").json()
    assert proof.client.delete(f"/notes/{note}").status_code == 200
    assert proof.client.get("/owners/ann/notes").json() == ["secret"]
