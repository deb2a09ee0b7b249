# ruff: noqa: E501 - samples of code
"""Schemas as the analyser reads them are what Pydantic builds from the same text."""

import sys
from functools import cache
from textwrap import dedent
from types import ModuleType

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.appgraph.schemas import find_schemas, read_schema, specialised_fields
from fastapi_architect.program.types import Instance

PYDANTIC_2 = """
import dataclasses
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, List, Literal, Optional, TypeVar, Union
import annotated_types
import pydantic
from pydantic import (AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, PrivateAttr,
    StringConstraints, computed_field, conint, conlist, constr, field_validator, model_validator)
from pydantic.alias_generators import to_camel

T = TypeVar("T")
Name = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
Slug = Annotated[Name, AfterValidator(lambda v: v)]
LIMIT = 10

class Base(BaseModel):
    model_config = ConfigDict(from_attributes=True, extra="forbid")
    version: ClassVar[int] = 1
    id: int
    _private: int = 3
    _other: int = PrivateAttr(default=1)

class Item(Base):
    name: Name
    slug: Slug = "x"
    note: Optional[str]
    maybe: str | None = None
    anything: Any
    count: PositiveInt
    few: conint(ge=1, le=LIMIT)
    code: constr(max_length=3, pattern="^a") = Field(..., description="d")
    tags: list[Annotated[str, Field(max_length=5)]] = Field(default_factory=list, max_length=4)
    pair: conlist(int, min_length=2) = [1, 2]
    price: Annotated[float, Field(gt=0), annotated_types.Le(5)]
    kind: Literal["a", "b"] = "a"
    hidden: str = Field("h", exclude=True)
    renamed: int = Field(alias="other")
    chosen: int = Field(default=1, validation_alias="picked", serialization_alias="out")
    ellipsis: int = ...
    stamp: Annotated[datetime, Field(default_factory=datetime.now)]
    with_default: Annotated[int, Field(le=3)] = 2

    @computed_field
    @property
    def total(self) -> int:
        return 1

    @field_validator("name", "slug", mode="before")
    @classmethod
    def clean(cls, value): return value

    @model_validator(mode="after")
    def check(self): return self

class Patched(Item):
    id: int | None = None
    kind: Literal["a"]

class Page(BaseModel, Generic[T]):
    items: List[T]
    total: int = 0

class ItemPage(Page[Item]):
    pass

class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    first_name: str

class Loose(BaseModel, extra="allow"):
    x: int
"""


@cache
def _imported(text: str, name: str) -> ModuleType:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(dedent(text), name, "exec"), module.__dict__)
    return module


def test_fields_and_what_is_required_equal_those_of_pydantic():
    module = _imported(PYDANTIC_2, "pydantic_sample")
    schemas = {s.name: s for s in find_schemas(program_of(PYDANTIC_2))}
    real = {n: c for n, c in vars(module).items() if n in schemas}
    expected = {n: {f: i.is_required() for f, i in c.model_fields.items()} for n, c in real.items()}
    actual = {n: {f.name: f.required for f in s.fields if not f.is_computed} for n, s in schemas.items()}
    assert actual == expected
    assert list(schemas) == ["Base", "Item", "Patched", "Page", "ItemPage", "Camel", "Loose"]
    assert {n: [f.name for f in s.fields if f.is_computed] for n, s in schemas.items()} == {
        n: list(c.model_computed_fields) for n, c in real.items()
    }


def test_aliases_equal_those_of_pydantic():
    module = _imported(PYDANTIC_2, "pydantic_sample")
    for schema in find_schemas(program_of(PYDANTIC_2)):
        fields = getattr(module, schema.name).model_fields
        expected = {n: (i.validation_alias or i.alias, i.serialization_alias) for n, i in fields.items()}
        assert {
            f.name: (f.alias, f.serialization_alias) for f in schema.fields if not f.is_computed
        } == expected


def test_configuration_equals_that_of_pydantic():
    module = _imported(PYDANTIC_2, "pydantic_sample")
    for schema in find_schemas(program_of(PYDANTIC_2)):
        config = getattr(module, schema.name).model_config
        assert schema.extra == config.get("extra", "ignore")
        assert schema.is_orm == bool(config.get("from_attributes"))


