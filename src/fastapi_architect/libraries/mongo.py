"""pymongo, motor and beanie: documents."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.database import DocumentOperation
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines, receiver
from fastapi_architect.libraries.table import Argument, Given, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import Instance, Type

_READS = ("find", "find_one", "aggregate", "count_documents", "estimated_document_count", "distinct")
_WRITES = (
    "insert_one insert_many update_one update_many replace_one delete_one delete_many bulk_write "
    "find_one_and_update "
    "find_one_and_replace find_one_and_delete create_index drop"
).split()
_SYNC = "pymongo.collection.Collection"
_ASYNC = "motor.motor_asyncio.AsyncIOMotorCollection"

library = Library(
    packages=("pymongo", "motor", "bson", "beanie", "mongoengine", "odmantic"),
    aliases={
        "pymongo.mongo_client.MongoClient": "pymongo.MongoClient",
        "pymongo.asynchronous.mongo_client.AsyncMongoClient": "pymongo.AsyncMongoClient",
    },
    bases={
        "pymongo.asynchronous.collection.AsyncCollection": (_ASYNC,),
        "pymongo.errors.PyMongoError": ("builtins.Exception",),
        "pymongo.errors.DuplicateKeyError": ("pymongo.errors.PyMongoError",),
    },
)
#: Client to database to collection: each is reached by an attribute, an item or a method.
_CHAINS = (
    ("pymongo.MongoClient", "pymongo.database.Database", _SYNC),
    ("motor.motor_asyncio.AsyncIOMotorClient", "motor.motor_asyncio.AsyncIOMotorDatabase", _ASYNC),
    (
        "pymongo.AsyncMongoClient",
        "pymongo.asynchronous.database.AsyncDatabase",
        "pymongo.asynchronous.collection.AsyncCollection",
    ),
)
calls = library.calls


def _made(name: str, *args: str):  # type: ignore[no-untyped-def]
    """The container's type argument is what its items are."""
    of: Type | None = None
    for each in reversed(args):
        of = Instance(each, (of,) if of is not None else ())
    made = Instance(name, (of,))

    def call_type(_call: CallContext) -> Type:
        return made

    return call_type


for _client, _database, _collection in _CHAINS:
    calls[_client] = _made(_client, _database, _collection)
    calls[f"{_client}.get_database"] = calls[f"{_client}.get_default_database"] = Instance(
        _database, (Instance(_collection),)
    )
    calls[f"{_database}.get_collection"] = Instance(_collection)
    library.attributes[f"{_client}.*"] = Instance(_database, (Instance(_collection),))
    library.attributes[f"{_database}.*"] = Instance(_collection)
    for _owner in (_client, _database):
        for _name in (
            "close",
            "command",
            "list_collection_names",
            "drop_database",
            "start_session",
            "server_info",
        ):
            calls[f"{_owner}.{_name}"] = (
                awaitable(None) if "Async" in _owner else Instance(f"{_owner}.{_name}()")
            )
for _name in (*_READS[1:], *_WRITES):
    calls.setdefault(f"{_SYNC}.{_name}", Instance(f"{_SYNC}.{_name}()"))
coroutines(library, _ASYNC, [name for name in (*_READS, *_WRITES) if name not in ("find", "aggregate")])
calls[f"{_ASYNC}.find"] = calls[f"{_ASYNC}.aggregate"] = Instance("motor.motor_asyncio.AsyncIOMotorCursor")
calls[f"{_SYNC}.find"] = calls[f"{_SYNC}.aggregate"] = Instance("pymongo.cursor.Cursor")
for _cursor in ("motor.motor_asyncio.AsyncIOMotorCursor", "pymongo.cursor.Cursor"):
    for _name in ("sort", "skip", "limit", "batch_size"):
        calls[f"{_cursor}.{_name}"] = receiver
coroutines(library, "motor.motor_asyncio.AsyncIOMotorCursor", "to_list")


@library.recognise(
    DocumentOperation,
    names=[f"{owner}.{name}" for owner in (_SYNC, _ASYNC) for name in (*_READS, *_WRITES)],
    duck=dict.fromkeys((*_READS[1:4], *_WRITES[:-1]), ("collection", "mongo", "coll")),
)
def _operation(call: RecognisedCall) -> Iterator[DocumentOperation]:
    yield DocumentOperation(
        *call.place,
        session=call.receiver,
        is_async=call.name.startswith(_ASYNC) or (not call.sure and call.site.awaited),
        round_trip=call.method not in ("find", "aggregate"),
        operation=call.method,
        query=call.argument(0, "filter"),
        writes=call.method in _WRITES,
    )


for _client, _, _ in _CHAINS:
    describe(
        library,
        ClientCreation,
        [_client],
        kind="mongo",
        is_async="Async" in _client,
        url=Argument(0, "host"),
        timeout=Argument(None, "socketTimeoutMS"),
        timeout_given=Given(None, "socketTimeoutMS"),
    )
describe(
    library,
    BlockingCall,
    [f"{_SYNC}.{name}" for name in (*_READS, *_WRITES)],
    kind="database",
    instead="pymongo.AsyncMongoClient",
)
