"""Types whose values cannot carry an attack: numbers, identifiers with a fixed form, dates, members of closed sets."""

from __future__ import annotations

from fastapi_architect.program.class_hierarchy import ClassHierarchy
from fastapi_architect.program.types import Instance, Type, options

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
    """Judges types; answers are kept."""

    def __init__(self, hierarchy: ClassHierarchy) -> None:
        self._hierarchy = hierarchy
        self._known: dict[Type, bool] = {}

    def is_clean(self, of: Type | None) -> bool:
        """Every alternative is clean; False when nothing is known."""
        if of is None:
            return False
        known = self._known.get(of)
        if known is None:
            known = self._known[of] = all(self._option(option) for option in options(of))
        return known

    def _option(self, option: Type) -> bool:
        if not isinstance(option, Instance):
            return False
        if isinstance(option.cls, str):
            if option.cls in CLEAN_CLASSES:
                return True
            if option.cls in _CONTAINERS:
                return bool(option.args) and all(self.is_clean(each) for each in option.args)
        return self._hierarchy.is_subclass(option.cls, "enum.Enum")
