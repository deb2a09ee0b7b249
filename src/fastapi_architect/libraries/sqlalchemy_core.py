"""SQLAlchemy Core: what calls of engines, connections, statements and results mean."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import (
    Commit,
    ConnectionOpen,
    EngineCreation,
    QueryStart,
    QueryStep,
    Rollback,
    RowFetch,
    SchemaCreation,
    SessionClose,
    SqlExecution,
    SqlText,
    SyncBridge,
    TransactionBegin,
)
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.sqlalchemy import ASYNC, STATEMENTS, STEPS, step_owners
from fastapi_architect.libraries.table import ARGS, KEYWORDS, MANAGED, RECEIVER, Argument, describe
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

library = Library(packages=("sqlalchemy",))

_url = Argument(0, "url")
describe(
    library,
    EngineCreation,
    "create_engine engine_from_config",
    owner="sqlalchemy",
    url=_url,
    options=KEYWORDS,
)
describe(
    library,
    EngineCreation,
    "create_async_engine async_engine_from_config",
    owner=ASYNC,
    url=_url,
    options=KEYWORDS,
    is_async=True,
)
_opens: dict[str, Any] = {"session": RECEIVER, "managed": MANAGED, "options": KEYWORDS}
describe(
    library, ConnectionOpen, "connect raw_connection", owner="sqlalchemy.Engine", round_trip=True, **_opens
)
describe(
    library,
    ConnectionOpen,
    "connect raw_connection",
    owner=f"{ASYNC}.AsyncEngine",
    round_trip=True,
    is_async=True,
    **_opens,
)

_TEXT = {
    "text": ("text", 0),
    "literal_column": ("column", 0),
    "DDL": ("ddl", 0),
    "ColumnElement.op": ("operator", 0),
    "ColumnElement.bool_op": ("operator", 0),
    **{f"{cls}.{m}": ("prefix", 0) for cls in STATEMENTS for m in ("prefix_with", "suffix_with")},
    **{
        f"{cls}.{m}": ("hint", i)
        for cls in STATEMENTS
        for m, i in (("with_hint", 1), ("with_statement_hint", 0))
    },
}


@library.recognise(SqlText, names=[f"sqlalchemy.{name}" for name in _TEXT])
def _sql_text(call: RecognisedCall) -> Iterator[SqlText]:
    kind, position = _TEXT[call.name.removeprefix("sqlalchemy.")]
    yield SqlText(*call.place, call.argument(position, "text" if kind in ("text", "column") else None), kind)


describe(
    library,
    SqlText,
    "sqlalchemy.column sqlalchemy.table sqlalchemy.quoted_name",
    text=Argument(0),
    kind="identifier",
)

for _name in ("select", "insert", "update", "delete", "exists"):
    _names = [f"sqlalchemy.{_name}"] + ([] if _name == "exists" else [f"sqlalchemy.Table.{_name}"])
    if _name == "insert":
        _names += [f"sqlalchemy.dialects.{d}.insert" for d in ("postgresql", "sqlite", "mysql")]
    describe(library, QueryStart, _names, kind=_name, entities=ARGS)
describe(library, QueryStart, "sqlalchemy.func.count", kind="count", entities=ARGS)

_STATEMENT_WORDS = ("stmt", "query", "statement", "select")


@library.recognise(
    QueryStep,
    names=[f"{owner}.{step}" for step in STEPS for owner in step_owners(step)],
    duck=dict.fromkeys(STEPS, _STATEMENT_WORDS),
)
def _query_step(call: RecognisedCall) -> Iterator[QueryStep]:
    yield QueryStep(
        *call.place, STEPS[call.method], call.receiver, tuple(call.node.args), tuple(call.node.keywords)
    )


def is_text(call: RecognisedCall, statement: ir.Expr | None) -> bool:
    """A statement is text that is sent as it is."""
    if statement is None:
        return False
    if statement.__class__ is ir.JoinedStr:
        return True
    names = {o.name for o in options(call.type_of(statement)) if isinstance(o, Instance)}
    return bool(names & {"builtins.str", "sqlalchemy.TextClause"})


_CONNECTIONS = ("conn", "connection")
_EXECUTE = ("execute", "exec_driver_sql", "scalar", "scalars", "stream", "stream_scalars")


@library.recognise(
    SqlExecution,
    names=[
        f"{owner}.{m}" for owner in ("sqlalchemy.Connection", f"{ASYNC}.AsyncConnection") for m in _EXECUTE
    ],
)
def _execute(call: RecognisedCall) -> Iterator[SqlExecution]:
    statement = call.argument(0, "statement")
    yield SqlExecution(
        *call.place,
        session=call.receiver,
        is_async=ASYNC in call.name,
        round_trip=True,
        statement=statement,
        raw=call.method == "exec_driver_sql" or is_text(call, statement),
        parameters=call.argument(1, "parameters"),
        driver="sqlalchemy",
    )


describe(
    library,
    SqlExecution,
    "execute executemany",
    owner="sqlalchemy.DBAPICursor",
    session=RECEIVER,
    round_trip=True,
    statement=Argument(0),
    parameters=Argument(1),
    raw=True,
    driver="dbapi",
)

_ENDS = (("commit", Commit), ("rollback", Rollback), ("close", SessionClose))
for _owner, _is_async in (
    ("sqlalchemy.Connection", False),
    ("sqlalchemy.Transaction", False),
    (f"{ASYNC}.AsyncConnection", True),
    (f"{ASYNC}.AsyncTransaction", True),
):
    for _name, _concept in _ENDS:
        _fields: dict[str, Any] = {"kind": "connection"} if _concept is SessionClose else {}
        describe(
            library,
            _concept,
            [f"{_owner}.{_name}"],
            session=RECEIVER,
            is_async=_is_async,
            round_trip=True,
            **_fields,
        )
describe(
    library,
    SessionClose,
    f"{ASYNC}.AsyncConnection.aclose",
    session=RECEIVER,
    is_async=True,
    round_trip=True,
    kind="connection",
)
describe(library, SessionClose, "sqlalchemy.Engine.dispose", session=RECEIVER, kind="engine")
describe(
    library, SessionClose, f"{ASYNC}.AsyncEngine.dispose", session=RECEIVER, kind="engine", is_async=True
)


@library.recognise(
    TransactionBegin,
    names=[
        f"{owner}.{name}"
        for owner in (
            "sqlalchemy.Connection",
            f"{ASYNC}.AsyncConnection",
            "sqlalchemy.Engine",
            f"{ASYNC}.AsyncEngine",
        )
        for name in ("begin", "begin_nested")
    ],
)
def _begin(call: RecognisedCall) -> Iterator[TransactionBegin]:
    yield TransactionBegin(
        *call.place,
        session=call.receiver,
        is_async=ASYNC in call.name,
        nested=call.method == "begin_nested",
        managed=call.managed,
        opens="Engine." in call.name,
    )


#: Methods of results: kind, and whether no row gives None.
FETCHES = {
    "all": ("all", False),
    "fetchall": ("all", False),
    "fetchmany": ("many", False),
    "partitions": ("partitions", False),
    "first": ("first", True),
    "fetchone": ("first", True),
    "one": ("one", False),
    "one_or_none": ("one_or_none", True),
    "scalar": ("scalar", True),
    "scalar_one": ("scalar_one", False),
    "scalar_one_or_none": ("scalar_one_or_none", True),
    "scalars": ("scalars", False),
    "mappings": ("mappings", False),
    "unique": ("unique", False),
}
_RESULTS = ("sqlalchemy.Result", "sqlalchemy.ScalarResult", "sqlalchemy.MappingResult")
_STREAMS = (f"{ASYNC}.AsyncResult", f"{ASYNC}.AsyncScalarResult", f"{ASYNC}.AsyncMappingResult")


@library.recognise(
    RowFetch,
    names=[f"{owner}.{name}" for owner in (*_RESULTS, *_STREAMS) for name in FETCHES],
    duck={
        **dict.fromkeys(("all", "first", "one", "one_or_none", "unique", "mappings"), ("result",)),
        **dict.fromkeys(("scalar_one", "scalar_one_or_none", "scalars", "scalar"), ("result", "res", "rows")),
    },
)
def _fetch(call: RecognisedCall) -> Iterator[RowFetch]:
    kind, may_be_none = FETCHES[call.method]
    is_async = call.name.startswith(_STREAMS) and kind not in ("scalars", "mappings", "unique", "partitions")
    yield RowFetch(
        *call.place,
        is_async=is_async,
        round_trip=is_async,
        kind=kind,
        result=call.receiver,
        may_be_none=may_be_none,
    )


_BASES = tuple(f"{base}.metadata" for base in ("sqlalchemy.orm.DeclarativeBase", "sqlmodel.SQLModel"))
for _name in ("create", "drop"):
    describe(
        library,
        SchemaCreation,
        [f"{owner}.{_name}_all" for owner in ("sqlalchemy.MetaData", *_BASES)],
        duck={f"{_name}_all": ("metadata",)},
        session=Argument(0, "bind"),
        kind=_name,
    )
describe(
    library,
    SyncBridge,
    [f"{ASYNC}.AsyncConnection.run_sync", f"{ASYNC}.AsyncSession.run_sync"],
    session=RECEIVER,
    is_async=True,
    round_trip=True,
    target=Argument(0, "fn"),
)

_BLOCKING = {
    "sqlalchemy.Connection": "execute exec_driver_sql scalar scalars commit rollback begin",
    "sqlalchemy.Engine": "connect begin raw_connection",
    "sqlalchemy.DBAPICursor": "execute executemany fetchall fetchone",
    "sqlalchemy.MetaData": "reflect",
}
for _owner, _methods in _BLOCKING.items():
    describe(
        library,
        BlockingCall,
        _methods,
        owner=_owner,
        kind="database",
        instead="an AsyncSession or AsyncConnection of sqlalchemy.ext.asyncio",
    )
