"""SQLAlchemy ORM: sessions, mapped attributes, loader options, the legacy `Query`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import (
    Commit,
    ConnectionOpen,
    DatabaseCall,
    Rollback,
    SessionAdd,
    SessionClose,
    SessionCreation,
    SessionDelete,
    SessionExpunge,
    SessionFactory,
    SessionFlush,
    SessionGet,
    SessionRefresh,
    SqlExecution,
    TransactionBegin,
)
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import (
    argument_instance,
    argument_type,
    awaitable,
    coroutines,
    manager,
    optional,
    receiver_argument,
)
from fastapi_architect.libraries.sqlalchemy import (
    executed,
    executed_scalar,
    python_type,
)
from fastapi_architect.libraries.sqlalchemy_core import is_text
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import ClassRef, Instance, Type, options, union
from fastapi_architect.syntax import ir

_ORM = "sqlalchemy.orm"
_ASYNC = "sqlalchemy.ext.asyncio"
SESSION = f"{_ORM}.Session"
ASYNC_SESSION = f"{_ASYNC}.AsyncSession"
_MODULES = (
    "session query attributes decl_api relationships properties strategy_options base scoping mapper util "
    "dynamic "
    "writeonly collections declarative_base"
).split()

library = Library(
    packages=("flask_sqlalchemy", "fastapi_sqlalchemy", "fastapi_async_sqlalchemy", "sqlalchemy_utils"),
    aliases={
        **{f"{_ORM}.{module}.*": _ORM for module in _MODULES},
        f"{_ORM}.attributes.flag_modified": f"{_ORM}.attributes.flag_modified",
        f"{_ORM}.flag_modified": f"{_ORM}.attributes.flag_modified",
        "sqlalchemy.ext.declarative.*": _ORM,
        "sqlalchemy.ext.declarative.api.*": _ORM,
    },
    classes={f"{_ORM}.{name}" for name in ("sessionmaker", "scoped_session", "registry", "aliased")}
    | {f"{_ASYNC}.{name}" for name in ("async_sessionmaker", "async_scoped_session")},
    bases={
        f"{_ORM}.scoped_session": (SESSION,),
        f"{_ASYNC}.async_scoped_session": (ASYNC_SESSION,),
        f"{_ORM}.InstrumentedAttribute": ("sqlalchemy.ColumnElement",),
        f"{_ORM}.MappedColumn": ("sqlalchemy.ColumnElement",),
        f"{_ORM}.Query": ("sqlalchemy.Select",),
        f"{_ORM}.exc.StaleDataError": ("sqlalchemy.exc.SQLAlchemyError",),
        f"{_ORM}.exc.DetachedInstanceError": ("sqlalchemy.exc.SQLAlchemyError",),
        f"{_ORM}.exc.ObjectDeletedError": ("sqlalchemy.exc.InvalidRequestError",),
    },
)

# ── sessions that middleware opens for each request: `from fastapi_sqlalchemy import db` ──────────────────────

for _package, _session in (("fastapi_sqlalchemy", SESSION), ("fastapi_async_sqlalchemy", ASYNC_SESSION)):
    library.attributes[f"{_package}.db"] = Instance(f"{_package}.DBSession")
    library.attributes[f"{_package}.DBSession.session"] = Instance(_session)

# ── mapped attributes ─────────────────────────────────────────────────────────────────────────────────────


def _mapped(args: tuple[Type | None, ...], on_instance: bool) -> Type | None:
    if on_instance:
        return args[0] if args else None
    return Instance(f"{_ORM}.InstrumentedAttribute", args)


def _dynamic(args: tuple[Type | None, ...], on_instance: bool) -> Type | None:
    return Instance(f"{_ORM}.Query", args) if on_instance else Instance(f"{_ORM}.InstrumentedAttribute", args)


for _name in ("Mapped", "MappedColumn", "Relationship", "MappedSQLExpression", "WriteOnlyMapped"):
    library.descriptors[f"{_ORM}.{_name}"] = _mapped
library.descriptors["sqlalchemy.Column"] = _mapped
library.descriptors[f"{_ORM}.DynamicMapped"] = _dynamic

calls = library.calls
calls[f"{_ORM}.mapped_column"] = lambda call: Instance(f"{_ORM}.MappedColumn", (python_type(call),))
calls[f"{_ORM}.declarative_base"] = ClassRef(f"{_ORM}.DeclarativeBase")
calls[f"{_ORM}.registry.generate_base"] = ClassRef(f"{_ORM}.DeclarativeBase")
calls[f"{_ORM}.aliased"] = argument_type(0, "element")


def _target(call: CallContext) -> Type | None:
    """The class that a `relationship(...)` leads to, named or quoted."""
    expr = call.argument(0, "argument")
    if expr is None:
        return None
    if expr.__class__ is ir.Lambda:
        expr = expr.body
    if expr.__class__ is ir.Constant and isinstance(expr.value, str):
        found = call.class_named(expr.value.rpartition(".")[2])
        return Instance(found) if found is not None else None
    for option in options(call.type_of(expr)):
        if isinstance(option, ClassRef):
            return Instance(option.cls, option.args)
    return None


@library.call(f"{_ORM}.relationship", f"{_ORM}.relation")
def _relationship_call(call: CallContext) -> Type | None:
    """One row or a list of them; both when nothing written here decides it (the side with the foreign key
    does).
    """
    target = _target(call)
    if target is None:
        return Instance(f"{_ORM}.Relationship")
    many = Instance("builtins.list", (target,))
    uselist = call.argument(None, "uselist")
    lazy = call.argument(None, "lazy")
    of: Type | None = union(target, many)
    if uselist.__class__ is ir.Constant:
        of = many if uselist.value else target
    elif call.argument(1, "secondary") is not None:
        of = many
    if lazy.__class__ is ir.Constant and lazy.value == "dynamic":
        return Instance(f"{_ORM}.DynamicMapped", (target,))
    return Instance(f"{_ORM}.Relationship", (of,))


# ── factories and sessions ────────────────────────────────────────────────────────────────────────────────


def _factory(default: str, name: str):  # type: ignore[no-untyped-def]
    def call_type(call: CallContext) -> Type:
        given = call.argument(None, "class_")
        session: Type = Instance(default)
        for option in options(call.type_of(given)) if given is not None else ():
            if isinstance(option, ClassRef):
                session = Instance(option.cls)
        return Instance(name, (session,))

    return call_type


def _scoped(name: str):  # type: ignore[no-untyped-def]
    def call_type(call: CallContext) -> Type:
        factory = call.argument(0, "session_factory")
        for option in options(call.type_of(factory)) if factory is not None else ():
            if isinstance(option, Instance) and option.args:
                is_async = option.args[0] == Instance(ASYNC_SESSION)
                return Instance(f"{_ASYNC}.async_scoped_session" if is_async else name, option.args)
        return Instance(name)

    return call_type


def _made(default: str):  # type: ignore[no-untyped-def]
    inner = receiver_argument()

    def call_type(call: CallContext) -> Type:
        return inner(call) or Instance(default)

    return call_type


calls[f"{_ORM}.sessionmaker"] = _factory(SESSION, f"{_ORM}.sessionmaker")
calls[f"{_ASYNC}.async_sessionmaker"] = _factory(ASYNC_SESSION, f"{_ASYNC}.async_sessionmaker")
calls[f"{_ORM}.sessionmaker.__call__"] = _made(SESSION)
calls[f"{_ASYNC}.async_sessionmaker.__call__"] = _made(ASYNC_SESSION)
calls[f"{_ORM}.sessionmaker.begin"] = lambda call: manager(_made(SESSION)(call))
calls[f"{_ASYNC}.async_sessionmaker.begin"] = lambda call: manager(_made(ASYNC_SESSION)(call))
calls[f"{_ORM}.scoped_session"] = _scoped(f"{_ORM}.scoped_session")
calls[f"{_ASYNC}.async_scoped_session"] = _scoped(f"{_ASYNC}.async_scoped_session")
calls[f"{_ORM}.scoped_session.__call__"] = _made(SESSION)
calls[f"{_ASYNC}.async_scoped_session.__call__"] = _made(ASYNC_SESSION)

for _owner, _wrap, _result, _scalars in (
    (SESSION, lambda of: of, "sqlalchemy.Result", "sqlalchemy.ScalarResult"),
    (ASYNC_SESSION, awaitable, "sqlalchemy.Result", "sqlalchemy.ScalarResult"),
):
    calls[f"{_owner}.execute"] = _wrap(executed(_result))
    calls[f"{_owner}.scalars"] = _wrap(executed(_scalars))
    calls[f"{_owner}.scalar"] = _wrap(executed_scalar)
    calls[f"{_owner}.get"] = _wrap(optional(argument_instance(0, "entity")))
    calls[f"{_owner}.get_one"] = _wrap(argument_instance(0, "entity"))
    calls[f"{_owner}.merge"] = _wrap(argument_type(0, "instance"))
    calls[f"{_owner}.connection"] = _wrap(
        Instance("sqlalchemy.Connection" if _owner == SESSION else f"{_ASYNC}.AsyncConnection")
    )
    _transaction = f"{_ORM}.SessionTransaction" if _owner == SESSION else f"{_ASYNC}.AsyncSessionTransaction"
    calls[f"{_owner}.begin"] = calls[f"{_owner}.begin_nested"] = Instance(_transaction)
calls[f"{ASYNC_SESSION}.stream"] = awaitable(executed(f"{_ASYNC}.AsyncResult"))
calls[f"{ASYNC_SESSION}.stream_scalars"] = awaitable(executed(f"{_ASYNC}.AsyncScalarResult"))
coroutines(
    library,
    ASYNC_SESSION,
    "aclose close commit delete flush invalidate refresh reset rollback run_sync close_all",
)
coroutines(library, f"{_ASYNC}.async_scoped_session", "remove")
coroutines(library, f"{_ASYNC}.AsyncSessionTransaction", "commit rollback")
library.attributes[f"{ASYNC_SESSION}.sync_session"] = Instance(SESSION)

# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────

_FACTORY_NAMES = (f"{_ORM}.sessionmaker", f"{_ORM}.scoped_session", f"{_ASYNC}.async_sessionmaker")


@library.recognise(SessionFactory, names=(*_FACTORY_NAMES, f"{_ASYNC}.async_scoped_session"))
def _session_factory(call: RecognisedCall) -> Iterator[SessionFactory]:
    made = call.type_of(call.node)
    sessions = {
        o.args[0].name
        for o in options(made)
        if isinstance(o, Instance) and o.args and isinstance(o.args[0], Instance)
    }
    scoped = "scoped" in call.method
    yield SessionFactory(
        *call.place,
        is_async=_ASYNC in call.name or any("AsyncSession" in name for name in sessions),
        expire_on_commit=call.keyword("expire_on_commit"),
        session_class=call.keyword("class_"),
        bind=None if scoped else call.argument(0, "bind"),
        autoflush=call.keyword("autoflush"),
        scoped=scoped,
    )


@library.recognise(
    SessionCreation,
    names=[
        SESSION,
        ASYNC_SESSION,
        f"{_ORM}.sessionmaker.__call__",
        f"{_ORM}.scoped_session.__call__",
        f"{_ASYNC}.async_scoped_session.__call__",
        f"{_ASYNC}.async_sessionmaker.__call__",
    ],
    duck={"__call__": ("session", "factory", "maker", "db")},
)
def _session_creation(call: RecognisedCall) -> Iterator[SessionCreation]:
    direct = call.method in ("Session", "AsyncSession")
    is_async = "Async" in call.name or any(
        isinstance(o, Instance) and "AsyncSession" in o.name for o in options(call.type_of(call.node))
    )
    yield SessionCreation(
        *call.place,
        session=None if direct else call.node.func,
        is_async=is_async,
        managed=call.managed,
        bind=call.argument(0, "bind"),
        expire_on_commit=call.keyword("expire_on_commit"),
    )


_SESSIONS = (SESSION, ASYNC_SESSION)
_WORDS = ("session", "db")


def _async(call: RecognisedCall) -> bool:
    return call.name.startswith(_ASYNC) or (not call.sure and call.site.awaited)


def _names(*methods: str) -> list[str]:
    return [f"{owner}.{method}" for owner in _SESSIONS for method in methods]


_EXECUTING = ("execute", "scalar", "scalars", "stream", "stream_scalars")


@library.recognise(
    SqlExecution, names=_names(*_EXECUTING), duck=dict.fromkeys(_EXECUTING, (*_WORDS, "conn", "connection"))
)
def _execute(call: RecognisedCall) -> Iterator[SqlExecution]:
    statement = call.argument(0, "statement")
    yield SqlExecution(
        *call.place,
        session=call.receiver,
        is_async=_async(call),
        round_trip=True,
        statement=statement,
        raw=is_text(call, statement),
        parameters=call.argument(1, "params"),
        driver="sqlalchemy",
    )


@library.recognise(SessionGet, names=_names("get", "get_one"), duck={"get": _WORDS, "get_one": _WORDS})
def _get(call: RecognisedCall) -> Iterator[SessionGet]:
    if not call.sure and not any(isinstance(o, ClassRef) for o in options(call.type_of(call.argument(0)))):
        return  # `session.get(url)` of an HTTP client
    yield SessionGet(
        *call.place,
        session=call.receiver,
        is_async=_async(call),
        round_trip=True,
        model=call.argument(0, "entity"),
        identity=call.argument(1, "ident"),
        required=call.method == "get_one",
        options=call.keyword("options"),
        lock=call.keyword("with_for_update"),
    )


@library.recognise(
    SessionAdd,
    names=_names("add", "add_all", "merge"),
    duck={"add": _WORDS, "add_all": _WORDS, "merge": _WORDS},
)
def _add(call: RecognisedCall) -> Iterator[SessionAdd]:
    merge = call.method == "merge"
    many = call.method == "add_all"
    yield SessionAdd(
        *call.place,
        session=call.receiver,
        is_async=merge and _async(call),
        round_trip=merge,
        instance=call.argument(0, "instances" if many else "instance"),
        many=many,
        kind="merge" if merge else "add",
    )


_INSTANCE = Argument(0, "instance")


def _session_call(concept: type[DatabaseCall], methods: str, **fields: Any) -> None:
    """Methods that both kinds of session have, awaited on asyncio's."""
    names = methods.split()
    describe(library, concept, names, owner=SESSION, session=RECEIVER, **fields)
    describe(library, concept, names, owner=ASYNC_SESSION, session=RECEIVER, is_async=True, **fields)


