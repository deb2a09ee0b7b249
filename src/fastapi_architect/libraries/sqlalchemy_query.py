"""SQLAlchemy's legacy `Query`, bulk operations and loader options."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import BulkWrite, ChangeFlag, LoaderOption, QueryStart, RowFetch
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import list_of, optional, receiver, receiver_argument
from fastapi_architect.libraries.sqlalchemy import entities, row
from fastapi_architect.libraries.sqlalchemy_orm import SESSION
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.definitions import last_name
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import INT, Instance, Type
from fastapi_architect.source.lazy_pattern import lazy_pattern

_ORM = "sqlalchemy.orm"
#: Words that names of sessions contain.
_WORDS = ("session", "db")
library = Library(packages=("sqlalchemy",))
calls = library.calls
_QUERY = f"{_ORM}.Query"

#: The type argument of a query: `query(User)` gives users, `query(User.id, User.name)` gives tuples.
_query_row = receiver_argument()


def query(call: CallContext) -> Type:
    """A query of the entities given."""
    given = entities(call)
    return Instance(_QUERY, given if len(given) == 1 else (row(given),))


def _first_value(call: CallContext) -> Type | None:
    of = _query_row(call)
    if isinstance(of, Instance) and of.name == "builtins.tuple" and of.args:
        return of.args[0]
    return of


calls[f"{_QUERY}.all"] = list_of(_query_row)
for _name in ("first", "one_or_none"):
    calls[f"{_QUERY}.{_name}"] = optional(_query_row)
calls[f"{_QUERY}.get"] = optional(_query_row)
calls[f"{_QUERY}.one"] = _query_row
calls[f"{_QUERY}.scalar"] = optional(_first_value)
calls[f"{_QUERY}.count"] = calls[f"{_QUERY}.delete"] = calls[f"{_QUERY}.update"] = INT
calls[f"{_QUERY}.with_entities"] = calls[f"{SESSION}.query"] = query
for _name in ("filter", "filter_by", "where", "populate_existing", "yield_per"):
    calls[f"{_QUERY}.{_name}"] = receiver


@library.recognise(QueryStart, names=[f"{SESSION}.query"], duck={"query": _WORDS})
def _query(call: RecognisedCall) -> Iterator[QueryStart]:
    yield QueryStart(*call.place, "query", tuple(call.node.args), call.receiver)


_QUERY_FETCHES = {
    "all": ("all", False),
    "first": ("first", True),
    "one": ("one", False),
    "one_or_none": ("one_or_none", True),
    "scalar": ("scalar", True),
    "count": ("count", False),
    "get": ("one_or_none", True),
    "paginate": ("many", False),
}


@library.recognise(
    RowFetch,
    names=[f"{_QUERY}.{name}" for name in _QUERY_FETCHES],
    duck=dict.fromkeys(("all", "first", "one", "one_or_none", "count"), ("query",)),
)
def _query_fetch(call: RecognisedCall) -> Iterator[RowFetch]:
    kind, may_be_none = _QUERY_FETCHES[call.method]
    yield RowFetch(
        *call.place, round_trip=True, kind=kind, result=call.receiver, may_be_none=may_be_none, executes=True
    )


#: Mappings that are named after what they are sent with: `query_params.update(...)` fills a dictionary.
_MAPPING = lazy_pattern(
    r"(params?|parameters|args|arguments|kwargs|string|dict|mapping|data|options|headers)$", re.IGNORECASE
)


@library.recognise(
    BulkWrite,
    names=[f"{_QUERY}.update", f"{_QUERY}.delete"],
    duck=dict.fromkeys(("update", "delete"), ("query",)),
)
def _query_write(call: RecognisedCall) -> Iterator[BulkWrite]:
    if not call.sure and call.receiver is not None and _MAPPING.search(last_name(call.receiver)):
        return
    yield BulkWrite(
        *call.place,
        session=call.receiver,
        round_trip=True,
        kind=f"query_{call.method}",
        data=call.argument(0, "values") if call.method == "update" else None,
    )


for _name, _kind in (
    ("bulk_insert_mappings", "insert"),
    ("bulk_update_mappings", "update"),
    ("bulk_save_objects", "save"),
):
    describe(
        library,
        BulkWrite,
        [f"{SESSION}.{_name}"],
        duck={_name: _WORDS},
        session=RECEIVER,
        round_trip=True,
        kind=_kind,
        model=Argument(0, "mapper") if _kind != "save" else None,
        data=Argument(1, "mappings") if _kind != "save" else Argument(0, "objects"),
    )

_LOADERS = {
    "selectinload": "selectin",
    "joinedload": "joined",
    "subqueryload": "subquery",
    "immediateload": "selectin",
    "contains_eager": "contains",
    "lazyload": "lazy",
    "raiseload": "raise",
    "noload": "noload",
    "defer": "defer",
    "undefer": "undefer",
    "load_only": "only",
    "defaultload": "default",
    "with_loader_criteria": "criteria",
}
for _name in _LOADERS:
    calls[f"{_ORM}.{_name}"] = Instance(f"{_ORM}.Load")
    calls[f"{_ORM}.Load.{_name}"] = Instance(f"{_ORM}.Load")


@library.recognise(
    LoaderOption, names=[f"{owner}.{name}" for owner in (_ORM, f"{_ORM}.Load") for name in _LOADERS]
)
def _loader(call: RecognisedCall) -> Iterator[LoaderOption]:
    chained = call.name.startswith(f"{_ORM}.Load.")
    yield LoaderOption(
        *call.place, _LOADERS[call.method], tuple(call.node.args), call.receiver if chained else None
    )


describe(
    library,
    ChangeFlag,
    [f"{_ORM}.attributes.flag_modified"],
    instance=Argument(0, "instance"),
    attribute=Argument(1, "key"),
)

describe(
    library,
    BlockingCall,
    "all first one one_or_none scalar count get update delete",
    owner=_QUERY,
    kind="database",
    instead="an AsyncSession of sqlalchemy.ext.asyncio",
)