def test_constraints_are_read_wherever_they_are_written():
    item = next(s for s in find_schemas(program_of(PYDANTIC_2)) if s.name == "Item")
    actual = {f.name: f.constraints for f in item.fields if f.constraints}
    assert actual == {
        "name": {"min_length": 1, "max_length": 50, "strip_whitespace": True},
        "slug": {"min_length": 1, "max_length": 50, "strip_whitespace": True},
        "count": {"gt": 0},
        "few": {"ge": 1, "le": 10},
        "code": {"max_length": 3, "pattern": "^a"},
        "tags": {"max_length": 4},
        "pair": {"min_length": 2},
        "price": {"gt": 0, "le": 5},
        "with_default": {"le": 3},
    }
    assert item.by_name["tags"].element_constraints == {"max_length": 5}
    assert [f.name for f in item.fields if f.excluded] == ["hidden"]


def test_validators_say_when_they_run_and_on_which_fields():
    item = next(s for s in find_schemas(program_of(PYDANTIC_2)) if s.name == "Item")
    actual = [(v.kind, v.mode, v.fields, v.function.name if v.function else None) for v in item.validators]
    assert actual == [
        ("field", "before", ("name", "slug"), "clean"),
        ("model", "after", (), "check"),
        ("annotation", "after", ("slug",), None),
    ]


def test_a_generic_schema_has_the_types_it_is_given():
    program = program_of(PYDANTIC_2)
    schemas = {s.name: s for s in find_schemas(program)}
    item = Instance(schemas["Item"].cls)
    assert schemas["ItemPage"].by_name["items"].type == Instance("builtins.list", (item,))
    fields = specialised_fields(schemas["Page"], Instance(schemas["Page"].cls, (item,)))
    assert fields[0].type == Instance("builtins.list", (item,))


PYDANTIC_1 = """
    from typing import Any, Optional
    from pydantic import BaseModel, Field, validator, root_validator
    class User(BaseModel):
        a: int
        b: Optional[int]
        c: Any
        d: Optional[int] = Field(...)
        e = 3
        tags: list = Field([], max_items=3)
        name: str = Field(..., regex="^x")
        class Config:
            orm_mode = True
            extra = "forbid"
        @validator("a", pre=True)
        def check_a(cls, v): return v
        @root_validator
        def check_all(cls, values): return values
"""


def test_pydantic_1_gives_optional_fields_a_default_and_infers_unannotated_ones():
    schema = find_schemas(program_of(PYDANTIC_1), pydantic_major=1)[0]
    # pydantic 1.10: {n: f.required for n, f in User.__fields__.items()}, after creation
    assert {f.name: f.required for f in schema.fields} == {
        "a": True, "b": False, "c": False, "d": True, "e": False, "tags": False, "name": True,
    }  # fmt: skip
    assert (schema.is_orm, schema.extra) == (True, "forbid")
    assert schema.by_name["tags"].constraints == {"max_length": 3}
    assert schema.by_name["name"].constraints == {"pattern": "^x"}
    assert [(v.mode, v.fields) for v in schema.validators] == [("before", ("a",)), ("after", ())]


@pytest.mark.parametrize(
    ("text", "kind", "required"),
    [
        ("from dataclasses import dataclass, field\n@dataclass\nclass D:\n    a: int\n    b: list = field(default_factory=list)\n", "dataclass", {"a": True, "b": False}),
        ("from pydantic.dataclasses import dataclass\n@dataclass\nclass D:\n    a: int = 1\n", "pydantic-dataclass", {"a": False}),
        ("from typing import TypedDict\nclass D(TypedDict, total=False):\n    a: int\n", "typeddict", {"a": False}),
    ],
)  # fmt: skip
def test_dataclasses_and_typed_dictionaries_are_schemas_when_asked_for(text, kind, required):
    program = program_of(text)
    schema = read_schema(program, program.classes[0])
    assert schema.kind == kind
    assert {f.name: f.required for f in schema.fields} == required


def test_settings_and_plain_classes_are_no_schemas():
    program = program_of("""
    from pydantic_settings import BaseSettings
    class Settings(BaseSettings):
        a: int
    class Plain: pass
    """)
    assert find_schemas(program) == ()
    assert read_schema(program, program.classes[1]) is None
