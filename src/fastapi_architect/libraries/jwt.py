"""PyJWT."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode, TokenHeaderRead
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import inherit
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import STR, Instance
from fastapi_architect.syntax import ir

_EXCEPTIONS = (
    "PyJWTError InvalidTokenError DecodeError InvalidSignatureError ExpiredSignatureError "
    "InvalidAudienceError "
    "InvalidIssuerError InvalidIssuedAtError ImmatureSignatureError InvalidKeyError InvalidAlgorithmError "
    "MissingRequiredClaimError PyJWKClientError"
).split()
library = Library(
    packages=("jwt",),
    aliases={
        **{f"jwt.{name}": f"jwt.exceptions.{name}" for name in _EXCEPTIONS},
        "jwt.api_jwt.*": "jwt",
        "jwt.jwks_client.PyJWKClient": "jwt.PyJWKClient",
    },
    bases={},
)
inherit(
    library,
    """jwt.exceptions
    PyJWTError: builtins.Exception
    InvalidTokenError InvalidKeyError PyJWKClientError: PyJWTError
    DecodeError ExpiredSignatureError: InvalidTokenError
    InvalidAudienceError InvalidIssuerError InvalidIssuedAtError: InvalidTokenError
    ImmatureSignatureError InvalidAlgorithmError MissingRequiredClaimError: InvalidTokenError
    InvalidSignatureError: DecodeError
    """,
)
for _owner in ("jwt", "jwt.PyJWT"):
    library.calls[f"{_owner}.encode"] = STR
    library.calls[f"{_owner}.decode"] = Instance("builtins.dict", (STR, None))
library.calls["jwt.get_unverified_header"] = Instance("builtins.dict", (STR, None))

for _owner in ("jwt", "jwt.PyJWT"):
    describe(
        library,
        TokenEncode,
        [f"{_owner}.encode"],
        payload=Argument(0, "payload"),
        key=Argument(1, "key"),
        algorithm=Argument(2, "algorithm"),
        library="pyjwt",
    )


def switched_off(call: RecognisedCall, expr: ir.Expr | None, *names: str) -> bool:
    """A literal mapping of options sets one of `names` to False."""
    value = call.constant(expr)
    return isinstance(value, dict) and any(value.get(name) is False for name in names)


@library.recognise(
    TokenDecode, names=["jwt.decode", "jwt.decode_complete", "jwt.PyJWT.decode", "jwt.PyJWT.decode_complete"]
)
def _decode(call: RecognisedCall) -> Iterator[TokenDecode]:
    given = call.argument(3, "options")
    verify = call.keyword("verify")
    verified = not switched_off(call, given, "verify_signature")
    if verify is not None and call.constant(verify) is False:
        verified = False
    yield TokenDecode(
        *call.place,
        token=call.argument(0, "jwt"),
        key=call.argument(1, "key"),
        algorithms=call.argument(2, "algorithms"),
        options=given,
        verified=verified,
        expiry_checked=verified and not switched_off(call, given, "verify_exp"),
        library="pyjwt",
        audience=call.keyword("audience"),
    )


describe(library, TokenHeaderRead, ["jwt.get_unverified_header"], token=Argument(0, "jwt"))
describe(
    library,
    OutboundRequest,
    ["jwt.PyJWKClient"],
    url=Argument(0, "uri"),
    timeout_given=True,
    default_timeout=30.0,
)
