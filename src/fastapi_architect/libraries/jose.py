"""python-jose."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.identity import TokenDecode, TokenEncode, TokenHeaderRead
from fastapi_architect.libraries.jwt import switched_off
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import inherit
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import STR, Instance

library = Library(
    packages=("jose",),
    aliases={
        f"jose.{name}": f"jose.exceptions.{name}"
        for name in ("JOSEError", "JWTError", "JWSError", "ExpiredSignatureError")
    },
)
inherit(
    library,
    """jose.exceptions
    JOSEError: builtins.Exception
    JWTError JWSError JWKError JWEError: JOSEError
    JWTClaimsError ExpiredSignatureError: JWTError
    """,
)
_CLAIMS = Instance("builtins.dict", (STR, None))
library.calls["jose.jwt.encode"] = STR
for _name in ("decode", "get_unverified_claims", "get_unverified_header", "get_unverified_headers"):
    library.calls[f"jose.jwt.{_name}"] = _CLAIMS

describe(
    library,
    TokenEncode,
    ["jose.jwt.encode", "jose.jws.sign"],
    payload=Argument(0, "claims"),
    key=Argument(1, "key"),
    algorithm=Argument(2, "algorithm"),
    library="jose",
)


@library.recognise(
    TokenDecode, names=["jose.jwt.decode", "jose.jwt.get_unverified_claims", "jose.jws.verify"]
)
def _decode(call: RecognisedCall) -> Iterator[TokenDecode]:
    verified = call.method != "get_unverified_claims"
    given = call.argument(3, "options") if call.name == "jose.jwt.decode" else None
    signed = verified and not switched_off(call, given, "verify_signature")
    yield TokenDecode(
        *call.place,
        token=call.argument(0, "token"),
        key=call.argument(1, "key") if verified else None,
        algorithms=call.argument(2, "algorithms") if verified else None,
        options=given,
        verified=signed,
        expiry_checked=verified and not switched_off(call, given, "verify_exp"),
        library="jose",
        audience=call.keyword("audience"),
    )


describe(
    library,
    TokenHeaderRead,
    ["jose.jwt.get_unverified_header", "jose.jwt.get_unverified_headers"],
    token=Argument(0, "token"),
)
