"""pydantic, versions 1 and 2: models to data and back, secrets."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.identity import SecretReveal
from fastapi_architect.concepts.serialization import ModelDump, ModelLoad, ModelUpdate
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.results import receiver
from fastapi_architect.libraries.table import RECEIVER, Argument, describe
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import BYTES, STR, ClassRef, Instance, Type, options

_MODEL = "pydantic.BaseModel"
_DICT = Instance("builtins.dict", (STR, None))

library = Library(
    packages=("pydantic", "pydantic_core", "pydantic_extra_types", "email_validator"),
    aliases={
        "pydantic.main.*": "pydantic",
        "pydantic.fields.*": "pydantic",
        "pydantic.types.*": "pydantic",
        "pydantic.networks.*": "pydantic",
        "pydantic.functional_validators.*": "pydantic",
        "pydantic.functional_serializers.*": "pydantic",
        "pydantic.class_validators.*": "pydantic",
        "pydantic.config.*": "pydantic",
        "pydantic.error_wrappers.*": "pydantic",
        "pydantic.v1.*": "pydantic",
        "pydantic_core.ValidationError": "pydantic.ValidationError",
        "pydantic.deprecated.class_validators.*": "pydantic",
    },
    functions={"pydantic.Field", "pydantic.PrivateAttr"},
    bases={
        "pydantic.RootModel": (_MODEL,),
        "pydantic.generics.GenericModel": (_MODEL,),
        "pydantic.ValidationError": ("builtins.ValueError",),
        "pydantic_core.PydanticCustomError": ("builtins.ValueError",),
        "pydantic.EmailStr": ("builtins.str",),
        "pydantic.NameEmail": ("builtins.str",),
        "pydantic.HttpUrl": ("pydantic.AnyUrl",),
        "pydantic.AnyHttpUrl": ("pydantic.AnyUrl",),
        "pydantic.PostgresDsn": ("pydantic.AnyUrl",),
        "pydantic.RedisDsn": ("pydantic.AnyUrl",),
        "pydantic.AmqpDsn": ("pydantic.AnyUrl",),
    },
)

#: Constrained names that stand for plain types.
for _name, _of in {
    "StrictStr": STR,
    "constr": STR,
    "PositiveInt": Instance("builtins.int"),
    "NonNegativeInt": Instance("builtins.int"),
    "PositiveFloat": Instance("builtins.float"),
    "UUID4": Instance("uuid.UUID"),
    "UUID1": Instance("uuid.UUID"),
    "FilePath": Instance("pathlib.Path"),
    "DirectoryPath": Instance("pathlib.Path"),
    "AwareDatetime": Instance("datetime.datetime"),
    "NaiveDatetime": Instance("datetime.datetime"),
    "PastDate": Instance("datetime.date"),
    "FutureDate": Instance("datetime.date"),
}.items():
    library.bases[f"pydantic.{_name}"] = (_of.name,)
library.classes |= {"pydantic.UUID1", "pydantic.UUID3", "pydantic.UUID4", "pydantic.UUID5"}

for _name in ("constr", "conint", "confloat", "condecimal", "conlist", "conbytes", "conset", "condate"):
    _plain = {"constr": "str", "conint": "int", "confloat": "float", "conbytes": "bytes"}.get(_name, "")
    library.calls[f"pydantic.{_name}"] = (
        ClassRef(f"builtins.{_plain}") if _plain else Instance(f"pydantic.{_name}()")
    )

calls = library.calls
for _name in ("model_dump", "dict"):
    calls[f"{_MODEL}.{_name}"] = _DICT
for _name in ("model_dump_json", "json"):
    calls[f"{_MODEL}.{_name}"] = STR
for _name in ("model_copy", "copy"):
    calls[f"{_MODEL}.{_name}"] = receiver
library.attributes[f"{_MODEL}.model_fields_set"] = Instance("builtins.set", (STR,))
library.attributes[f"{_MODEL}.__fields_set__"] = Instance("builtins.set", (STR,))
library.attributes[f"{_MODEL}.model_extra"] = _DICT
calls["pydantic.SecretStr.get_secret_value"] = STR
calls["pydantic.SecretBytes.get_secret_value"] = BYTES


def _loaded(call: CallContext) -> Type | None:
    of = call.receiver
    return Instance(of.cls, of.args) if of is not None else None


_LOADS = {
    "model_validate": (True, False),
    "model_validate_json": (True, False),
    "model_validate_strings": (True, False),
    "model_construct": (False, False),
    "parse_obj": (True, True),
    "parse_raw": (True, True),
    "from_orm": (True, True),
    "construct": (False, True),
}
for _name in _LOADS:
    calls[f"{_MODEL}.{_name}"] = _loaded


@library.call("pydantic.TypeAdapter")
def _adapter(call: CallContext) -> Type:
    expr = call.argument(0, "type")
    of = (
        next((o for o in options(call.type_of(expr)) if isinstance(o, ClassRef)), None)
        if expr is not None
        else None
    )
    return Instance("pydantic.TypeAdapter", (Instance(of.cls, of.args),) if of is not None else ())


@library.call("pydantic.TypeAdapter.validate_python", "pydantic.TypeAdapter.validate_json")
def _adapted(call: CallContext) -> Type | None:
    return call.receiver.args[0] if call.receiver is not None and call.receiver.args else None


@library.call("pydantic.Field")
def _field(call: CallContext) -> Type | None:
    default = call.argument(0, "default")
    return call.type_of(default) if default is not None else None


_DUMPS = {"model_dump": "dict", "model_dump_json": "json", "dict": "dict", "json": "json"}


@library.recognise(
    ModelDump,
    names=[f"{_MODEL}.{name}" for name in _DUMPS],
    duck={
        "model_dump": ("",),
        "model_dump_json": ("",),
        "dict": ("obj_in", "payload", "schema", "_in", "data", "update"),
    },
)
def _dump(call: RecognisedCall) -> Iterator[ModelDump]:
    yield ModelDump(
        *call.place,
        model=call.receiver,
        kind=_DUMPS[call.method],
        exclude_unset=call.keyword("exclude_unset"),
        include=call.keyword("include"),
        exclude=call.keyword("exclude"),
        keywords=tuple(call.node.keywords),
        deprecated=call.method in ("dict", "json"),
    )


@library.recognise(
    ModelLoad,
    names=[f"{_MODEL}.{name}" for name in _LOADS],
    duck={"model_validate": ("",), "from_orm": ("",), "parse_obj": ("",)},
)
def _load(call: RecognisedCall) -> Iterator[ModelLoad]:
    validated, deprecated = _LOADS[call.method]
    yield ModelLoad(
        *call.place,
        model=call.receiver,
        data=call.argument(0, "obj" if "json" not in call.method else "json_data"),
        validated=validated,
        deprecated=deprecated,
    )


describe(
    library,
    ModelLoad,
    ["pydantic.TypeAdapter.validate_python", "pydantic.TypeAdapter.validate_json"],
    model=RECEIVER,
    data=Argument(0),
)
describe(
    library,
    ModelLoad,
    ["pydantic.parse_obj_as"],
    model=Argument(0, "type_"),
    data=Argument(1, "obj"),
    deprecated=True,
)
describe(
    library,
    ModelUpdate,
    [f"{_MODEL}.model_copy", f"{_MODEL}.copy"],
    model=RECEIVER,
    data=Argument(None, "update"),
)
describe(
    library,
    SecretReveal,
    ["pydantic.SecretStr.get_secret_value", "pydantic.SecretBytes.get_secret_value"],
    duck={"get_secret_value": ("",)},
    secret=RECEIVER,
)
