"""Password hashers: passlib, bcrypt, argon2-cffi, pwdlib, werkzeug."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.identity import PasswordHash, PasswordHasher, PasswordVerify
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import BOOL, BYTES, NONE, STR, Instance, Type, union

library = Library(
    packages=("passlib", "bcrypt", "argon2", "pwdlib", "werkzeug", "libpass"),
    classes={"argon2.PasswordHasher"},
    aliases={
        "pwdlib._hash.PasswordHash": "pwdlib.PasswordHash",
        "argon2._password_hasher.PasswordHasher": "argon2.PasswordHasher",
    },
    bases={
        "argon2.exceptions.Argon2Error": ("builtins.Exception",),
        "argon2.exceptions.VerificationError": ("argon2.exceptions.Argon2Error",),
        "argon2.exceptions.VerifyMismatchError": ("argon2.exceptions.VerificationError",),
        "argon2.exceptions.InvalidHashError": ("builtins.ValueError",),
    },
)
_CONTEXT = "passlib.context.CryptContext"
_SCHEMES = {
    "bcrypt": "bcrypt",
    "bcrypt_sha256": "bcrypt",
    "argon2": "argon2",
    "pbkdf2_sha256": "pbkdf2",
    "pbkdf2_sha512": "pbkdf2",
    "scrypt": "scrypt",
    "sha256_crypt": "sha256crypt",
    "sha512_crypt": "sha512crypt",
    "md5_crypt": "md5",
    "hex_md5": "md5",
    "hex_sha1": "sha1",
    "hex_sha256": "sha256",
    "plaintext": "plaintext",
    "des_crypt": "des",
    "ldap_sha1": "sha1",
}

#: Callable to (scheme, position and keyword of the password).
_HASHES: dict[str, tuple[str, int, str]] = {
    f"{_CONTEXT}.hash": ("", 0, "secret"),
    f"{_CONTEXT}.encrypt": ("", 0, "secret"),
    "bcrypt.hashpw": ("bcrypt", 0, "password"),
    "argon2.PasswordHasher.hash": ("argon2", 0, "password"),
    "pwdlib.PasswordHash.hash": ("", 0, "password"),
    "pwdlib.hashers.argon2.Argon2Hasher.hash": ("argon2", 0, "password"),
    "pwdlib.hashers.bcrypt.BcryptHasher.hash": ("bcrypt", 0, "password"),
    "werkzeug.security.generate_password_hash": ("", 0, "password"),
    **{
        f"passlib.hash.{name}.{m}": (scheme, 0, "secret")
        for name, scheme in _SCHEMES.items()
        for m in ("hash", "encrypt")
    },
}
#: Callable to (scheme, password, hash).
_VERIFIES: dict[str, tuple[str, tuple[int, str], tuple[int, str]]] = {
    f"{_CONTEXT}.verify": ("", (0, "secret"), (1, "hash")),
    f"{_CONTEXT}.verify_and_update": ("", (0, "secret"), (1, "hash")),
    "bcrypt.checkpw": ("bcrypt", (0, "password"), (1, "hashed_password")),
    "argon2.PasswordHasher.verify": ("argon2", (1, "password"), (0, "hash")),
    "pwdlib.PasswordHash.verify": ("", (0, "password"), (1, "hash")),
    "pwdlib.PasswordHash.verify_and_update": ("", (0, "password"), (1, "hash")),
    "werkzeug.security.check_password_hash": ("", (1, "password"), (0, "pwhash")),
    **{
        f"passlib.hash.{name}.verify": (scheme, (0, "secret"), (1, "hash"))
        for name, scheme in _SCHEMES.items()
    },
}
_WORDS = ("pwd", "password", "hasher", "crypt")

calls = library.calls
_verified: Type = union(Instance("builtins.tuple", (BOOL, union(STR, NONE)))) or BOOL
for _name in _HASHES:
    calls[_name] = BYTES if _name == "bcrypt.hashpw" else STR
for _name in _VERIFIES:
    calls[_name] = _verified if _name.endswith("_and_update") else BOOL
calls["bcrypt.gensalt"] = BYTES
calls["pwdlib.PasswordHash.recommended"] = Instance("pwdlib.PasswordHash")


@library.recognise(PasswordHash, names=_HASHES, duck={"hash": _WORDS})
def _hash(call: RecognisedCall) -> Iterator[PasswordHash]:
    scheme, position, keyword = _HASHES.get(call.name, ("", 0, "password"))
    salt = call.argument(1, "salt") if call.name == "bcrypt.hashpw" else None
    yield PasswordHash(*call.place, call.argument(position, keyword), scheme, salt)


@library.recognise(PasswordVerify, names=_VERIFIES, duck={"verify": _WORDS})
def _verify(call: RecognisedCall) -> Iterator[PasswordVerify]:
    scheme, password, hashed = _VERIFIES.get(call.name, ("", (0, "password"), (1, "hash")))
    yield PasswordVerify(*call.place, call.argument(*password), call.argument(*hashed), scheme)


describe(library, PasswordHasher, [_CONTEXT], schemes=Argument(0, "schemes"))
describe(library, PasswordHasher, ["argon2.PasswordHasher"], scheme="argon2")
describe(library, PasswordHasher, ["pwdlib.PasswordHash"], schemes=Argument(0, "hashers"))
describe(library, PasswordHasher, ["pwdlib.PasswordHash.recommended"], scheme="argon2")
describe(library, BlockingCall, [*_HASHES, *_VERIFIES], kind="cpu", instead="await asyncio.to_thread(...)")
