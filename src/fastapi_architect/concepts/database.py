"""Databases: engines, sessions, statements, transactions and the rows that come back."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class EngineCreation(Concept, frozen=True, eq=False):
    """An engine or pool of connections.

    Attributes:
        url: the address.
        is_async: for asyncio.
        options: every keyword argument (pool_size, echo, connect_args ...).
        kind: engine or pool.
    """

    url: ir.Expr | None = None
    is_async: bool = False
    options: tuple[ir.Keyword, ...] = ()
    kind: str = "engine"

    def option(self, name: str) -> ir.Expr | None:
        """The keyword argument of that name, or None."""
        return next((k.value for k in self.options if k.arg == name), None)


class SessionFactory(Concept, frozen=True, eq=False):
    """A factory of sessions.

    Attributes:
        is_async: of asyncio sessions.
        expire_on_commit: the argument; None means the default, True.
        session_class: the class given.
        bind: the engine.
        autoflush: the argument.
        scoped: one session per thread or task (`scoped_session`).
    """

    is_async: bool = False
    expire_on_commit: ir.Expr | None = None
    session_class: ir.Expr | None = None
    bind: ir.Expr | None = None
    autoflush: ir.Expr | None = None
    scoped: bool = False


class DatabaseCall(Concept, frozen=True, eq=False):
    """Anything done with a session, connection, cursor or query.

    Attributes:
        session: the object it is done with, as written; None when there is none.
        is_async: to be awaited.
        round_trip: the database answers before the call returns.
    """

    session: ir.Expr | None = None
    is_async: bool = False
    round_trip: bool = False


class SessionCreation(DatabaseCall, frozen=True, eq=False):
    """A session is made; `session` is the factory.

    Attributes:
        managed: it stands in a `with`, which closes it.
        bind: the engine.
        expire_on_commit: the argument; None means the default of the factory.
    """

    managed: bool = False
    bind: ir.Expr | None = None
    expire_on_commit: ir.Expr | None = None


class ConnectionOpen(DatabaseCall, frozen=True, eq=False):
    """A connection is opened or taken from a pool; `session` is the engine or pool.

    Attributes:
        managed: it stands in a `with`, which gives it back.
        url: the address, when it is connected directly.
        options: every keyword argument.
    """

    managed: bool = False
    url: ir.Expr | None = None
    options: tuple[ir.Keyword, ...] = ()


class SqlExecution(DatabaseCall, frozen=True, eq=False):
    """A statement is sent.

    Attributes:
        statement: the statement.
        raw: it is text that is sent as it is (a string, or `text(...)`), not an expression that binds its
            values.
        parameters: the values bound.
        driver: sqlalchemy, psycopg, asyncpg, sqlite3 ...
        many: more than one set of parameters.
    """

    statement: ir.Expr | None = None
    raw: bool = False
    parameters: ir.Expr | None = None
    driver: str = ""
    many: bool = False


class SqlText(Concept, frozen=True, eq=False):
    """Text that becomes part of a statement unescaped.

    Attributes:
        text: the text.
        kind: text (a whole statement or clause), column, operator, prefix, hint, identifier or ddl.
    """

    text: ir.Expr | None = None
    kind: str = "text"


class ValueBinding(Concept, frozen=True, eq=False):
    """Values are written into a statement as the database reads values, quoted by the driver.

    Attributes:
        template: the statement, with placeholders; what stands in it itself is sent as it is.
    """

    template: ir.Expr | None = None


class QueryStart(Concept, frozen=True, eq=False):
    """A statement begins.

    Attributes:
        kind: select, insert, update, delete, query, count or exists.
        entities: models and columns, as written.
        session: the session of a `session.query(...)`; None else.
    """

    kind: str
    entities: tuple[ir.Expr, ...] = ()
    session: ir.Expr | None = None


class QueryStep(Concept, frozen=True, eq=False):
    """One method of a statement's chain.

    Attributes:
        kind: where, join, order_by, limit, offset, group_by, having, options, distinct, lock, values,
            returning, columns, union, upsert, subquery, execution_options or other.
        statement: what it is called on.
        args: positional arguments.
        keywords: keyword arguments.
    """

    kind: str
    statement: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()


class LoaderOption(Concept, frozen=True, eq=False):
    """How relationships or columns of rows are loaded.

    Attributes:
        kind: selectin, joined, subquery, contains, lazy, raise, noload, defer or only.
        attributes: the attributes, as written.
        after: the option it is chained to, None for the first of a chain.
    """

    kind: str
    attributes: tuple[ir.Expr, ...] = ()
    after: ir.Expr | None = None


class SessionGet(DatabaseCall, frozen=True, eq=False):
    """A row by its primary key.

    Attributes:
        model: the class.
        identity: the key.
        required: a missing row raises (`get_one`).
        options: loader options.
        lock: the `with_for_update` argument.
    """

    model: ir.Expr | None = None
    identity: ir.Expr | None = None
    required: bool = False
    options: ir.Expr | None = None
    lock: ir.Expr | None = None


class SessionAdd(DatabaseCall, frozen=True, eq=False):
    """Objects are to be stored; `many` for `add_all`; `kind` is add or merge."""

    instance: ir.Expr | None = None
    many: bool = False
    kind: str = "add"


class SessionDelete(DatabaseCall, frozen=True, eq=False):
    """An object is to be removed."""

    instance: ir.Expr | None = None


class SessionFlush(DatabaseCall, frozen=True, eq=False):
    """Pending changes are sent, not committed."""


class SessionRefresh(DatabaseCall, frozen=True, eq=False):
    """An object is read again; `attributes` names which parts (None: columns only)."""

    instance: ir.Expr | None = None
    attributes: ir.Expr | None = None


class SessionExpunge(DatabaseCall, frozen=True, eq=False):
    """Objects leave the session or are marked stale; `kind` is expunge, expunge_all, expire or expire_all."""

    kind: str = "expunge"
    instance: ir.Expr | None = None


class Commit(DatabaseCall, frozen=True, eq=False):
    """The transaction is made permanent."""


class Rollback(DatabaseCall, frozen=True, eq=False):
    """The transaction is undone."""


class SessionClose(DatabaseCall, frozen=True, eq=False):
    """A session, connection or cursor is given back; `kind` is session, connection, cursor, engine or
    pool.
    """

    kind: str = "session"


class TransactionBegin(DatabaseCall, frozen=True, eq=False):
    """A transaction begins.

    Attributes:
        nested: a savepoint.
        managed: it stands in a `with`, which commits it.
        opens: the connection or session is opened by the same call (`engine.begin()`,
            `sessionmaker.begin()`).
    """

    nested: bool = False
    managed: bool = False
    opens: bool = False


class RowFetch(DatabaseCall, frozen=True, eq=False):
    """Rows are taken from a result.

    Attributes:
        kind: all, first, one, one_or_none, scalar, scalar_one, scalar_one_or_none, scalars, mappings,
            unique, many, count, exists, partitions or iterate.
        result: what they are taken from.
        may_be_none: no row gives None.
        executes: the statement is sent by this call (a `Query`, a cursor of a document database).
    """

    kind: str = "all"
    result: ir.Expr | None = None
    may_be_none: bool = False
    executes: bool = False


class BulkWrite(DatabaseCall, frozen=True, eq=False):
    """Many rows in one call, past the unit of work; `kind` is insert, update, save, query_update or
    query_delete.
    """

    kind: str = "insert"
    model: ir.Expr | None = None
    data: ir.Expr | None = None


class SchemaCreation(DatabaseCall, frozen=True, eq=False):
    """Tables are made or dropped from metadata; `kind` is create or drop."""

    kind: str = "create"


class SyncBridge(DatabaseCall, frozen=True, eq=False):
    """Synchronous code run on an asyncio connection (`run_sync`); `target` is the function."""

    target: ir.Expr | None = None


class ChangeFlag(Concept, frozen=True, eq=False):
    """An in-place change is announced to the unit of work (`flag_modified`)."""

    instance: ir.Expr | None = None
    attribute: ir.Expr | None = None


class DocumentOperation(DatabaseCall, frozen=True, eq=False):
    """An operation of a document database.

    Attributes:
        operation: find, find_one, insert_one, update_many, aggregate ...
        query: the filter.
        writes: it changes data.
    """

    operation: str = ""
    query: ir.Expr | None = None
    writes: bool = False
