"""SQLAlchemy Core: engines, connections, statements, results. Sessions and mapping are in
`sqlalchemy_orm`.
"""

from __future__ import annotations

from fastapi_architect.libraries.library import CallType, Library
from fastapi_architect.libraries.results import (
    awaitable,
    coroutines,
    inherit,
    instance_of,
    list_of,
    manager,
    optional,
    receiver,
    receiver_argument,
)
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    STR,
    ClassRef,
    Instance,
    Type,
    options,
    union,
)
from fastapi_architect.syntax import ir

ASYNC = "sqlalchemy.ext.asyncio"
_INTERNAL = (
    "engine engine.base engine.create engine.cursor engine.result engine.row engine.url sql sql.expression "
    "sql.selectable "
    "sql.elements sql.schema sql.sqltypes sql.type_api sql.dml sql.functions sql.ddl schema types future"
).split()
STATEMENTS = ("Select", "Insert", "Update", "Delete", "CompoundSelect")

library = Library(
    packages=("sqlalchemy",),
    aliases={
        **{f"sqlalchemy.{module}.*": "sqlalchemy" for module in _INTERNAL},
        **{f"{ASYNC}.{module}.*": ASYNC for module in ("engine", "session", "result", "scoping")},
        "sqlalchemy.orm.exc.NoResultFound": "sqlalchemy.exc.NoResultFound",
        "sqlalchemy.orm.exc.MultipleResultsFound": "sqlalchemy.exc.MultipleResultsFound",
        "sqlalchemy.dialects.postgresql.base.*": "sqlalchemy.dialects.postgresql",
        **{
            f"sqlalchemy.dialects.{d}.dml.*": f"sqlalchemy.dialects.{d}"
            for d in ("postgresql", "sqlite", "mysql")
        },
        "sqlalchemy.util.concurrency.greenlet_spawn": "sqlalchemy.util.greenlet_spawn",
    },
    classes={
        *(
            f"sqlalchemy.{name}"
            for name in ("URL", "JSON", "ARRAY", "UUID", "VARCHAR", "TEXT", "INTEGER", "TIMESTAMP", "DDL")
        ),
        *(
            f"sqlalchemy.{name}"
            for name in ("BIGINT", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DECIMAL", "FLOAT", "NUMERIC")
        ),
        *(
            f"sqlalchemy.dialects.postgresql.{name}"
            for name in ("UUID", "JSON", "JSONB", "ARRAY", "ENUM", "INET", "TSVECTOR")
        ),
        *(f"sqlalchemy.dialects.postgresql.{name}" for name in ("BYTEA", "CITEXT", "HSTORE", "TIMESTAMP")),
    },
)
inherit(
    library,
    """sqlalchemy.exc
    SQLAlchemyError: builtins.Exception
    ArgumentError CompileError DisconnectionError: SQLAlchemyError
    TimeoutError InvalidRequestError StatementError: SQLAlchemyError
    PendingRollbackError ResourceClosedError: InvalidRequestError
    NoSuchColumnError NoResultFound MultipleResultsFound: InvalidRequestError
    MissingGreenlet NoSuchTableError: InvalidRequestError
    UnboundExecutionError IllegalStateChangeError NoReferenceError: InvalidRequestError
    DBAPIError: StatementError
    InterfaceError DatabaseError: DBAPIError
    DataError OperationalError IntegrityError InternalError ProgrammingError NotSupportedError: DatabaseError
    """,
)
library.bases.update(
    {
        "sqlalchemy.CursorResult": ("sqlalchemy.Result",),
        "sqlalchemy.Column": ("sqlalchemy.ColumnElement",),
        "sqlalchemy.CompoundSelect": ("sqlalchemy.Select",),
        **{
            f"sqlalchemy.dialects.{d}.Insert": ("sqlalchemy.Insert",)
            for d in ("postgresql", "sqlite", "mysql")
        },
        "sqlalchemy.dialects.postgresql.UUID": ("sqlalchemy.UUID",),
        "sqlalchemy.dialects.postgresql.JSONB": ("sqlalchemy.JSON",),
        "sqlalchemy.dialects.postgresql.JSON": ("sqlalchemy.JSON",),
        "sqlalchemy.dialects.postgresql.ARRAY": ("sqlalchemy.ARRAY",),
    }
)

# ── types of columns and entities ─────────────────────────────────────────────────────────────────────────

_DATETIME = Instance("datetime.datetime")
#: Class of a column's type to the Python type of its values.
_PYTHON = {
    **dict.fromkeys(("Integer", "BigInteger", "SmallInteger", "INTEGER", "BIGINT", "SMALLINT"), INT),
    **dict.fromkeys(("String", "Text", "Unicode", "UnicodeText", "VARCHAR", "TEXT", "CHAR", "CITEXT"), STR),
    **dict.fromkeys(("Boolean", "BOOLEAN"), BOOL),
    **dict.fromkeys(("Float", "Double", "FLOAT"), FLOAT),
    **dict.fromkeys(("Numeric", "NUMERIC", "DECIMAL"), Instance("decimal.Decimal")),
    **dict.fromkeys(("DateTime", "DATETIME", "TIMESTAMP"), _DATETIME),
    **dict.fromkeys(("Date", "DATE"), Instance("datetime.date")),
    **dict.fromkeys(("UUID", "Uuid"), Instance("uuid.UUID")),
    **dict.fromkeys(("JSON", "JSONB", "HSTORE"), Instance("builtins.dict", (STR, None))),
    **dict.fromkeys(("LargeBinary", "BYTEA", "BLOB"), BYTES),
    "Time": Instance("datetime.time"),
    "Interval": Instance("datetime.timedelta"),
    "ARRAY": Instance("builtins.list", (None,)),
}


def python_type(call: CallContext) -> Type | None:
    """Type of the values of a `Column(...)` or `mapped_column(...)`, from the first argument that names a
    column type.
    """
    given = [*call.node.args[:2], *(k.value for k in call.node.keywords if k.arg in ("type_", "sa_type"))]
    for expr in given:
        for option in options(call.type_of(expr)):
            name = option.name if isinstance(option, ClassRef | Instance) else ""
            last = name.rpartition(".")[2]
            if name.startswith("sqlalchemy.") and last in _PYTHON:
                return _PYTHON[last]
            if name == "sqlalchemy.Enum" and expr.__class__ is ir.Call and expr.args:
                return instance_of(call.type_of(expr.args[0])) or STR
    return None


#: Attributes of a class that stand for values of its rows.
COLUMN_LIKE = frozenset(
    {
        "sqlalchemy.Column",
        "sqlalchemy.ColumnElement",
        "sqlalchemy.orm.InstrumentedAttribute",
        "sqlalchemy.orm.MappedColumn",
        "sqlalchemy.orm.Mapped",
    }
)


def entity(of: Type | None) -> Type | None:
    """What a row holds for one argument of `select(...)`: an instance of a model, or a column's value."""
    columns = [o for o in options(of) if isinstance(o, Instance) and o.name in COLUMN_LIKE and o.args]
    return union(instance_of(of), *(column.args[0] for column in columns))


def entities(call: CallContext) -> tuple[Type | None, ...]:
    """What a row holds, one by one."""
    args = call.node.args
    if len(args) == 1 and args[0].__class__ is ir.Sequence:  # select([a, b]) of version 1.3
        args = args[0].elts
    return tuple(entity(call.type_of(arg)) for arg in args)


def row(args: tuple[Type | None, ...]) -> Instance:
    """A row: a named tuple of its entities."""
    return Instance("builtins.tuple", args)


# ── what calls give ───────────────────────────────────────────────────────────────────────────────────────

calls = library.calls
calls["sqlalchemy.Column"] = lambda call: Instance("sqlalchemy.Column", (python_type(call),))
calls["sqlalchemy.create_engine"] = calls["sqlalchemy.engine_from_config"] = Instance("sqlalchemy.Engine")
calls["sqlalchemy.create_mock_engine"] = Instance("sqlalchemy.Engine")
calls[f"{ASYNC}.create_async_engine"] = calls[f"{ASYNC}.async_engine_from_config"] = Instance(
    f"{ASYNC}.AsyncEngine"
)
calls["sqlalchemy.text"] = Instance("sqlalchemy.TextClause")
calls["sqlalchemy.TextClause.bindparams"] = calls["sqlalchemy.TextClause.columns"] = receiver
calls["sqlalchemy.select"] = lambda call: Instance("sqlalchemy.Select", entities(call))


def _writing(statement: str) -> CallType:
    """`insert(User)`, `update(User)`, `delete(User)`."""

    def call_type(call: CallContext) -> Type:
        return Instance(f"sqlalchemy.{statement}", entities(call)[:1])

    return call_type


for _name, _class in (("insert", "Insert"), ("update", "Update"), ("delete", "Delete")):
    calls[f"sqlalchemy.{_name}"] = _writing(_class)
    calls[f"sqlalchemy.Table.{_name}"] = Instance(f"sqlalchemy.{_class}")
for _dialect in ("postgresql", "sqlite", "mysql"):
    calls[f"sqlalchemy.dialects.{_dialect}.insert"] = _writing(f"dialects.{_dialect}.Insert")
calls["sqlalchemy.Table.select"] = Instance("sqlalchemy.Select")
for _name in ("union", "union_all", "intersect", "except_"):
    calls[f"sqlalchemy.{_name}"] = Instance("sqlalchemy.CompoundSelect")
for _name, _of in (("count", INT), ("now", _DATETIME), ("lower", STR), ("upper", STR), ("concat", STR)):
    calls[f"sqlalchemy.func.{_name}"] = Instance("sqlalchemy.ColumnElement", (_of,))
for _name in ("and_", "or_", "not_", "exists", "true", "false"):
    calls[f"sqlalchemy.{_name}"] = Instance("sqlalchemy.ColumnElement", (BOOL,))
for _name in ("literal_column", "literal", "case", "cast", "column", "bindparam"):
    calls[f"sqlalchemy.{_name}"] = Instance("sqlalchemy.ColumnElement", (None,))
for _name in "label desc asc nulls_last nulls_first distinct nullslast nullsfirst collate self_group".split():
    calls[f"sqlalchemy.ColumnElement.{_name}"] = receiver
_TESTS = "in_ not_in notin_ like ilike not_like contains startswith endswith is_ is_not isnot between any has"
for _name in _TESTS.split():
    calls[f"sqlalchemy.ColumnElement.{_name}"] = Instance("sqlalchemy.ColumnElement", (BOOL,))

#: Methods of statements to the kind of step they are.
STEPS = {
    **dict.fromkeys(("where", "filter", "filter_by"), "where"),
    **dict.fromkeys(("join", "outerjoin", "join_from", "outerjoin_from", "select_from"), "join"),
    **dict.fromkeys(("order_by",), "order_by"),
    **dict.fromkeys(("limit", "fetch", "slice"), "limit"),
    "offset": "offset",
    "group_by": "group_by",
    "having": "having",
    "options": "options",
    "distinct": "distinct",
    "with_for_update": "lock",
    "values": "values",
    "returning": "returning",
    **dict.fromkeys(("union", "union_all", "intersect", "except_", "except_all"), "union"),
    **dict.fromkeys(
        ("subquery", "cte", "scalar_subquery", "alias", "exists", "as_scalar", "lateral"), "subquery"
    ),
    "execution_options": "execution_options",
    **dict.fromkeys(
        ("with_only_columns", "add_columns", "with_entities", "add_entity", "add_column"), "columns"
    ),
    **dict.fromkeys(("on_conflict_do_nothing", "on_conflict_do_update", "on_duplicate_key_update"), "upsert"),
    **dict.fromkeys(
        ("populate_existing", "enable_eagerloads", "params", "correlate", "yield_per", "autoflush"), "other"
    ),
    **dict.fromkeys(
        ("set_label_style", "from_statement", "from_select", "ordered_values", "reset_joinpoint"), "other"
    ),
}
#: Steps that only the legacy `Query` has.
_OF_QUERY = frozenset(
    {"add_column", "add_entity", "with_entities", "populate_existing", "enable_eagerloads", "yield_per"}
    | {"autoflush", "reset_joinpoint"}
)


def step_owners(step: str) -> tuple[str, ...]:
    """Classes that have a step."""
    if step in _OF_QUERY:
        return ("sqlalchemy.orm.Query",)
    if STEPS[step] == "upsert":
        return tuple(f"sqlalchemy.dialects.{dialect}.Insert" for dialect in ("postgresql", "sqlite", "mysql"))
    return tuple(f"sqlalchemy.{name}" for name in STATEMENTS)


for _step, _kind in STEPS.items():
    if _kind != "subquery":
        calls.update(dict.fromkeys((f"{owner}.{_step}" for owner in step_owners(_step)), receiver))
calls["sqlalchemy.Select.with_only_columns"] = lambda call: Instance("sqlalchemy.Select", entities(call))
calls["sqlalchemy.Select.add_columns"] = lambda call: Instance(
    "sqlalchemy.Select", (*(call.receiver.args if call.receiver else ()), *entities(call))
)
for _class in ("Insert", "Update", "Delete"):
    calls[f"sqlalchemy.{_class}.returning"] = lambda call: Instance("sqlalchemy.Select", entities(call))

_result = "sqlalchemy.Result"
_scalars = "sqlalchemy.ScalarResult"
#: The type argument of a result is its row, a tuple; that of a scalar result is the value.
_row = receiver_argument()


def _first_of_row(call: CallContext) -> Type | None:
    """The first value of a result's row."""
    of = _row(call)
    return of.args[0] if isinstance(of, Instance) and of.args else None


def statement_row(call: CallContext) -> tuple[Type | None, ...]:
    """What the rows of the statement in a call hold, one by one; empty when not known."""
    statement = call.argument(0, "statement")
    for option in options(call.type_of(statement)) if statement is not None else ():
        if isinstance(option, Instance) and option.name == "sqlalchemy.Select":
            return option.args
    return ()


def executed(result: str = _result):  # type: ignore[no-untyped-def]  # a factory: the inner signature says it
    """What executing a statement gives: a result with the statement's row."""

    def call_type(call: CallContext) -> Type:
        args = statement_row(call)
        if result.endswith("ScalarResult"):
            return Instance(result, args[:1])
        return Instance(result, (row(args),) if args else ())

    return call_type


def executed_scalar(call: CallContext) -> Type | None:
    """What `scalar(statement)` gives: the first entity of the first row, or None."""
    args = statement_row(call)
    return union(args[0], NONE) if args and args[0] is not None else None


def _type_results(name: str, scalars: str, wrap) -> None:  # type: ignore[no-untyped-def]
    """Types of the methods of a result class; `wrap` makes coroutines of them for asyncio's streaming
    results.
    """
    for method in ("all", "fetchall", "fetchmany"):
        calls[f"{name}.{method}"] = wrap(list_of(_row))
    for method in ("first", "one_or_none", "fetchone"):
        calls[f"{name}.{method}"] = wrap(optional(_row))
    calls[f"{name}.one"] = wrap(_row)
    calls[f"{name}.scalar_one"] = wrap(_first_of_row)
    calls[f"{name}.scalar"] = calls[f"{name}.scalar_one_or_none"] = wrap(optional(_first_of_row))
    calls[f"{name}.scalars"] = lambda call: Instance(scalars, (_first_of_row(call),))
    calls[f"{name}.mappings"] = Instance("sqlalchemy.MappingResult")
    for method in ("unique", "yield_per", "tuples", "columns", "partitions"):
        calls[f"{name}.{method}"] = calls[f"{scalars}.{method}"] = receiver
    for method in ("all", "fetchall", "fetchmany"):
        calls[f"{scalars}.{method}"] = wrap(list_of(_row))
    for method in ("first", "one_or_none"):
        calls[f"{scalars}.{method}"] = wrap(optional(_row))
    calls[f"{scalars}.one"] = wrap(_row)


_type_results(_result, _scalars, lambda of: of)
_type_results(f"{ASYNC}.AsyncResult", f"{ASYNC}.AsyncScalarResult", awaitable)
_mapping = Instance("builtins.dict", (STR, None))
calls["sqlalchemy.MappingResult.all"] = Instance("builtins.list", (_mapping,))
calls["sqlalchemy.MappingResult.first"] = calls["sqlalchemy.MappingResult.one_or_none"] = (
    union(_mapping, NONE) or NONE
)
calls["sqlalchemy.MappingResult.one"] = _mapping
library.attributes["sqlalchemy.CursorResult.rowcount"] = library.attributes["sqlalchemy.Result.rowcount"] = (
    INT
)

_connection = Instance("sqlalchemy.Connection")
_async_connection = Instance(f"{ASYNC}.AsyncConnection")
calls["sqlalchemy.Engine.connect"] = _connection
calls["sqlalchemy.Engine.begin"] = manager(_connection)
calls["sqlalchemy.Engine.raw_connection"] = Instance("sqlalchemy.PoolProxiedConnection")
calls["sqlalchemy.PoolProxiedConnection.cursor"] = Instance("sqlalchemy.DBAPICursor")
calls["sqlalchemy.Connection.execution_options"] = receiver
calls["sqlalchemy.Connection.execute"] = executed()
calls["sqlalchemy.Connection.exec_driver_sql"] = Instance(_result)
calls["sqlalchemy.Connection.scalars"] = executed(_scalars)
calls["sqlalchemy.Connection.scalar"] = executed_scalar
calls["sqlalchemy.Connection.begin"] = calls["sqlalchemy.Connection.begin_nested"] = Instance(
    "sqlalchemy.Transaction"
)
calls[f"{ASYNC}.AsyncEngine.connect"] = _async_connection
calls[f"{ASYNC}.AsyncEngine.begin"] = manager(_async_connection)
calls[f"{ASYNC}.AsyncConnection.execute"] = awaitable(executed())
calls[f"{ASYNC}.AsyncConnection.scalars"] = awaitable(executed(_scalars))
calls[f"{ASYNC}.AsyncConnection.scalar"] = awaitable(executed_scalar)
calls[f"{ASYNC}.AsyncConnection.exec_driver_sql"] = awaitable(Instance(_result))
calls[f"{ASYNC}.AsyncConnection.begin"] = Instance(f"{ASYNC}.AsyncTransaction")
calls[f"{ASYNC}.AsyncConnection.begin_nested"] = Instance(f"{ASYNC}.AsyncTransaction")
coroutines(library, f"{ASYNC}.AsyncEngine", "dispose raw_connection")
coroutines(
    library,
    f"{ASYNC}.AsyncConnection",
    "aclose close commit rollback run_sync invalidate start get_raw_connection",
)
coroutines(library, f"{ASYNC}.AsyncTransaction", "commit rollback close start")
library.attributes[f"{ASYNC}.AsyncEngine.sync_engine"] = Instance("sqlalchemy.Engine")
library.attributes["sqlalchemy.orm.registry.metadata"] = Instance("sqlalchemy.MetaData")
