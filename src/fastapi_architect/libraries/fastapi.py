"""FastAPI: what it adds to Starlette."""

from __future__ import annotations

from fastapi_architect.concepts.http import HttpError, ResponseCreation
from fastapi_architect.concepts.identity import SecurityScheme
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import BOOL, NONE, STR, Instance, Type, union

_MARKERS = ("Path", "Query", "Header", "Cookie", "Body", "Form", "File", "Depends", "Security")
#: Base of every scheme that reads credentials.
_SCHEME = "fastapi.security.base.SecurityBase"
_FROM_STARLETTE = {
    "fastapi.Request": "starlette.requests.Request",
    "fastapi.Response": "starlette.responses.Response",
    "fastapi.WebSocket": "starlette.websockets.WebSocket",
    "fastapi.WebSocketDisconnect": "starlette.websockets.WebSocketDisconnect",
    "fastapi.status.*": "starlette.status",
    "fastapi.requests.*": "starlette.requests",
    "fastapi.responses.*": "starlette.responses",
    "fastapi.websockets.*": "starlette.websockets",
    "fastapi.staticfiles.*": "starlette.staticfiles",
    "fastapi.templating.*": "starlette.templating",
    "fastapi.testclient.*": "starlette.testclient",
    "fastapi.middleware.*": "starlette.middleware",
    "fastapi.exceptions.StarletteHTTPException": "starlette.exceptions.HTTPException",
    "fastapi.concurrency.run_in_threadpool": "starlette.concurrency.run_in_threadpool",
    "fastapi.concurrency.iterate_in_threadpool": "starlette.concurrency.iterate_in_threadpool",
    "fastapi.datastructures.State": "starlette.datastructures.State",
    "fastapi.datastructures.FormData": "starlette.datastructures.FormData",
    "fastapi.datastructures.Headers": "starlette.datastructures.Headers",
}

library = Library(
    packages=("fastapi",),
    aliases={
        **_FROM_STARLETTE,
        # These two are FastAPI's own although they stand beside Starlette's.
        "fastapi.responses.ORJSONResponse": "fastapi.responses.ORJSONResponse",
        "fastapi.responses.UJSONResponse": "fastapi.responses.UJSONResponse",
        "fastapi.responses.EventSourceResponse": "fastapi.sse.EventSourceResponse",
        # Bases that are not exported by `fastapi.security`.
        **{name: name for name in ("fastapi.security.http.HTTPBase", "fastapi.security.api_key.APIKeyBase")},
        "fastapi.applications.FastAPI": "fastapi.FastAPI",
        "fastapi.routing.APIRouter": "fastapi.APIRouter",
        "fastapi.background.BackgroundTasks": "fastapi.BackgroundTasks",
        "fastapi.datastructures.UploadFile": "fastapi.UploadFile",
        "fastapi.exceptions.HTTPException": "fastapi.HTTPException",
        "fastapi.exceptions.WebSocketException": "fastapi.WebSocketException",
        **{
            f"fastapi.{module}.{name}": f"fastapi.{name}"
            for module in ("params", "param_functions")
            for name in _MARKERS
        },
        **{
            f"fastapi.security.{m}.*": "fastapi.security"
            for m in ("api_key", "http", "oauth2", "open_id_connect_url")
        },
    },
    functions={f"fastapi.{name}" for name in _MARKERS},
    bases={
        "fastapi.FastAPI": ("starlette.applications.Starlette",),
        "fastapi.APIRouter": ("starlette.routing.Router",),
        "fastapi.UploadFile": ("starlette.datastructures.UploadFile",),
        "fastapi.BackgroundTasks": ("starlette.background.BackgroundTasks",),
        "fastapi.HTTPException": ("starlette.exceptions.HTTPException",),
        "fastapi.WebSocketException": ("starlette.exceptions.WebSocketException",),
        "fastapi.routing.APIRoute": ("starlette.routing.Route",),
        "fastapi.responses.ORJSONResponse": ("starlette.responses.JSONResponse",),
        "fastapi.responses.UJSONResponse": ("starlette.responses.JSONResponse",),
        "fastapi.sse.EventSourceResponse": ("starlette.responses.StreamingResponse",),
        "fastapi.exceptions.FastAPIError": ("builtins.RuntimeError",),
        "fastapi.exceptions.ValidationException": ("builtins.Exception",),
        "fastapi.exceptions.RequestValidationError": ("fastapi.exceptions.ValidationException",),
        "fastapi.exceptions.ResponseValidationError": ("fastapi.exceptions.ValidationException",),
        "fastapi.exceptions.WebSocketRequestValidationError": ("fastapi.exceptions.ValidationException",),
        "fastapi.security.HTTPAuthorizationCredentials": ("pydantic.BaseModel",),
        "fastapi.security.HTTPBasicCredentials": ("pydantic.BaseModel",),
        "fastapi.security.OAuth2PasswordRequestFormStrict": ("fastapi.security.OAuth2PasswordRequestForm",),
        "fastapi.security.http.HTTPBase": (_SCHEME,),
        "fastapi.security.api_key.APIKeyBase": (_SCHEME,),
        "fastapi.security.OAuth2": (_SCHEME,),
        "fastapi.security.OpenIdConnect": (_SCHEME,),
        **{
            f"fastapi.security.HTTP{n}": ("fastapi.security.http.HTTPBase",)
            for n in ("Basic", "Bearer", "Digest")
        },
        **{
            f"fastapi.security.APIKey{n}": ("fastapi.security.api_key.APIKeyBase",)
            for n in ("Cookie", "Header", "Query")
        },
        "fastapi.security.OAuth2PasswordBearer": ("fastapi.security.OAuth2",),
        "fastapi.security.OAuth2AuthorizationCodeBearer": ("fastapi.security.OAuth2",),
    },
    injections=frozenset({"fastapi.Depends", "fastapi.Security"}),
)

