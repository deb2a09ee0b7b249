"""Starlette: requests, responses, sockets, background tasks, templates."""

from __future__ import annotations

from typing import Any

from fastapi_architect.concepts.concurrency import ThreadOffload
from fastapi_architect.concepts.configuration import EnvironmentRead
from fastapi_architect.concepts.http import (
    CookieDelete,
    CookieSet,
    HttpError,
    RequestRead,
    ResponseCreation,
    UploadRead,
    UrlBuild,
    WebSocketAccept,
    WebSocketClose,
    WebSocketReceive,
    WebSocketSend,
)
from fastapi_architect.concepts.messaging import BackgroundTaskAdd
from fastapi_architect.concepts.template import TemplateEnvironment
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import (
    BOOL,
    BYTES,
    INT,
    NONE,
    STR,
    Coroutine,
    Instance,
    Type,
    options,
    union,
)
from fastapi_architect.syntax import ir

_REQUEST = "starlette.requests.Request"
_CONNECTION = "starlette.requests.HTTPConnection"
_SOCKET = "starlette.websockets.WebSocket"
_UPLOAD = "starlette.datastructures.UploadFile"
_DATA = "starlette.datastructures"
_strings = Instance("builtins.dict", (STR, STR))
_optional_string = union(STR, NONE) or NONE

library = Library(
    packages=("starlette",),
    aliases={
        "starlette.requests.State": f"{_DATA}.State",
        "starlette.requests.FormData": f"{_DATA}.FormData",
        "starlette.requests.URL": f"{_DATA}.URL",
        "starlette.requests.Headers": f"{_DATA}.Headers",
        "starlette.responses.BackgroundTask": "starlette.background.BackgroundTask",
        "sse_starlette.EventSourceResponse": "sse_starlette.sse.EventSourceResponse",
    },
    classes={f"{_DATA}.URL"},
    bases={
        _REQUEST: (_CONNECTION,),
        _SOCKET: (_CONNECTION,),
        "starlette.exceptions.HTTPException": ("builtins.Exception",),
        "starlette.exceptions.WebSocketException": ("builtins.Exception",),
        "starlette.websockets.WebSocketDisconnect": ("builtins.Exception",),
        "starlette.requests.ClientDisconnect": ("builtins.Exception",),
        **{
            f"starlette.responses.{name}Response": ("starlette.responses.Response",)
            for name in ("HTML", "PlainText", "JSON", "Redirect", "Streaming", "File")
        },
        "starlette.background.BackgroundTasks": ("starlette.background.BackgroundTask",),
        f"{_DATA}.Headers": ("collections.abc.Mapping",),
        f"{_DATA}.MutableHeaders": (f"{_DATA}.Headers",),
        f"{_DATA}.QueryParams": ("collections.abc.Mapping",),
        f"{_DATA}.FormData": ("collections.abc.Mapping",),
        "starlette.testclient.TestClient": ("httpx.Client",),
        "sse_starlette.sse.EventSourceResponse": ("starlette.responses.StreamingResponse",),
    },
)

# ── what attributes and calls give ────────────────────────────────────────────────────────────────────────

attributes = library.attributes
for _name, _of in {
    "headers": Instance(f"{_DATA}.Headers", (STR,)),
    "query_params": Instance(f"{_DATA}.QueryParams", (STR,)),
    "path_params": Instance("builtins.dict", (STR, None)),
    "cookies": _strings,
    "url": Instance(f"{_DATA}.URL"),
    "base_url": Instance(f"{_DATA}.URL"),
    "client": union(Instance(f"{_DATA}.Address"), NONE),
    "session": Instance("builtins.dict", (STR, None)),
    "app": Instance("fastapi.FastAPI"),
    # Anything may be put there: an opaque result, so that its members can still be recognised by their names.
    "state": Instance(f"{_DATA}.State()"),
    "auth": Instance("starlette.authentication.AuthCredentials"),
    "user": Instance("starlette.authentication.BaseUser()"),
    "scope": Instance("builtins.dict", (STR, None)),
}.items():
    attributes[f"{_CONNECTION}.{_name}"] = _of or NONE
attributes[f"{_REQUEST}.method"] = STR
attributes["starlette.applications.Starlette.state"] = Instance(f"{_DATA}.State()")
for _name in ("scheme", "netloc", "path", "query", "fragment", "username", "password", "hostname"):
    attributes[f"{_DATA}.URL.{_name}"] = STR
