"""Drivers beneath SQLAlchemy: psycopg 2 and 3, asyncpg, aiosqlite, sqlite3, MySQL's, `databases`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import (
    Commit,
    ConnectionOpen,
    EngineCreation,
    Rollback,
    RowFetch,
    SessionClose,
    SqlExecution,
    SqlText,
    TransactionBegin,
    ValueBinding,
)
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines, manager
from fastapi_architect.libraries.table import KEYWORDS, MANAGED, RECEIVER, Argument, describe
from fastapi_architect.program.types import Instance

library = Library(
    packages=(
        "psycopg",
        "psycopg2",
        "psycopg_pool",
        "asyncpg",
        "aiosqlite",
        "sqlite3",
        "pymysql",
        "MySQLdb",
        "mysql",
        "aiomysql",
        "duckdb",
        "pyodbc",
        "cx_Oracle",
        "oracledb",
    ),
    aliases={
        "psycopg.Connection.connect": "psycopg.connect",
        "asyncpg.connection.Connection": "asyncpg.Connection",
        "asyncpg.pool.Pool": "asyncpg.Pool",
        "asyncpg.pool.create_pool": "asyncpg.create_pool",
        "asyncpg.connect_utils.connect": "asyncpg.connect",
        "aiosqlite.core.Connection": "aiosqlite.Connection",
    },
    classes={"psycopg2.extensions.connection", "psycopg2.extensions.cursor"},
    bases={
        "asyncpg.exceptions.PostgresError": ("builtins.Exception",),
        "asyncpg.exceptions.UniqueViolationError": ("asyncpg.exceptions.PostgresError",),
        "psycopg.Error": ("builtins.Exception",),
        "psycopg.errors.UniqueViolation": ("psycopg.IntegrityError",),
        "psycopg.IntegrityError": ("psycopg.DatabaseError",),
        "psycopg.DatabaseError": ("psycopg.Error",),
        "psycopg2.Error": ("builtins.Exception",),
        "psycopg2.DatabaseError": ("psycopg2.Error",),
        "psycopg2.IntegrityError": ("psycopg2.DatabaseError",),
        "sqlite3.Error": ("builtins.Exception",),
        "sqlite3.DatabaseError": ("sqlite3.Error",),
        "sqlite3.IntegrityError": ("sqlite3.DatabaseError",),
        "asyncpg.Record": ("collections.abc.Mapping",),
    },
)
calls = library.calls

#: Synchronous drivers: function that connects, class of the connection, class of the cursor, name.
_SYNC = (
    ("psycopg.connect", "psycopg.Connection", "psycopg.Cursor", "psycopg"),
    ("psycopg2.connect", "psycopg2.extensions.connection", "psycopg2.extensions.cursor", "psycopg"),
    ("sqlite3.connect", "sqlite3.Connection", "sqlite3.Cursor", "sqlite3"),
    ("pymysql.connect", "pymysql.connections.Connection", "pymysql.cursors.Cursor", "mysql"),
    ("MySQLdb.connect", "MySQLdb.connections.Connection", "MySQLdb.cursors.Cursor", "mysql"),
    (
        "mysql.connector.connect",
        "mysql.connector.MySQLConnection",
        "mysql.connector.cursor.MySQLCursor",
        "mysql",
    ),
    ("duckdb.connect", "duckdb.DuckDBPyConnection", "duckdb.DuckDBPyRelation", "duckdb"),
    ("pyodbc.connect", "pyodbc.Connection", "pyodbc.Cursor", "odbc"),
    ("oracledb.connect", "oracledb.Connection", "oracledb.Cursor", "oracle"),
)
_ASYNC = (
    ("psycopg.AsyncConnection.connect", "psycopg.AsyncConnection", "psycopg.AsyncCursor", "psycopg"),
    ("asyncpg.connect", "asyncpg.Connection", "asyncpg.Cursor", "asyncpg"),
    ("aiosqlite.connect", "aiosqlite.Connection", "aiosqlite.Cursor", "aiosqlite"),
    ("aiomysql.connect", "aiomysql.Connection", "aiomysql.Cursor", "mysql"),
)
_EXECUTES = ("execute", "executemany", "executescript", "copy", "sql")
_FETCHES = {"fetchall": "all", "fetchone": "first", "fetchmany": "many"}
_INSTEAD = "an asynchronous driver such as psycopg.AsyncConnection or asyncpg"

for _connect, _connection, _cursor, _ in _SYNC:
    calls[_connect] = Instance(_connection)
    calls[f"{_connection}.cursor"] = Instance(_cursor)
    for _name in _EXECUTES:
        calls[f"{_connection}.{_name}"] = Instance(_cursor)
        calls[f"{_cursor}.{_name}"] = Instance(_cursor)
    calls[f"{_connection}.transaction"] = Instance(f"{_connection}.transaction()")
for _connect, _connection, _cursor, _ in _ASYNC:
    # `await connect()` and `async with connect()` both give the connection.
    calls[_connect] = (
        awaitable(Instance(_connection)) if "aiosqlite" not in _connect else Instance(_connection)
    )
    calls[f"{_connection}.cursor"] = Instance(_cursor)
    for _name in _EXECUTES:
        calls[f"{_connection}.{_name}"] = (
            Instance(_cursor) if "aiosqlite" in _connect else awaitable(Instance(_cursor))
        )
    coroutines(library, _connection, "commit rollback close")
    coroutines(library, _cursor, "execute executemany fetchall fetchone fetchmany close")
_record = Instance("asyncpg.Record")
for _owner in ("asyncpg.Connection", "asyncpg.Pool"):
    calls[f"{_owner}.fetch"] = awaitable(Instance("builtins.list", (_record,)))
    calls[f"{_owner}.fetchrow"] = awaitable(_record)
    coroutines(library, _owner, "fetchval execute executemany close copy_to_table")
calls["asyncpg.create_pool"] = Instance("asyncpg.Pool")
calls["asyncpg.Pool.acquire"] = manager(Instance("asyncpg.Connection"))
calls["asyncpg.Connection.transaction"] = Instance("asyncpg.transaction.Transaction")
calls["psycopg_pool.ConnectionPool.connection"] = manager(Instance("psycopg.Connection"))
calls["psycopg_pool.AsyncConnectionPool.connection"] = manager(Instance("psycopg.AsyncConnection"))
coroutines(
    library, "databases.Database", "connect disconnect execute execute_many fetch_all fetch_one fetch_val"
)

_DRIVERS = {connection: driver for _, connection, _, driver in (*_SYNC, *_ASYNC)}
_DRIVERS |= {cursor: driver for _, _, cursor, driver in (*_SYNC, *_ASYNC)}
_DRIVERS |= {"asyncpg.Pool": "asyncpg", "databases.Database": "databases"}
_ASYNC_OWNERS = {owner for _, connection, cursor, _ in _ASYNC for owner in (connection, cursor)}
_ASYNC_OWNERS |= {"asyncpg.Pool", "databases.Database"}
_SENDS = {
    **{
        f"{owner}.{name}": owner for owner in _DRIVERS for name in ("execute", "executemany", "executescript")
    },
    **{
        f"{owner}.{name}": owner
        for owner in ("asyncpg.Connection", "asyncpg.Pool")
        for name in ("fetch", "fetchrow", "fetchval")
    },
    **{
        f"databases.Database.{name}": "databases.Database"
        for name in ("fetch_all", "fetch_one", "fetch_val", "execute_many", "iterate")
    },
}


@library.recognise(
    SqlExecution,
    names=_SENDS,
    duck={
        "execute": ("cursor", "=cur"),
        "executemany": ("cursor", "=cur"),
        **dict.fromkeys(("fetch", "fetchrow", "fetchval"), ("conn", "pool")),
    },
)
def _execute(call: RecognisedCall) -> Iterator[SqlExecution]:
    owner = _SENDS.get(call.name, "")
    positional = _DRIVERS.get(owner) == "asyncpg"
    yield SqlExecution(
        *call.place,
        session=call.receiver,
        is_async=owner in _ASYNC_OWNERS or (not call.sure and call.site.awaited),
        round_trip=True,
        statement=call.argument(0, "query") or call.argument(0, "sql"),
        raw=True,
        parameters=call.argument(1) if not positional else next(iter(call.node.args[1:]), None),
        driver=_DRIVERS.get(owner, "dbapi"),
        many=call.method in ("executemany", "execute_many"),
    )


for _owner in _DRIVERS:
    if not _owner.endswith(("ursor", "Relation")):
        continue
    for _name, _kind in _FETCHES.items():
        describe(
            library,
            RowFetch,
            [f"{_owner}.{_name}"],
            is_async=_owner in _ASYNC_OWNERS,
            round_trip=True,
            kind=_kind,
            result=RECEIVER,
            may_be_none=_kind == "first",
        )
describe(
    library,
    ConnectionOpen,
    [connect for connect, *_ in _SYNC],
    round_trip=True,
    managed=MANAGED,
    url=Argument(0),
    options=KEYWORDS,
)
describe(
    library,
    ConnectionOpen,
    [connect for connect, *_ in _ASYNC],
    is_async=True,
    round_trip=True,
    managed=MANAGED,
    url=Argument(0),
    options=KEYWORDS,
)
describe(
    library,
    ConnectionOpen,
    "asyncpg.Pool.acquire psycopg_pool.AsyncConnectionPool.connection "
    "psycopg_pool.AsyncConnectionPool.getconn",
    session=RECEIVER,
    is_async=True,
    round_trip=True,
    managed=MANAGED,
    options=KEYWORDS,
)
describe(
    library,
    ConnectionOpen,
    "psycopg_pool.ConnectionPool.connection psycopg_pool.ConnectionPool.getconn "
    "psycopg2.pool.ThreadedConnectionPool.getconn "
    "psycopg2.pool.SimpleConnectionPool.getconn",
    session=RECEIVER,
    round_trip=True,
    managed=MANAGED,
    options=KEYWORDS,
)
for _name, _is_async in (
    ("asyncpg.create_pool", True),
    ("psycopg_pool.AsyncConnectionPool", True),
    ("psycopg_pool.ConnectionPool", False),
    ("psycopg2.pool.ThreadedConnectionPool", False),
    ("psycopg2.pool.SimpleConnectionPool", False),
    ("aiomysql.create_pool", True),
    ("databases.Database", True),
):
    describe(
        library,
        EngineCreation,
        [_name],
        url=Argument(0),
        is_async=_is_async,
        options=KEYWORDS,
        kind="pool",
    )
for _owner in _DRIVERS:
    _is_async = _owner in _ASYNC_OWNERS
    _common: dict[str, Any] = {"session": RECEIVER, "is_async": _is_async}
    if not _owner.endswith(("ursor", "Relation", "Pool", "Database")):
        describe(library, Commit, [f"{_owner}.commit"], round_trip=True, **_common)
        describe(library, Rollback, [f"{_owner}.rollback"], round_trip=True, **_common)
        if _DRIVERS[_owner] in ("psycopg", "asyncpg") and "psycopg2" not in _owner:
            describe(library, TransactionBegin, [f"{_owner}.transaction"], managed=MANAGED, **_common)
        describe(library, SessionClose, [f"{_owner}.close"], kind="connection", **_common)
describe(library, SessionClose, ["asyncpg.Pool.release"], session=RECEIVER, is_async=True, kind="connection")
for _package in ("psycopg", "psycopg2"):
    _text = f"{_package}.sql.SQL"
    calls[_text] = Instance(_text)
    calls[f"{_text}.format"] = calls[f"{_text}.join"] = Instance(f"{_package}.sql.Composed")
    describe(library, SqlText, [_text], text=Argument(0))
    describe(library, ValueBinding, [f"{_text}.format", f"{_text}.join"], template=RECEIVER)
# Only drivers have a method of this name; what it gives is the finished statement.
describe(
    library,
    ValueBinding,
    [f"{owner}.mogrify" for owner in (*_DRIVERS, "psycopg.ClientCursor", "psycopg.AsyncClientCursor")],
    duck={"mogrify": ("",)},
    template=Argument(0, "query"),
)

describe(
    library,
    BlockingCall,
    [
        *(connect for connect, *_ in _SYNC),
        *(f"{c}.{n}" for _, c, _, _ in _SYNC for n in ("execute", "executemany", "commit", "rollback")),
        *(
            f"{c}.{n}"
            for _, _, c, _ in _SYNC
            for n in ("execute", "executemany", "fetchall", "fetchone", "fetchmany")
        ),
        "psycopg_pool.ConnectionPool.getconn",
        "psycopg_pool.ConnectionPool.connection",
        "psycopg2.pool.ThreadedConnectionPool.getconn",
    ],
    kind="database",
    instead=_INSTEAD,
)
