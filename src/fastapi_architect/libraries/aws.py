"""boto3 and its asynchronous relatives: object storage, queues, mail."""

from __future__ import annotations

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.filesystem import ObjectStorageCall
from fastapi_architect.concepts.http import ClientCreation
from fastapi_architect.concepts.messaging import EmailSend, Enqueue
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.results import coroutines, manager
from fastapi_architect.libraries.table import KEYWORDS, MANAGED, Argument, Given, describe
from fastapi_architect.program.types import STR, Instance

_CLIENT = "boto3.Client"
_ASYNC = "aiobotocore.Client"
library = Library(
    packages=("boto3", "botocore", "aioboto3", "aiobotocore", "s3transfer"),
    aliases={"boto3.session.Session": "boto3.Session", "aioboto3.session.Session": "aioboto3.Session"},
    bases={
        "botocore.exceptions.ClientError": ("builtins.Exception",),
        "botocore.exceptions.BotoCoreError": ("builtins.Exception",),
    },
)
_OPERATIONS = {
    "put_object": "put",
    "upload_file": "put",
    "upload_fileobj": "put",
    "get_object": "get",
    "download_file": "get",
    "download_fileobj": "get",
    "head_object": "get",
    "delete_object": "delete",
    "delete_objects": "delete",
    "copy_object": "copy",
    "copy": "copy",
    "list_objects": "list",
    "list_objects_v2": "list",
}
_OTHERS = (
    "send_message receive_message delete_message publish invoke send_email send_raw_email put_item get_item "
    "query scan "
    "update_item delete_item batch_write_item get_secret_value get_parameter start_execution initiate_auth "
    "sign_up "
    "admin_create_user create_bucket head_bucket list_buckets describe_instances detect_text put_events "
    "invoke_model"
).split()
calls = library.calls
for _name in ("boto3.client", "boto3.Session.client"):
    calls[_name] = Instance(_CLIENT)
calls["boto3.resource"] = calls["boto3.Session.resource"] = Instance("boto3.Resource")
calls["boto3.Resource.Bucket"] = calls["boto3.Resource.Table"] = calls["boto3.Resource.Object"] = Instance(
    _CLIENT
)
calls["aioboto3.Session.client"] = manager(Instance(_ASYNC))
calls["aiobotocore.session.AioSession.create_client"] = manager(Instance(_ASYNC))
calls[f"{_CLIENT}.generate_presigned_url"] = STR
coroutines(library, _ASYNC, [*_OPERATIONS, *_OTHERS, "generate_presigned_url"])

for _name, _operation in _OPERATIONS.items():
    _first = {"upload_file": 1, "upload_fileobj": 1}.get(_name, 0 if _name.startswith("download") else None)
    describe(
        library,
        ObjectStorageCall,
        [f"{_CLIENT}.{_name}", f"{_ASYNC}.{_name}"],
        duck={_name: ("s3", "boto", "storage")} if "_" in _name else None,
        operation=_operation,
        bucket=Argument(_first, "Bucket"),
        key=Argument(None if _first is None else _first + 1, "Key"),
    )
for _owner in (_CLIENT, _ASYNC):
    describe(
        library,
        ObjectStorageCall,
        [f"{_owner}.generate_presigned_url", f"{_owner}.generate_presigned_post"],
        operation="sign",
        key=Argument(None, "Params"),
    )
    describe(
        library,
        EmailSend,
        [f"{_owner}.send_email", f"{_owner}.send_raw_email"],
        message=Argument(None, "Message"),
    )
    describe(
        library,
        Enqueue,
        [f"{_owner}.send_message", f"{_owner}.publish"],
        kind="publish",
        task_name=Argument(None, "QueueUrl"),
        keywords=KEYWORDS,
    )
describe(
    library,
    ClientCreation,
    "boto3.client boto3.resource boto3.Session.client boto3.Session.resource",
    kind="object-storage",
    url=Argument(None, "endpoint_url"),
    timeout=Argument(None, "config"),
    timeout_given=Given(None, "config"),
    default_timeout=60.0,
)
describe(
    library,
    ClientCreation,
    "aioboto3.Session.client aiobotocore.session.AioSession.create_client",
    kind="object-storage",
    is_async=True,
    url=Argument(None, "endpoint_url"),
    timeout=Argument(None, "config"),
    timeout_given=Given(None, "config"),
    default_timeout=60.0,
    managed=MANAGED,
)
describe(
    library,
    BlockingCall,
    [*_OPERATIONS, *_OTHERS],
    owner=_CLIENT,
    kind="http",
    instead="aioboto3, or await asyncio.to_thread(...)",
)
