"""httpx, and httpx2 which has the same interface."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.origin import creations
from fastapi_architect.libraries.results import awaitable, coroutines, inherit, manager
from fastapi_architect.libraries.table import MANAGED, Argument, Given, describe
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import BOOL, BYTES, INT, STR, Instance, Type
from fastapi_architect.syntax import ir

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_METHODS = (*_VERBS, "request", "stream", "send")
_RESPONSE = Instance("httpx.Response")
#: httpx waits five seconds unless told otherwise.
_DEFAULT = 5.0

library = Library(
    packages=("httpx", "httpx2"),
    aliases={
        "httpx2.*": "httpx",
        "httpx._client.*": "httpx",
        "httpx._models.*": "httpx",
        "httpx._exceptions.*": "httpx",
    },
    functions=set(),
)
library.classes |= {"httpx.URL"}
inherit(
    library,
    """httpx
    HTTPError StreamError InvalidURL CookieConflict: builtins.Exception
    RequestError HTTPStatusError: HTTPError
    TransportError DecodingError TooManyRedirects: RequestError
    TimeoutException NetworkError ProtocolError ProxyError UnsupportedProtocol: TransportError
    ConnectTimeout ReadTimeout WriteTimeout PoolTimeout: TimeoutException
    ConnectError ReadError WriteError CloseError: NetworkError
    """,
)
calls = library.calls
for _name in (*_VERBS, "request"):
    calls[f"httpx.{_name}"] = calls[f"httpx.Client.{_name}"] = _RESPONSE
    calls[f"httpx.AsyncClient.{_name}"] = awaitable(_RESPONSE)
calls["httpx.Client.send"] = _RESPONSE
calls["httpx.AsyncClient.send"] = awaitable(_RESPONSE)
for _owner in ("httpx", "httpx.Client", "httpx.AsyncClient"):
    calls[f"{_owner}.stream"] = manager(_RESPONSE)
coroutines(library, "httpx.AsyncClient", "aclose")
coroutines(library, "httpx.Response", "aread aclose")
calls["httpx.Response.json"] = Instance("httpx.Response.json()")
calls["httpx.Response.raise_for_status"] = _RESPONSE
for _name, _of in {
    "text": STR,
    "content": BYTES,
    "status_code": INT,
    "is_success": BOOL,
    "is_error": BOOL,
    "headers": Instance("builtins.dict", (STR, STR)),
    "url": Instance("httpx.URL"),
}.items():
    library.attributes[f"httpx.Response.{_name}"] = _of
library.attributes["httpx.HTTPStatusError.response"] = _RESPONSE
library.attributes["httpx.URL.host"] = library.attributes["httpx.URL.scheme"] = STR


@library.call("httpx.Response.iter_bytes", "httpx.Response.aiter_bytes", "httpx.Response.aiter_raw")
def _chunks(_call: CallContext) -> Type:
    return Instance("collections.abc.Iterator", (BYTES,))


calls["httpx.Response.iter_lines"] = calls["httpx.Response.aiter_lines"] = Instance(
    "collections.abc.Iterator", (STR,)
)
calls["httpx.Response.aiter_text"] = calls["httpx.Response.iter_text"] = Instance(
    "collections.abc.Iterator", (STR,)
)


def client_argument(call: RecognisedCall, keyword: str) -> ir.Expr | None:
    """What the client that a method is called on was made with."""
    for creation, _ in creations(call.program, call.receiver, call.scope):
        found = argument(creation, None, keyword)
        if found is not None:
            return found
    return None


@library.recognise(
    OutboundRequest,
    names=[
        f"{owner}.{name}" for owner in ("httpx", "httpx.Client", "httpx.AsyncClient") for name in _METHODS
    ],
)
def _request(call: RecognisedCall) -> Iterator[OutboundRequest]:
    method = call.method
    position = 1 if method in ("request", "stream") else 0
    verb = call.constant(call.argument(0, "method")) if position else "" if method == "send" else method
    timeout = call.keyword("timeout")
    on_client = "Client." in call.name
    if timeout is None and on_client:
        timeout = client_argument(call, "timeout")
    yield OutboundRequest(
        *call.place,
        url=call.argument(position, "request" if method == "send" else "url"),
        method=verb.upper() if isinstance(verb, str) else "",
        timeout=timeout,
        timeout_given=timeout is not None,
        is_async="Async" in call.name,
        default_timeout=_DEFAULT,
        verify=client_argument(call, "verify") if on_client else call.keyword("verify"),
        client=call.receiver if on_client else None,
        data=call.keyword("json") or call.keyword("data") or call.keyword("content"),
        headers=call.keyword("headers"),
    )


for _name, _is_async in (("Client", False), ("AsyncClient", True)):
    describe(
        library,
        ClientCreation,
        [f"httpx.{_name}"],
        is_async=_is_async,
        timeout=Argument(None, "timeout"),
        timeout_given=Given(None, "timeout"),
        default_timeout=_DEFAULT,
        verify=Argument(None, "verify"),
        url=Argument(None, "base_url"),
        managed=MANAGED,
    )
describe(
    library,
    BlockingCall,
    [f"{owner}.{name}" for owner in ("httpx", "httpx.Client") for name in _METHODS],
    kind="http",
    instead="await httpx.AsyncClient().get(...)",
)
