"""Types of columns, from `String(50)`, `Mapped[int]` and the like, for models, core tables and migrations
alike.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.declarations import NOWHERE, called, has_library_ancestor, keyword, origin
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import (
    ClassRef,
    FunctionRef,
    Instance,
    Type,
    may_be_none,
    options,
    without_none,
)
from fastapi_architect.syntax import ir


class ColumnType(msgspec.Struct, frozen=True):
    """The type of a column.

    Attributes:
        name: class name as SQLAlchemy spells it: Integer, String, JSONB, ...; that of a `TypeDecorator` of
            the program.
        length: of String, LargeBinary and the like; None when without limit or not known.
        precision: of Numeric and Float.
        scale: of Numeric.
        timezone: of DateTime, Time and TIMESTAMP; None for other types.
        values: of an Enum with literal values.
        enum: class of the program behind an Enum.
        item: element type of an ARRAY.
        impl: for a `TypeDecorator` the name of the type it stores; otherwise `name`.
        enum_name: name of the database's enumeration type.
        native: an Enum that is an enumeration in the database too; False when stored as a string.
    """

    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    timezone: bool | None = None
    values: tuple[str, ...] = ()
    enum: Class | None = None
    item: ColumnType | None = None
    impl: str = ""
    enum_name: str | None = None
    native: bool = True

    @property
    def written(self) -> str:
        """As a migration writes it: `sa.String(200)`; `...` for what is no type of SQLAlchemy's own."""
        if self.name not in _OWN_TYPES:
            return "..."
        return f"sa.{self.name}({self.length if self.length is not None else ''})"

    @property
    def family(self) -> str:
        """What it stores: integer, string, text, numeric, float, boolean, datetime, date, time, interval,
        binary, json,
        uuid, enum, array, or other."""
        found = _FAMILIES.get((self.impl or self.name).upper(), "other")
        return "string" if found == "enum" and not self.native else found


_OWN_TYPES = frozenset(
    {
        *("BigInteger", "Boolean", "Date", "DateTime", "Float", "Integer", "Interval", "JSON", "LargeBinary"),
        *("Numeric", "SmallInteger", "String", "Text", "Time", "Unicode", "UnicodeText", "Uuid"),
    }
)

_FAMILIES = {
    name: family
    for family, names in {
        "integer": "INTEGER INT BIGINTEGER BIGINT SMALLINTEGER SMALLINT TINYINT MEDIUMINT SERIAL BIGSERIAL",
        "string": "STRING VARCHAR NVARCHAR UNICODE CHAR NCHAR AUTOSTRING STRINGENCRYPTEDTYPE",
        "text": "TEXT UNICODETEXT CLOB LONGTEXT MEDIUMTEXT TINYTEXT CITEXT",
        "numeric": "NUMERIC DECIMAL MONEY",
        "float": "FLOAT REAL DOUBLE DOUBLE_PRECISION",
        "boolean": "BOOLEAN BOOL",
        "datetime": "DATETIME TIMESTAMP TIMESTAMPTZ DATETIME2",
        "date": "DATE",
        "time": "TIME",
        "interval": "INTERVAL",
        "binary": "LARGEBINARY BYTEA BLOB BINARY VARBINARY LONGBLOB MEDIUMBLOB PICKLETYPE",
        "json": "JSON JSONB",
        "uuid": "UUID GUID UUIDTYPE",
        "enum": "ENUM CHOICETYPE",
        "array": "ARRAY",
    }.items()
    for name in names.split()
}

#: SQLAlchemy's default `type_annotation_map`, by canonical names.
_BY_PYTHON = {
    "builtins.int": "Integer",
    "builtins.str": "String",
    "builtins.float": "Float",
    "builtins.bool": "Boolean",
    "builtins.bytes": "LargeBinary",
    "datetime.datetime": "DateTime",
    "datetime.date": "Date",
    "datetime.time": "Time",
    "datetime.timedelta": "Interval",
    "decimal.Decimal": "Numeric",
    "uuid.UUID": "Uuid",
    "typing.Literal": "Enum",
    "pydantic.EmailStr": "String",
    "pydantic.HttpUrl": "String",
    "pydantic.AnyUrl": "String",
}
_TIMED = frozenset({"DateTime", "Time", "TIMESTAMP", "DATETIME", "TIME"})
_SIZED = frozenset(
    [
        "String",
        "VARCHAR",
        "NVARCHAR",
        "Unicode",
        "CHAR",
        "NCHAR",
        "Text",
        "TEXT",
        "UnicodeText",
        "LargeBinary",
        "BINARY",
        "VARBINARY",
        "AutoString",
    ]
)
_NUMERIC = frozenset({"Numeric", "NUMERIC", "DECIMAL", "Float", "FLOAT", "Double", "DOUBLE", "REAL"})


def of_expression(program: Program, expr: ir.Expr | None, scope: Scope, depth: int = 0) -> ColumnType | None:
    """The type that `String(50)`, `sa.Integer`, `JSONB()`, `MutableDict.as_mutable(JSONB)` mean; None when
    not a type.
    """
    if expr is None:
        return None
    if isinstance(expr, ir.Name | ir.Attribute):
        expr, scope = program.inference.expand(expr, scope)
    if isinstance(expr, ir.Call):
        return _of_call(program, expr, scope, depth)
    if isinstance(expr, ir.Name | ir.Attribute):
        return _of_class(program, expr, scope)
    return None


def _of_class(program: Program, expr: ir.Expr, scope: Scope) -> ColumnType | None:
    for of in options(program.inference.type_of(expr, scope)):
        if isinstance(of, ClassRef) and isinstance(of.cls, Class):
            return of_class(program, of.cls)
    name = origin(program, expr, scope).name
    if not name[:1].isupper():
        return None
    return ColumnType(name, timezone=False if name in _TIMED else None, impl=name)