_session_call(SessionExpunge, "expunge", kind="expunge", instance=_INSTANCE)
_session_call(SessionExpunge, "expunge_all", kind="expunge_all")
_session_call(SessionExpunge, "expire", kind="expire", instance=_INSTANCE)
_session_call(SessionExpunge, "expire_all", kind="expire_all")
_session_call(ConnectionOpen, "connection", round_trip=True)

_ENDS: dict[str, type[DatabaseCall]] = {
    "commit": Commit,
    "rollback": Rollback,
    "flush": SessionFlush,
    "close": SessionClose,
    "aclose": SessionClose,
    "remove": SessionClose,
}


@library.recognise(
    Commit,
    Rollback,
    SessionFlush,
    SessionClose,
    names=[
        *_names(*(name for name in _ENDS if name != "remove")),
        f"{_ORM}.scoped_session.remove",
        f"{_ASYNC}.async_scoped_session.remove",
        f"{_ORM}.SessionTransaction.commit",
        f"{_ORM}.SessionTransaction.rollback",
        f"{_ASYNC}.AsyncSessionTransaction.commit",
        f"{_ASYNC}.AsyncSessionTransaction.rollback",
    ],
    duck={name: (*_WORDS, "conn") for name in _ENDS if name not in ("remove", "close", "aclose")}
    | {"close": _WORDS, "aclose": _WORDS},
)
def _end(call: RecognisedCall) -> Iterator[DatabaseCall]:
    yield _ENDS[call.method](
        *call.place,
        session=call.receiver,
        is_async=_async(call),
        round_trip=call.method not in ("close", "aclose", "remove"),
    )


