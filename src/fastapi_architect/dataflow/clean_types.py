"""Types whose values cannot carry an attack: numbers, identifiers with a fixed form, dates, members of closed sets."""

from __future__ import annotations

from fastapi_architect.program.class_hierarchy import ClassHierarchy
from fastapi_architect.program.definitions import Class
from fastapi_architect.program.types import Instance, Type, Union

#: `HttpUrl`, `EmailStr`, `Path`, `SecretStr` are left out on purpose: their values are the attacker's text.
CLEAN_CLASSES = frozenset(
    {
        "builtins.int",
        "builtins.float",
        "builtins.bool",
        "builtins.complex",
        "builtins.None",
        "typing.Literal",
        "uuid.UUID",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "decimal.Decimal",
        "fractions.Fraction",
        "ipaddress.IPv4Address",
        "ipaddress.IPv6Address",
        "ipaddress.IPv4Network",
        "ipaddress.IPv6Network",
        "zoneinfo.ZoneInfo",
        "pydantic.PositiveInt",
        "pydantic.NonNegativeInt",
        "pydantic.NegativeInt",
        "pydantic.NonPositiveInt",
        "pydantic.StrictInt",
        "pydantic.PositiveFloat",
        "pydantic.NonNegativeFloat",
        "pydantic.NegativeFloat",
        "pydantic.NonPositiveFloat",
        "pydantic.StrictFloat",
        "pydantic.StrictBool",
        "pydantic.FiniteFloat",
        "pydantic.ByteSize",
        "pydantic.UUID1",
        "pydantic.UUID3",
        "pydantic.UUID4",
        "pydantic.UUID5",
        "pydantic.UUID7",
        "pydantic.FutureDate",
        "pydantic.PastDate",
        "pydantic.AwareDatetime",
        "pydantic.NaiveDatetime",
        "pydantic.FutureDatetime",
        "pydantic.PastDatetime",
        "builtins.range",
    }
)
_CONTAINERS = frozenset(
    {
        "builtins.list",
        "builtins.tuple",
        "builtins.set",
        "builtins.frozenset",
        "builtins.dict",
        "collections.abc.Sequence",
        "collections.abc.Iterable",
        "collections.abc.Iterator",
        "collections.abc.Set",
        "collections.abc.Mapping",
        "builtins.enumerate",
        "builtins.zip",
    }
)


class CleanTypes:
    """Judges types; what is known of classes is kept, which are cheaper to look up than types."""

    def __init__(self, hierarchy: ClassHierarchy) -> None:
        self._hierarchy = hierarchy
        self._closed: dict[Class | str, bool] = {}

    def is_clean(self, of: Type | None) -> bool:
        """Every alternative is clean; False when nothing is known."""
        if of is None:
            return False
        if type(of) is Union:
            return all(map(self._option, of.options))
        return self._option(of)

    def _option(self, option: Type) -> bool:
        if type(option) is not Instance:
            return False
        cls = option.cls
        if cls in _CONTAINERS:
            return bool(option.args) and all(map(self.is_clean, option.args))
        known = self._closed.get(cls)
        if known is None:
            known = cls in CLEAN_CLASSES or self._hierarchy.is_subclass(cls, "enum.Enum")
            self._closed[cls] = known
        return known