attributes[f"{_DATA}.URL.port"] = union(INT, NONE) or NONE
attributes[f"{_DATA}.URL.is_secure"] = BOOL
attributes[f"{_DATA}.Address.host"] = STR
attributes[f"{_DATA}.Address.port"] = INT
attributes[f"{_UPLOAD}.filename"] = _optional_string
attributes[f"{_UPLOAD}.content_type"] = _optional_string
attributes[f"{_UPLOAD}.size"] = union(INT, NONE) or NONE
attributes[f"{_UPLOAD}.file"] = Instance("tempfile.SpooledTemporaryFile")
attributes[f"{_UPLOAD}.headers"] = Instance(f"{_DATA}.Headers")
attributes["starlette.responses.Response.headers"] = Instance(f"{_DATA}.MutableHeaders")
attributes["starlette.responses.Response.status_code"] = INT
attributes["starlette.responses.Response.body"] = BYTES
attributes["starlette.exceptions.HTTPException.status_code"] = INT
attributes["starlette.exceptions.HTTPException.detail"] = STR

calls = library.calls
for _owner in ("Headers", "QueryParams"):
    calls[f"{_DATA}.{_owner}.get"] = _optional_string
    calls[f"{_DATA}.{_owner}.getlist"] = Instance("builtins.list", (STR,))
    calls[f"{_DATA}.{_owner}.items"] = Instance("builtins.list", (Instance("builtins.tuple", (STR, STR)),))
calls[f"{_CONNECTION}.url_for"] = Instance(f"{_DATA}.URL")
calls[f"{_REQUEST}.body"] = awaitable(BYTES)
calls[f"{_REQUEST}.json"] = awaitable(Instance(f"{_REQUEST}.json()"))
calls[f"{_REQUEST}.form"] = awaitable(Instance(f"{_DATA}.FormData", (union(STR, Instance(_UPLOAD)),)))
calls[f"{_REQUEST}.stream"] = Instance("collections.abc.AsyncIterator", (BYTES,))
calls[f"{_REQUEST}.is_disconnected"] = awaitable(BOOL)
coroutines(library, _REQUEST, "close send_push_promise")
calls[f"{_UPLOAD}.read"] = awaitable(BYTES)
coroutines(library, _UPLOAD, "write seek close")
calls[f"{_SOCKET}.receive_text"] = awaitable(STR)
calls[f"{_SOCKET}.receive_bytes"] = awaitable(BYTES)
calls[f"{_SOCKET}.receive_json"] = awaitable(Instance(f"{_SOCKET}.receive_json()"))
calls[f"{_SOCKET}.receive"] = awaitable(Instance("builtins.dict", (STR, None)))
calls[f"{_SOCKET}.iter_text"] = Instance("collections.abc.AsyncIterator", (STR,))
calls[f"{_SOCKET}.iter_bytes"] = Instance("collections.abc.AsyncIterator", (BYTES,))
calls[f"{_SOCKET}.iter_json"] = Instance(
    "collections.abc.AsyncIterator", (Instance(f"{_SOCKET}.receive_json()"),)
)
coroutines(library, _SOCKET, "accept send send_text send_bytes send_json close")
calls["starlette.config.Config"] = Instance("starlette.config.Config")


@library.call("starlette.concurrency.run_in_threadpool", "asyncio.to_thread", "anyio.to_thread.run_sync")
def run_elsewhere(call: CallContext) -> Type:
    """A coroutine of what the function that is handed over gives."""
    func = call.argument(0, "func")
    return Coroutine(
        union(*(call.called(o) for o in options(call.type_of(func)))) if func is not None else None
    )


# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────

_COMMON: dict[str, Any] = {
    "status": Argument(1, "status_code"),
    "headers": Argument(2, "headers"),
    "background": Argument(4, "background"),
}
_content = Argument(0, "content")
for _name, _kind in (
    ("HTMLResponse", "html"),
    ("JSONResponse", "json"),
    ("PlainTextResponse", "plain"),
    ("StreamingResponse", "streaming"),
):
    describe(
        library,
        ResponseCreation,
        [f"starlette.responses.{_name}"],
        kind=_kind,
        content=_content,
        media_type=Argument(3, "media_type"),
        **_COMMON,
    )
describe(
    library,
    ResponseCreation,
    ["starlette.responses.RedirectResponse"],
    kind="redirect",
    url=Argument(0, "url"),
    status=Argument(1, "status_code"),
    headers=Argument(2, "headers"),
    background=Argument(3, "background"),
)
describe(
    library,
    ResponseCreation,
    ["starlette.responses.FileResponse"],
    kind="file",
    path=Argument(0, "path"),
    media_type=Argument(3, "media_type"),
    filename=Argument(5, "filename"),
    **_COMMON,
)
describe(
    library,
    ResponseCreation,
    ["sse_starlette.sse.EventSourceResponse"],
    kind="events",
    content=_content,
    status=Argument(1, "status_code"),
)


@library.recognise(ResponseCreation, names=["starlette.responses.Response"])
def _response(call: RecognisedCall) -> list[ResponseCreation]:
    media_type = call.argument(3, "media_type")
    known = call.constant(media_type)
    kind = "raw"
    if isinstance(known, str):
        kind = "html" if "html" in known or "svg" in known else "json" if "json" in known else "raw"
    return [
        ResponseCreation(
            *call.place,
            kind,
            content=call.argument(0, "content"),
            status=call.argument(1, "status_code"),
            headers=call.argument(2, "headers"),
            media_type=media_type,
            background=call.argument(4, "background"),
        )
    ]


