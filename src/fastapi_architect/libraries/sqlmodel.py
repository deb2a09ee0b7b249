"""SQLModel: SQLAlchemy's sessions with `exec`, and models that are pydantic's and SQLAlchemy's at once."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import SessionCreation, SqlExecution
from fastapi_architect.concepts.serialization import ModelUpdate
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, receiver
from fastapi_architect.libraries.sqlalchemy import row, statement_row
from fastapi_architect.libraries.sqlalchemy_core import is_text
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import Instance, Type
from fastapi_architect.syntax import ir

SESSION = "sqlmodel.Session"
ASYNC_SESSION = "sqlmodel.ext.asyncio.session.AsyncSession"

_FROM_SQLALCHEMY = (
    "ARRAY BIGINT BINARY BLOB BOOLEAN BigInteger Boolean CHAR CheckConstraint Column Computed Constraint "
    "DATE DATETIME DDL "
    "DateTime Date Enum Float ForeignKey ForeignKeyConstraint Identity Index Integer Interval JSON "
    "LargeBinary MetaData "
    "Numeric PickleType PrimaryKeyConstraint SmallInteger String TEXT TIMESTAMP Table Text Time UUID "
    "Unicode UnicodeText "
    "UniqueConstraint Uuid VARCHAR alias all_ and_ any_ asc between bindparam case cast collate column "
    "create_engine "
    "create_mock_engine delete desc distinct engine_from_config except_ exists extract false func insert "
    "inspect "
    "intersect join lateral literal literal_column not_ null nulls_first nulls_last or_ outerjoin over "
    "select table text "
    "true tuple_ type_coerce union union_all update values within_group"
).split()

library = Library(
    packages=("sqlmodel",),
    aliases={
        **{f"sqlmodel.{name}": f"sqlalchemy.{name}" for name in _FROM_SQLALCHEMY},
        "sqlmodel.sql.expression.*": "sqlmodel",
        "sqlmodel.main.*": "sqlmodel",
        "sqlmodel.orm.session.*": "sqlmodel",
        "sqlmodel.sql.sqltypes.*": "sqlmodel",
    },
    bases={
        SESSION: ("sqlalchemy.orm.Session",),
        ASYNC_SESSION: ("sqlalchemy.ext.asyncio.AsyncSession",),
        "sqlmodel.SQLModel": ("pydantic.BaseModel",),
        "sqlmodel.AutoString": ("sqlalchemy.String",),
    },
)
library.functions |= {"sqlmodel.Field", "sqlmodel.Relationship"}
library.calls["sqlmodel.col"] = lambda call: call.type_of(call.node.args[0]) if call.node.args else None
library.calls["sqlmodel.SQLModel.sqlmodel_update"] = receiver
library.attributes["sqlmodel.SQLModel.metadata"] = Instance("sqlalchemy.MetaData")


def _executed(call: CallContext) -> Type:
    """One entity gives scalars, several give rows; an unknown statement gives a result of nothing known."""
    args = statement_row(call)
    if len(args) == 1:
        return Instance("sqlalchemy.ScalarResult", args)
    return Instance("sqlalchemy.Result", (row(args),) if args else ())


library.calls[f"{SESSION}.exec"] = _executed
library.calls[f"{ASYNC_SESSION}.exec"] = awaitable(_executed)


@library.call("sqlmodel.Field", "sqlmodel.Relationship")
def _field(call: CallContext) -> Type | None:
    """A field is known by its annotation; without one, by its default."""
    default = call.argument(0, "default")
    if default is None or (default.__class__ is ir.Constant and default.kind == "ellipsis"):
        return None
    return call.type_of(default)


@library.recognise(
    SqlExecution, names=[f"{SESSION}.exec", f"{ASYNC_SESSION}.exec"], duck={"exec": ("session", "db")}
)
def _exec(call: RecognisedCall) -> Iterator[SqlExecution]:
    statement = call.argument(0, "statement")
    yield SqlExecution(
        *call.place,
        session=call.receiver,
        is_async=ASYNC_SESSION in call.name or (not call.sure and call.site.awaited),
        round_trip=True,
        statement=statement,
        raw=is_text(call, statement),
        parameters=call.keyword("params"),
        driver="sqlalchemy",
    )


@library.recognise(SessionCreation, names=[SESSION, ASYNC_SESSION])
def _session(call: RecognisedCall) -> Iterator[SessionCreation]:
    yield SessionCreation(
        *call.place,
        is_async=call.name == ASYNC_SESSION,
        managed=call.managed,
        bind=call.argument(0, "bind"),
        expire_on_commit=call.keyword("expire_on_commit"),
    )


describe(
    library,
    BlockingCall,
    [f"{SESSION}.exec"],
    kind="database",
    instead="an AsyncSession of sqlmodel.ext.asyncio.session",
)
describe(
    library,
    ModelUpdate,
    ["sqlmodel.SQLModel.sqlmodel_update"],
    model=RECEIVER,
    data=Argument(0, "obj"),
    in_place=True,
)
