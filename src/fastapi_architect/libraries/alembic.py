"""Alembic: the connection of a revision and what it executes. (The app graph replays schema operations.)"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.database import BulkWrite, SqlExecution
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import manager
from fastapi_architect.libraries.sqlalchemy_core import is_text
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import NONE, Instance

_OPERATIONS = "alembic.operations.Operations"
_BATCH = "alembic.operations.BatchOperations"
_CONTEXT = "alembic.runtime.migration.MigrationContext"
library = Library(
    packages=("alembic", "alembic_utils"),
    aliases={
        "alembic.operations.base.Operations": _OPERATIONS,
        "alembic.operations.base.BatchOperations": _BATCH,
        "alembic.migration.MigrationContext": _CONTEXT,
    },
)
for _owner in ("alembic.op", _OPERATIONS):
    library.calls[f"{_owner}.get_bind"] = Instance("sqlalchemy.Connection")
    library.calls[f"{_owner}.get_context"] = Instance(_CONTEXT)
    library.calls[f"{_owner}.batch_alter_table"] = manager(Instance(_BATCH))
library.calls[f"{_CONTEXT}.autocommit_block"] = manager(NONE)
library.calls["alembic.context.begin_transaction"] = manager(NONE)
library.attributes[f"{_CONTEXT}.connection"] = Instance("sqlalchemy.Connection")


@library.recognise(SqlExecution, names=[f"{owner}.execute" for owner in ("alembic.op", _OPERATIONS)])
def _execute(call: RecognisedCall) -> Iterator[SqlExecution]:
    statement = call.argument(0, "sqltext")
    yield SqlExecution(
        *call.place,
        round_trip=True,
        statement=statement,
        raw=is_text(call, statement),
        driver="alembic",
    )


describe(
    library,
    BulkWrite,
    [f"{owner}.bulk_insert" for owner in ("alembic.op", _OPERATIONS)],
    round_trip=True,
    model=Argument(0, "table"),
    data=Argument(1, "rows"),
)