@library.recognise(
    SessionDelete,
    SessionRefresh,
    names=_names("delete", "refresh"),
    duck={"delete": _WORDS, "refresh": _WORDS},
)
def _instance_call(call: RecognisedCall) -> Iterator[DatabaseCall]:
    instance = call.argument(0, "instance")
    if call.method == "delete":
        if not call.sure and any(o == Instance("builtins.str") for o in options(call.type_of(instance))):
            return  # `session.delete(url)` of an HTTP client
        yield SessionDelete(*call.place, session=call.receiver, is_async=_async(call), instance=instance)
    else:
        yield SessionRefresh(
            *call.place,
            session=call.receiver,
            is_async=_async(call),
            round_trip=True,
            instance=instance,
            attributes=call.argument(1, "attribute_names"),
        )


@library.recognise(
    TransactionBegin,
    names=[
        *_names("begin", "begin_nested"),
        f"{_ORM}.sessionmaker.begin",
        f"{_ASYNC}.async_sessionmaker.begin",
    ],
    duck={"begin": ("session", "db", "engine"), "begin_nested": _WORDS},
)
def _begin(call: RecognisedCall) -> Iterator[TransactionBegin]:
    yield TransactionBegin(
        *call.place,
        session=call.receiver,
        is_async=_async(call),
        nested=call.method == "begin_nested",
        managed=call.managed,
        opens="sessionmaker" in call.name,
    )


_INSTEAD = "an AsyncSession of sqlalchemy.ext.asyncio"
describe(
    library,
    BlockingCall,
    "execute scalar scalars get get_one commit flush refresh merge rollback connection bulk_insert_mappings "
    "bulk_update_mappings bulk_save_objects",
    owner=SESSION,
    kind="database",
    instead=_INSTEAD,
)