describe(
    library,
    HttpError,
    ["starlette.exceptions.HTTPException"],
    status=Argument(0, "status_code"),
    detail=Argument(1, "detail"),
    headers=Argument(2, "headers"),
)
describe(
    library,
    CookieSet,
    ["starlette.responses.Response.set_cookie"],
    duck={"set_cookie": ("resp",)},
    key=Argument(0, "key"),
    value=Argument(1, "value"),
    max_age=Argument(2, "max_age"),
    domain=Argument(5, "domain"),
    secure=Argument(6, "secure"),
    httponly=Argument(7, "httponly"),
    samesite=Argument(8, "samesite"),
    response=RECEIVER,
)
describe(
    library,
    CookieDelete,
    ["starlette.responses.Response.delete_cookie"],
    duck={"delete_cookie": ("resp",)},
    key=Argument(0, "key"),
    response=RECEIVER,
)
for _name in ("body", "json", "form", "stream"):
    describe(
        library,
        RequestRead,
        [f"{_REQUEST}.{_name}"],
        duck={_name: ("request",)},
        kind=_name,
        request=RECEIVER,
    )
describe(library, UploadRead, [f"{_UPLOAD}.read"], upload=RECEIVER, size=Argument(0, "size"))


@library.recognise(UploadRead, names=["tempfile.SpooledTemporaryFile.read"])
def _read_file_of_upload(call: RecognisedCall) -> list[UploadRead]:
    """`upload.file.read()`."""
    of = call.receiver
    if of.__class__ is not ir.Attribute or of.attr != "file":
        return []
    names = [o.name for o in options(call.type_of(of.value)) if isinstance(o, Instance)]
    if not any(name.endswith(".UploadFile") for name in names):
        return []
    return [UploadRead(*call.place, upload=of.value, size=call.argument(0, "size"))]


describe(library, UrlBuild, [f"{_CONNECTION}.url_for"], route=Argument(0))

_socket_words = ("websocket", "=ws", "socket")
describe(
    library,
    WebSocketAccept,
    [f"{_SOCKET}.accept"],
    duck={"accept": ("websocket", "=ws")},
    socket=RECEIVER,
    subprotocol=Argument(0, "subprotocol"),
)
describe(
    library,
    WebSocketClose,
    [f"{_SOCKET}.close"],
    duck={"close": ("websocket",)},
    socket=RECEIVER,
    code=Argument(0, "code"),
)
for _kind in ("text", "bytes", "json"):
    describe(
        library,
        WebSocketReceive,
        [f"{_SOCKET}.receive_{_kind}"],
        duck={f"receive_{_kind}": _socket_words},
        kind=_kind,
        socket=RECEIVER,
    )
    describe(library, WebSocketReceive, [f"{_SOCKET}.iter_{_kind}"], kind="iterate", socket=RECEIVER)
    describe(
        library,
        WebSocketSend,
        [f"{_SOCKET}.send_{_kind}"],
        duck={f"send_{_kind}": (*_socket_words, "conn", "client")},
        kind=_kind,
        socket=RECEIVER,
        data=Argument(0, "data"),
    )
describe(library, WebSocketReceive, [f"{_SOCKET}.receive"], kind="raw", socket=RECEIVER)
describe(
    library, WebSocketSend, [f"{_SOCKET}.send"], kind="raw", socket=RECEIVER, data=Argument(0, "message")
)


@library.recognise(
    BackgroundTaskAdd,
    names=["starlette.background.BackgroundTasks.add_task", "starlette.background.BackgroundTask"],
    duck={"add_task": ("background", "tasks", "bg")},
)
def _background(call: RecognisedCall) -> list[BackgroundTaskAdd]:
    added = call.method == "add_task"
    named = call.keyword("func")
    return [
        BackgroundTaskAdd(
            *call.place,
            target=call.argument(0, "func"),
            args=tuple(call.node.args if named is not None else call.node.args[1:]),
            keywords=tuple(k for k in call.node.keywords if k.arg != "func"),
            tasks=call.receiver if added else None,
        )
    ]


describe(
    library,
    ThreadOffload,
    ["starlette.concurrency.run_in_threadpool", "starlette.concurrency.iterate_in_threadpool"],
    target=Argument(0, "func"),
)
describe(
    library,
    EnvironmentRead,
    ["starlette.config.Config.__call__"],
    duck={"__call__": ("config",)},
    variable=Argument(0, "key"),
    default=Argument(2, "default"),
)
describe(
    library,
    TemplateEnvironment,
    ["starlette.templating.Jinja2Templates"],
    escapes_by_default=True,
    directory=Argument(0, "directory"),
)
