"""Python's own library: serialisation, digests, random values, clocks."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.configuration import ClockRead
from fastapi_architect.concepts.cryptography import (
    Digest,
    Encoding,
    KeyDerivation,
    MessageAuthentication,
    RandomValue,
)
from fastapi_architect.concepts.identity import SecretComparison
from fastapi_architect.concepts.serialization import Deserialization, Serialization
from fastapi_architect.concepts.template import TextFormatting
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import receiver
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import BOOL, BYTES, FLOAT, INT, STR, Instance
from fastapi_architect.syntax import ir

library = Library(
    packages=tuple(
        "json pickle marshal shelve time datetime random secrets uuid hashlib hmac base64 binascii copy csv "
        "xml html re string "
        "decimal enum dataclasses collections itertools typing abc math ipaddress zoneinfo calendar "
        "traceback inspect "
        "warnings textwrap struct operator statistics typing_extensions".split()
    ),
    classes={
        "datetime.datetime",
        "datetime.date",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "uuid.UUID",
        "random.Random",
    },
    bases={
        "datetime.datetime": ("datetime.date",),
        "json.JSONDecodeError": ("builtins.ValueError",),
        "pickle.UnpicklingError": ("builtins.Exception",),
        "enum.StrEnum": ("builtins.str", "enum.Enum"),
        "enum.IntEnum": ("builtins.int", "enum.Enum"),
        "enum.IntFlag": ("builtins.int", "enum.Enum"),
    },
)
calls = library.calls
_DATETIME = Instance("datetime.datetime")
_DELTA = Instance("datetime.timedelta")
for _name in (
    "now",
    "utcnow",
    "today",
    "fromtimestamp",
    "utcfromtimestamp",
    "fromisoformat",
    "strptime",
    "combine",
):
    calls[f"datetime.datetime.{_name}"] = _DATETIME
for _name in ("replace", "astimezone"):
    calls[f"datetime.datetime.{_name}"] = receiver
for _name in ("isoformat", "strftime"):
    calls[f"datetime.date.{_name}"] = STR
calls["datetime.datetime.timestamp"] = calls["datetime.timedelta.total_seconds"] = FLOAT
calls["datetime.datetime.date"] = calls["datetime.date.today"] = Instance("datetime.date")
for _name in ("time", "monotonic", "perf_counter", "process_time"):
    calls[f"time.{_name}"] = FLOAT
for _name in ("uuid1", "uuid3", "uuid4", "uuid5", "uuid7"):
    calls[f"uuid.{_name}"] = Instance("uuid.UUID")
library.attributes["uuid.UUID.hex"] = STR
library.attributes["uuid.UUID.int"] = INT
library.attributes["uuid.UUID.bytes"] = BYTES
calls["json.dumps"] = STR
calls["json.loads"] = calls["json.load"] = Instance("json.loads()")
calls["pickle.dumps"] = calls["marshal.dumps"] = BYTES
for _name in (
    "b64encode",
    "urlsafe_b64encode",
    "b64decode",
    "urlsafe_b64decode",
    "b32encode",
    "b32decode",
    "b85encode",
):
    calls[f"base64.{_name}"] = BYTES
calls["secrets.token_hex"] = calls["secrets.token_urlsafe"] = STR
calls["secrets.token_bytes"] = calls["os.urandom"] = BYTES
calls["secrets.randbelow"] = calls["secrets.randbits"] = calls["random.randint"] = calls[
    "random.randrange"
] = INT
calls["random.random"] = calls["random.uniform"] = FLOAT
calls["random.SystemRandom"] = Instance("random.SystemRandom")
calls["secrets.SystemRandom"] = Instance("random.SystemRandom")
calls["hmac.new"] = Instance("hmac.HMAC")
calls["hmac.compare_digest"] = calls["secrets.compare_digest"] = BOOL
calls["hmac.digest"] = calls["hashlib.pbkdf2_hmac"] = calls["hashlib.scrypt"] = BYTES
_HASH = "hashlib.HASH"
for _name in (
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha3_256",
    "sha3_512",
    "blake2b",
    "blake2s",
    "new",
):
    calls[f"hashlib.{_name}"] = Instance(_HASH)
for _owner in (_HASH, "hmac.HMAC"):
    calls[f"{_owner}.hexdigest"] = STR
    calls[f"{_owner}.digest"] = BYTES
calls["re.compile"] = Instance("re.Pattern")
for _name in ("match", "fullmatch", "search"):
    calls[f"re.{_name}"] = calls[f"re.Pattern.{_name}"] = Instance("re.Match")
calls["re.sub"] = calls["re.escape"] = calls["re.Pattern.sub"] = calls["html.escape"] = STR
calls["re.Match.group"] = STR
calls["traceback.format_exc"] = STR
calls["copy.copy"] = calls["copy.deepcopy"] = lambda call: (
    call.type_of(call.node.args[0]) if call.node.args else None
)

# ── what calls mean ───────────────────────────────────────────────────────────────────────────────────────

_data = Argument(0)
for _format in ("pickle", "marshal"):
    describe(library, Deserialization, [f"{_format}.load", f"{_format}.loads"], data=_data, format=_format)
    describe(library, Serialization, [f"{_format}.dump", f"{_format}.dumps"], value=_data, format=_format)
describe(
    library,
    Deserialization,
    ["pickle.Unpickler", "cPickle.loads", "cPickle.load"],
    data=_data,
    format="pickle",
)
describe(library, Deserialization, ["shelve.open"], data=_data, format="shelve")
describe(library, Deserialization, ["json.loads", "json.load"], data=_data, format="json", safe=True)
describe(library, Serialization, ["json.dumps", "json.dump"], value=_data, format="json")
describe(
    library,
    Deserialization,
    "xml.etree.ElementTree.parse xml.etree.ElementTree.fromstring xml.etree.ElementTree.XML "
    "xml.dom.minidom.parse "
    "xml.dom.minidom.parseString xml.sax.parse xml.sax.parseString",
    data=_data,
    format="xml",
)

for _names, _kind in (
    ("random randint randrange uniform getrandbits gauss", "number"),
    ("choice choices sample shuffle", "choice"),
):
    describe(library, RandomValue, _names, owner="random", secure=False, kind=_kind)
    describe(library, RandomValue, _names, owner="random.Random", secure=False, kind=_kind)
    describe(library, RandomValue, _names, owner="random.SystemRandom", secure=True, kind=_kind)
describe(library, RandomValue, ["random.randbytes"], secure=False, kind="bytes", size=_data)
describe(library, RandomValue, ["random.Random"], secure=False, kind="generator")
_size = Argument(0, "nbytes")
describe(
    library, RandomValue, ["secrets.token_hex", "secrets.token_urlsafe"], secure=True, kind="text", size=_size
)
describe(library, RandomValue, ["secrets.token_bytes"], secure=True, kind="bytes", size=_size)
describe(library, RandomValue, ["os.urandom"], secure=True, kind="bytes", size=_data)
describe(library, RandomValue, ["secrets.choice"], secure=True, kind="choice")
describe(library, RandomValue, ["secrets.randbelow", "secrets.randbits"], secure=True, kind="number")
describe(library, RandomValue, ["uuid.uuid4"], secure=True, kind="uuid")
describe(
    library, RandomValue, ["uuid.uuid1", "uuid.uuid3", "uuid.uuid5", "uuid.uuid7"], secure=False, kind="uuid"
)

_ALGORITHMS = (
    "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s".split()
)


@library.recognise(Digest, names=["hashlib.new", *(f"hashlib.{name}" for name in _ALGORITHMS)])
def _digest(call: RecognisedCall) -> Iterator[Digest]:
    named = call.method == "new"
    algorithm = call.constant(call.argument(0, "name")) if named else call.method
    algorithm = algorithm.lower().replace("-", "") if isinstance(algorithm, str) else ""
    used = call.keyword("usedforsecurity")
    yield Digest(
        *call.place,
        algorithm=algorithm,
        weak=algorithm in ("md5", "sha1", "md4"),
        data=call.argument(1 if named else 0, "data"),
        for_security=used is None or call.constant(used) is not False,
    )


describe(
    library,
    MessageAuthentication,
    ["hmac.new", "hmac.digest", "hmac.HMAC"],
    key=Argument(0, "key"),
    message=Argument(1, "msg"),
    algorithm=Argument(2, "digestmod"),
)
describe(
    library,
    SecretComparison,
    ["hmac.compare_digest", "secrets.compare_digest"],
    left=Argument(0),
    right=Argument(1),
)
describe(
    library,
    KeyDerivation,
    ["hashlib.pbkdf2_hmac"],
    scheme="pbkdf2",
    password=Argument(1, "password"),
    iterations=Argument(3, "iterations"),
)
describe(
    library,
    KeyDerivation,
    ["hashlib.scrypt"],
    scheme="scrypt",
    password=Argument(0, "password"),
    iterations=Argument(None, "n"),
)
describe(
    library,
    BlockingCall,
    ["hashlib.pbkdf2_hmac", "hashlib.scrypt"],
    kind="cpu",
    instead="await asyncio.to_thread(...)",
)
for _names, _kind in (
    ("b64encode urlsafe_b64encode standard_b64encode b32encode b85encode", "base64-encode"),
    ("b64decode urlsafe_b64decode standard_b64decode b32decode b85decode", "base64-decode"),
):
    describe(library, Encoding, _names, owner="base64", kind=_kind, data=_data)
describe(library, Encoding, ["binascii.hexlify"], kind="hex-encode", data=_data)
describe(library, Encoding, ["binascii.unhexlify", "builtins.bytes.fromhex"], kind="hex-decode", data=_data)


@library.recognise(ClockRead, names=[f"datetime.datetime.{n}" for n in ("now", "fromtimestamp")])
def _clock(call: RecognisedCall) -> Iterator[ClockRead]:
    zone = call.argument(0 if call.method == "now" else 1, "tz")
    yield ClockRead(*call.place, "now" if call.method == "now" else "fromtimestamp", aware=zone is not None)


describe(library, ClockRead, ["datetime.datetime.utcnow"], kind="utcnow")
describe(library, ClockRead, ["datetime.datetime.utcfromtimestamp"], kind="utcfromtimestamp")
describe(library, ClockRead, ["datetime.datetime.today", "datetime.date.today"], kind="today")
describe(library, ClockRead, ["time.time", "time.time_ns"], kind="timestamp")
describe(library, ClockRead, ["time.monotonic", "time.perf_counter"], kind="monotonic")


@library.recognise(
    TextFormatting,
    names=["builtins.str.format", "builtins.str.format_map"],
    duck={"format": ("template", "=fmt", "pattern", "format"), "format_map": ("",)},
)
def _formatting(call: RecognisedCall) -> Iterator[TextFormatting]:
    template = call.receiver
    if template.__class__ not in (ir.Constant, ir.JoinedStr):
        yield TextFormatting(
            *call.place, template=template, args=tuple(call.node.args), keywords=tuple(call.node.keywords)
        )