def of_class(program: Program, cls: Class) -> ColumnType:
    """A `TypeDecorator` or type of the program."""
    for entry in program.inference.hierarchy.order(cls):
        if not isinstance(entry.cls, Class):
            continue
        bound = entry.cls.facts.bindings.get("impl")
        if bound and bound[-1].value is not None:
            inner = of_expression(program, bound[-1].value, entry.cls)
            if inner is not None:
                return replace(inner, name=cls.name, impl=inner.impl or inner.name)
    for entry in program.inference.hierarchy.order(cls):
        if isinstance(entry.cls, str) and entry.cls.startswith("sqlalchemy"):
            return ColumnType(cls.name, impl=entry.cls.rpartition(".")[2])
    return ColumnType(cls.name, impl=cls.name)


def _of_call(program: Program, call: ir.Call, scope: Scope, depth: int) -> ColumnType | None:
    method = last_name(call.func)
    if method in ("with_variant", "evaluates_none", "as_generic") and isinstance(call.func, ir.Attribute):
        return of_expression(program, call.func.value, scope, depth + 1)
    if method == "as_mutable":
        return of_expression(program, argument(call, 0, "sqltype"), scope, depth + 1)
    returned = _returned(program, call, scope, depth) if depth < 5 else None
    if returned is not None:
        return returned
    base = _of_class(program, call.func, scope)
    if base is None:
        return None
    kind = base.impl or base.name
    if kind in _SIZED:
        return replace(base, length=_integer(program, argument(call, 0, "length"), scope) or base.length)
    if kind in _NUMERIC:
        precision = _integer(program, argument(call, 0, "precision"), scope)
        return replace(base, precision=precision, scale=_integer(program, argument(call, 1, "scale"), scope))
    if kind in _TIMED:
        value = program.constants.value(argument(call, 0, "timezone"), scope)
        return replace(base, timezone=value if isinstance(value, bool) else False)
    if kind in ("Enum", "ENUM"):
        return _enum(program, call, scope, base)
    if kind == "ARRAY":
        return replace(base, item=of_expression(program, argument(call, 0, "item_type"), scope))
    return base


def _returned(program: Program, call: ir.Call, scope: Scope, depth: int) -> ColumnType | None:
    """The type that a function of the program makes: `def CustomJSON(): return sa.JSON().with_variant(...)`."""
    for of in options(program.inference.type_of(call.func, scope)):
        if isinstance(of, FunctionRef):
            sites = of.function.facts.sites(ir.Return)
            return (
                of_expression(program, sites[0].node.value, of.function, depth + 1)
                if len(sites) == 1
                else None
            )
    return None


def _enum(program: Program, call: ir.Call, scope: Scope, base: ColumnType) -> ColumnType:
    enum_name = program.constants.string(keyword(call, "name"), scope)
    base = replace(base, native=program.constants.value(keyword(call, "native_enum"), scope) is not False)
    if call.args:
        for of in options(program.inference.type_of(call.args[0], scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                return replace(
                    base, enum=of.cls, values=enum_members(of.cls), enum_name=enum_name or of.cls.name.lower()
                )
    values: list[Any] = []
    for each in call.args:
        value = program.constants.value(each.value if isinstance(each, ir.Starred) else each, scope)
        values += value if isinstance(value, list | tuple) else [value]
    return replace(base, values=tuple(v for v in values if isinstance(v, str)), enum_name=enum_name)


def enum_members(cls: Class) -> tuple[str, ...]:
    """Names of an enumeration's members, as SQLAlchemy stores them."""
    bindings = cls.facts.bindings.items()
    return tuple(name for name, bound in bindings if bound[-1].kind == "assign" and not name.startswith("_"))


def _integer(program: Program, expr: ir.Expr | None, scope: Scope) -> int | None:
    value = program.constants.value(expr, scope)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def of_python_type(program: Program, of: Type | None) -> ColumnType | None:
    """The column type that SQLAlchemy chooses for a Python type, or None."""
    for option in options(without_none(of)):
        if not isinstance(option, Instance):
            continue
        if isinstance(option.cls, Class):
            if has_library_ancestor(program, option.cls, "enum", *_ENUMS):
                cls = option.cls
                return ColumnType(
                    "Enum", enum=cls, values=enum_members(cls), impl="Enum", enum_name=cls.name.lower()
                )
            continue
        name = _BY_PYTHON.get(option.name)
        if name is not None:
            return ColumnType(name, timezone=False if name in _TIMED else None, impl=name)
    return None


_ENUMS = ("Enum", "StrEnum", "IntEnum", "Flag", "IntFlag")


def is_optional(of: Type | None) -> bool:
    """A value of this type may be None."""
    return may_be_none(of)


def is_type_expression(program: Program, expr: ir.Expr, scope: Scope) -> bool:
    """A positional argument of `Column(...)` that is a type rather than a name, key or constraint."""
    if isinstance(expr, ir.Constant | ir.Sequence | ir.Dict):
        return False
    of = called(program, expr, scope) if isinstance(expr, ir.Call) else NOWHERE
    return of.name not in NOT_TYPES


#: What may stand in `Column(...)` besides a type.
NOT_TYPES = frozenset(
    [
        "ForeignKey",
        "Identity",
        "Computed",
        "Sequence",
        "FetchedValue",
        "DefaultClause",
        "CheckConstraint",
        "UniqueConstraint",
        "Constraint",
        "PrimaryKeyConstraint",
        "ForeignKeyConstraint",
        "Index",
        "ColumnDefault",
    ]
)
