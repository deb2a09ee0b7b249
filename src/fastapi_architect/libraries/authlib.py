"""Authlib and joserfc: tokens, and OAuth clients."""

from __future__ import annotations

from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.results import inherit
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import BYTES, STR, Instance

library = Library(packages=("authlib", "joserfc"))
inherit(
    library,
    """authlib.jose.errors
    JoseError: builtins.Exception
    BadSignatureError ExpiredTokenError InvalidClaimError DecodeError: JoseError
    """,
)
inherit(
    library,
    """joserfc.errors
    JoseError: builtins.Exception
    BadSignatureError ExpiredTokenError InvalidClaimError DecodeError: JoseError
    """,
)
library.calls["authlib.jose.jwt.encode"] = BYTES
library.calls["authlib.jose.jwt.decode"] = Instance("authlib.jose.JWTClaims")
library.calls["joserfc.jwt.encode"] = STR
library.calls["joserfc.jwt.decode"] = Instance("joserfc.jwt.Token")
library.attributes["joserfc.jwt.Token.claims"] = Instance("builtins.dict", (STR, None))
for _owner in ("authlib.jose.jwt", "authlib.jose.JsonWebToken"):
    describe(
        library,
        TokenEncode,
        [f"{_owner}.encode"],
        payload=Argument(1, "payload"),
        key=Argument(2, "key"),
        algorithm=Argument(0, "header"),
        library="authlib",
    )
    # Claims such as `exp` are checked by a later `claims.validate()` only.
    describe(
        library,
        TokenDecode,
        [f"{_owner}.decode"],
        token=Argument(0, "s"),
        key=Argument(1, "key"),
        options=Argument(None, "claims_options"),
        expiry_checked=False,
        library="authlib",
    )
describe(
    library,
    TokenEncode,
    ["joserfc.jwt.encode"],
    payload=Argument(1, "claims"),
    key=Argument(2, "key"),
    algorithm=Argument(0, "header"),
    library="joserfc",
)
describe(
    library,
    TokenDecode,
    ["joserfc.jwt.decode"],
    token=Argument(0, "value"),
    key=Argument(1, "key"),
    algorithms=Argument(2, "algorithms"),
    expiry_checked=False,
    library="joserfc",
)
_CLIENT = "authlib.integrations.httpx_client.AsyncOAuth2Client"
library.bases[_CLIENT] = ("httpx.AsyncClient",)
library.bases["authlib.integrations.requests_client.OAuth2Session"] = ("requests.Session",)
describe(
    library,
    OutboundRequest,
    [f"{_CLIENT}.fetch_token", f"{_CLIENT}.refresh_token"],
    url=Argument(0, "url"),
    method="POST",
    is_async=True,
    default_timeout=5.0,
)
