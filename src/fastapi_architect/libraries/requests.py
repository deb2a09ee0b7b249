"""requests, and urllib3 beneath it: synchronous HTTP without a default timeout."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import inherit
from fastapi_architect.libraries.table import MANAGED, RECEIVER, Argument, Given, describe
from fastapi_architect.program.types import BOOL, BYTES, INT, STR, Instance

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
_RESPONSE = Instance("requests.Response")

library = Library(
    packages=("requests", "urllib3", "requests_toolbelt", "requests_oauthlib"),
    aliases={
        "requests.sessions.*": "requests",
        "requests.models.*": "requests",
        "requests.api.*": "requests",
        "requests.session": "requests.Session",
        **{
            f"requests.{name}": f"requests.exceptions.{name}"
            for name in (
                "RequestException",
                "HTTPError",
                "ConnectionError",
                "Timeout",
                "ConnectTimeout",
                "ReadTimeout",
            )
        },
        "requests.JSONDecodeError": "requests.exceptions.JSONDecodeError",
        "requests.TooManyRedirects": "requests.exceptions.TooManyRedirects",
        "urllib3.poolmanager.PoolManager": "urllib3.PoolManager",
    },
)
inherit(
    library,
    """requests.exceptions
    RequestException: builtins.OSError
    HTTPError ConnectionError Timeout TooManyRedirects InvalidURL MissingSchema RetryError: RequestException
    InvalidJSONError ChunkedEncodingError ContentDecodingError: RequestException
    ProxyError SSLError: ConnectionError
    ConnectTimeout: ConnectionError, Timeout
    ReadTimeout: Timeout
    JSONDecodeError: InvalidJSONError
    """,
)
for _owner in ("requests", "requests.Session"):
    for _name in (*_VERBS, "request"):
        library.calls[f"{_owner}.{_name}"] = _RESPONSE
library.calls["requests.Session.send"] = _RESPONSE
library.calls["requests.Response.json"] = Instance("requests.Response.json()")
for _name, _of in {
    "text": STR,
    "content": BYTES,
    "status_code": INT,
    "ok": BOOL,
    "url": STR,
    "headers": Instance("builtins.dict", (STR, STR)),
}.items():
    library.attributes[f"requests.Response.{_name}"] = _of
library.calls["requests.Response.iter_content"] = Instance("collections.abc.Iterator", (BYTES,))
library.attributes["requests.exceptions.HTTPError.response"] = _RESPONSE

_NAMES = [f"{owner}.{name}" for owner in ("requests", "requests.Session") for name in (*_VERBS, "request")]


@library.recognise(OutboundRequest, names=_NAMES)
def _request(call: RecognisedCall) -> Iterator[OutboundRequest]:
    position = 1 if call.method == "request" else 0
    verb = call.constant(call.argument(0, "method")) if position else call.method
    timeout = call.keyword("timeout")
    yield OutboundRequest(
        *call.place,
        url=call.argument(position, "url"),
        method=verb.upper() if isinstance(verb, str) else "",
        timeout=timeout,
        timeout_given=timeout is not None or any(k.arg is None for k in call.node.keywords),
        verify=call.keyword("verify"),
        client=call.receiver if "Session" in call.name else None,
        data=call.keyword("json") or call.keyword("data"),
        headers=call.keyword("headers"),
    )


describe(library, ClientCreation, ["requests.Session"], managed=MANAGED)
describe(
    library,
    BlockingCall,
    [*_NAMES, "requests.Session.send"],
    kind="http",
    instead="await httpx.AsyncClient().get(...)",
)

# ── urllib3 ───────────────────────────────────────────────────────────────────────────────────────────────

_POOLS = (
    "urllib3.PoolManager",
    "urllib3.HTTPConnectionPool",
    "urllib3.HTTPSConnectionPool",
    "urllib3.ProxyManager",
)
library.calls["urllib3.PoolManager.request"] = library.calls["urllib3.request"] = Instance(
    "urllib3.HTTPResponse"
)
for _owner in ("urllib3", *_POOLS):
    for _name in ("request", "urlopen") if _owner != "urllib3" else ("request",):
        describe(
            library,
            OutboundRequest,
            [f"{_owner}.{_name}"],
            url=Argument(1, "url"),
            timeout=Argument(None, "timeout"),
            timeout_given=Given(None, "timeout"),
            client=RECEIVER if _owner != "urllib3" else None,
        )
        describe(
            library,
            BlockingCall,
            [f"{_owner}.{_name}"],
            kind="http",
            instead="await httpx.AsyncClient().request(...)",
        )
describe(
    library,
    ClientCreation,
    _POOLS,
    timeout=Argument(None, "timeout"),
    timeout_given=Given(None, "timeout"),
    managed=MANAGED,
)
