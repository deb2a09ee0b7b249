"""aiohttp's client: asynchronous, 300 seconds unless told otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
from fastapi_architect.libraries.httpx import client_argument
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import awaitable, coroutines, inherit
from fastapi_architect.libraries.table import MANAGED, Argument, Given, describe
from fastapi_architect.program.types import BYTES, INT, STR, Instance

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_SESSION = "aiohttp.ClientSession"
_DEFAULT = 300.0

library = Library(
    packages=("aiohttp",), aliases={"aiohttp.client.*": "aiohttp", "aiohttp.client_exceptions.*": "aiohttp"}
)
inherit(
    library,
    """aiohttp
    ClientError: builtins.Exception
    ClientResponseError ClientConnectionError ClientPayloadError InvalidURL: ClientError
    ServerTimeoutError ServerDisconnectedError ClientOSError: ClientConnectionError
    """,
)
for _name in (*_VERBS, "request"):
    # Awaited it gives a response, entered it gives the same.
    library.calls[f"{_SESSION}.{_name}"] = Instance("aiohttp.ClientResponse")
library.calls["aiohttp.request"] = Instance("aiohttp.ClientResponse")
coroutines(library, _SESSION, "close ws_connect")
library.calls["aiohttp.ClientResponse.json"] = awaitable(Instance("aiohttp.ClientResponse.json()"))
library.calls["aiohttp.ClientResponse.text"] = awaitable(STR)
library.calls["aiohttp.ClientResponse.read"] = awaitable(BYTES)
library.attributes["aiohttp.ClientResponse.status"] = INT


@library.recognise(
    OutboundRequest,
    names=[*(f"{_SESSION}.{name}" for name in (*_VERBS, "request", "ws_connect")), "aiohttp.request"],
)
def _request(call: RecognisedCall) -> Iterator[OutboundRequest]:
    position = 1 if call.method == "request" else 0
    verb = call.constant(call.argument(0, "method")) if position else call.method
    on_session = call.name.startswith(_SESSION)
    timeout = call.keyword("timeout") or (client_argument(call, "timeout") if on_session else None)
    yield OutboundRequest(
        *call.place,
        url=call.argument(position, "url"),
        method=verb.upper() if isinstance(verb, str) and call.method != "ws_connect" else "",
        timeout=timeout,
        timeout_given=timeout is not None,
        is_async=True,
        default_timeout=_DEFAULT,
        verify=call.keyword("ssl"),
        client=call.receiver if on_session else None,
        data=call.keyword("json") or call.keyword("data"),
        headers=call.keyword("headers"),
    )


describe(
    library,
    ClientCreation,
    [_SESSION],
    is_async=True,
    timeout=Argument(None, "timeout"),
    timeout_given=Given(None, "timeout"),
    default_timeout=_DEFAULT,
    url=Argument(0, "base_url"),
    managed=MANAGED,
)