attributes = library.attributes
_strings = Instance("builtins.list", (STR,))
for _name in ("username", "password"):
    attributes[f"fastapi.security.HTTPBasicCredentials.{_name}"] = STR
    attributes[f"fastapi.security.OAuth2PasswordRequestForm.{_name}"] = STR
attributes["fastapi.security.OAuth2PasswordRequestForm.scopes"] = _strings
attributes["fastapi.security.HTTPAuthorizationCredentials.scheme"] = STR
attributes["fastapi.security.HTTPAuthorizationCredentials.credentials"] = STR
attributes["fastapi.security.SecurityScopes.scopes"] = _strings
attributes["fastapi.security.SecurityScopes.scope_str"] = STR
attributes["fastapi.FastAPI.router"] = Instance("fastapi.APIRouter")
attributes["fastapi.exceptions.ValidationException.body"] = Instance("fastapi.Body()")

calls = library.calls


def _default(position: int):  # type: ignore[no-untyped-def]  # a factory: the inner signature says it
    def call_type(call: CallContext) -> Type | None:
        """A marker stands for its default value; nothing is known of a required one."""
        default = call.argument(position, "default")
        of = call.type_of(default) if default is not None else None
        return None if of == NONE or of == Instance("builtins.ellipsis") else of

    return call_type


for _name in _MARKERS[:7]:
    calls[f"fastapi.{_name}"] = _default(0)

_bearer = Instance("fastapi.security.HTTPAuthorizationCredentials")
#: What a scheme gives; None too, in case errors are not automatic.
_GIVES: dict[str, Type] = {
    "HTTPBearer": _bearer,
    "HTTPDigest": _bearer,
    "HTTPBasic": Instance("fastapi.security.HTTPBasicCredentials"),
    **dict.fromkeys(
        ("OAuth2", "OAuth2PasswordBearer", "OAuth2AuthorizationCodeBearer", "OpenIdConnect"), STR
    ),
    **dict.fromkeys(("APIKeyHeader", "APIKeyQuery", "APIKeyCookie"), STR),
}
for _name, _of in _GIVES.items():
    calls[f"fastapi.security.{_name}.__call__"] = union(_of, NONE) or NONE

_KINDS = {
    "HTTPBearer": ("bearer", None, None),
    "HTTPBasic": ("basic", None, None),
    "HTTPDigest": ("digest", None, None),
    "OAuth2PasswordBearer": ("oauth2-password", Argument(0, "tokenUrl"), Argument(2, "scopes")),
    "OAuth2AuthorizationCodeBearer": ("oauth2-code", Argument(1, "tokenUrl"), Argument(None, "scopes")),
    "OAuth2": ("oauth2", None, None),
    "OpenIdConnect": ("openid", Argument(None, "openIdConnectUrl"), None),
    "APIKeyHeader": ("api-key-header", Argument(None, "name"), None),
    "APIKeyQuery": ("api-key-query", Argument(None, "name"), None),
    "APIKeyCookie": ("api-key-cookie", Argument(None, "name"), None),
}
for _name, (_kind, _parameter, _scopes) in _KINDS.items():
    describe(
        library,
        SecurityScheme,
        [f"fastapi.security.{_name}"],
        kind=_kind,
        auto_error=Argument(None, "auto_error"),
        parameter=_parameter,
        scopes=_scopes,
    )

describe(
    library,
    HttpError,
    ["fastapi.HTTPException"],
    status=Argument(0, "status_code"),
    detail=Argument(1, "detail"),
    headers=Argument(2, "headers"),
)
for _name, _kind in (
    ("responses.ORJSONResponse", "json"),
    ("responses.UJSONResponse", "json"),
    ("sse.EventSourceResponse", "events"),
):
    describe(
        library,
        ResponseCreation,
        [f"fastapi.{_name}"],
        kind=_kind,
        content=Argument(0, "content"),
        status=Argument(1, "status_code"),
        headers=Argument(2, "headers"),
        background=Argument(None, "background"),
    )
calls["fastapi.encoders.jsonable_encoder"] = Instance("fastapi.encoders.jsonable_encoder()")
attributes["fastapi.UploadFile.filename"] = union(STR, NONE) or NONE
attributes["fastapi.FastAPI.debug"] = BOOL
