"""PyYAML, ruamel.yaml, numpy and torch: formats that are safe or not by an argument."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.serialization import Deserialization
from fastapi_architect.libraries.library import Library, RecognisedCall, external_name
from fastapi_architect.libraries.table import Argument, describe
from fastapi_architect.program.types import ClassRef, options

library = Library(packages=("yaml", "tomllib", "toml", "orjson", "ujson", "msgpack", "tomli"))
_SAFE = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")


@library.recognise(Deserialization, names=["yaml.load", "yaml.load_all"])
def _load(call: RecognisedCall) -> Iterator[Deserialization]:
    loader = call.argument(1, "Loader")
    of = call.type_of(loader)
    hierarchy = call.program.inference.hierarchy
    safe = external_name(of).rpartition(".")[2] in _SAFE or any(
        isinstance(o, ClassRef) and hierarchy.is_subclass(o.cls, *(f"yaml.{name}" for name in _SAFE))
        for o in options(of)
    )
    yield Deserialization(
        *call.place, data=call.argument(0, "stream"), format="yaml", safe=safe, loader=loader
    )


describe(
    library,
    Deserialization,
    "yaml.full_load yaml.full_load_all yaml.unsafe_load yaml.unsafe_load_all",
    data=Argument(0, "stream"),
    format="yaml",
)
describe(
    library,
    Deserialization,
    "yaml.safe_load yaml.safe_load_all",
    data=Argument(0, "stream"),
    format="yaml",
    safe=True,
)


@library.recognise(Deserialization, names=["numpy.load"])
def _numpy(call: RecognisedCall) -> Iterator[Deserialization]:
    allowed = call.keyword("allow_pickle")
    safe = allowed is None or call.constant(allowed) is False
    yield Deserialization(*call.place, data=call.argument(0, "file"), format="numpy", safe=safe)


@library.recognise(Deserialization, names=["torch.load"])
def _torch(call: RecognisedCall) -> Iterator[Deserialization]:
    only = call.keyword("weights_only")
    safe = only is not None and call.constant(only) is True
    yield Deserialization(*call.place, data=call.argument(0, "f"), format="torch", safe=safe)


describe(
    library,
    Deserialization,
    "orjson.loads ujson.loads tomllib.loads tomllib.load",
    data=Argument(0),
    format="json",
    safe=True,
)


@library.recognise(Deserialization, names=["ruamel.yaml.YAML"])
def _ruamel(call: RecognisedCall) -> Iterator[Deserialization]:
    kind = call.constant(call.argument(None, "typ"))
    yield Deserialization(*call.place, format="yaml", safe=kind != "unsafe")
