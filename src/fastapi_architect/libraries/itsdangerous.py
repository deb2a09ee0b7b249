"""itsdangerous and cryptography: signed values, ciphers."""

from __future__ import annotations

from fastapi_architect.concepts.cryptography import CipherKey
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.libraries.library import Library
from fastapi_architect.libraries.results import inherit
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import BYTES, STR

_SERIALIZERS = ("URLSafeSerializer", "URLSafeTimedSerializer", "TimedSerializer", "Serializer")
library = Library(
    packages=("itsdangerous", "cryptography", "nacl", "Crypto"),
    aliases={
        "itsdangerous.url_safe.*": "itsdangerous",
        "itsdangerous.exc.*": "itsdangerous",
        "itsdangerous.timed.*": "itsdangerous",
        "itsdangerous.serializer.*": "itsdangerous",
    },
    bases={f"itsdangerous.{name}": ("itsdangerous.Serializer",) for name in _SERIALIZERS[:-1]},
)
inherit(
    library,
    """itsdangerous
    BadData: builtins.Exception
    BadSignature BadPayload: BadData
    BadTimeSignature: BadSignature
    SignatureExpired: BadTimeSignature
    """,
)
library.calls["itsdangerous.Serializer.dumps"] = STR
library.calls["cryptography.fernet.Fernet.encrypt"] = library.calls["cryptography.fernet.Fernet.decrypt"] = (
    BYTES
)
library.calls["cryptography.fernet.Fernet.generate_key"] = BYTES
describe(
    library,
    TokenEncode,
    ["itsdangerous.Serializer.dumps"],
    payload=Argument(0, "obj"),
    library="itsdangerous",
)
describe(
    library,
    TokenDecode,
    ["itsdangerous.Serializer.loads"],
    token=Argument(0, "s"),
    options=Argument(None, "max_age"),
    library="itsdangerous",
)
describe(
    library,
    TokenDecode,
    ["itsdangerous.Serializer.loads_unsafe"],
    token=Argument(0, "s"),
    verified=False,
    expiry_checked=False,
    library="itsdangerous",
)
describe(
    library,
    CipherKey,
    [f"itsdangerous.{name}" for name in (*_SERIALIZERS, "Signer", "TimestampSigner")],
    key=Argument(0, "secret_key"),
    scheme="itsdangerous",
)
describe(library, CipherKey, ["cryptography.fernet.Fernet"], key=Argument(0, "key"), scheme="fernet")
describe(library, CipherKey, ["nacl.secret.SecretBox"], key=Argument(0, "key"), scheme="secretbox")
describe(
    library,
    CipherKey,
    [
        *(
            f"cryptography.hazmat.primitives.ciphers.algorithms.{name}"
            for name in ("AES", "TripleDES", "ARC4", "ChaCha20")
        ),
        *(f"cryptography.hazmat.primitives.ciphers.aead.{name}" for name in ("AESGCM", "ChaCha20Poly1305")),
    ],
    key=Argument(0, "key"),
    scheme="cipher",
)
