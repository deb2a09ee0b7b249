"""What a value must fulfil, as Pydantic and `annotated_types` say it, under one set of names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi_architect.appgraph.declarations import (
    annotated_parts,
    annotation_heads,
    called,
    is_none,
    known,
    origin,
    subscript_elements,
)
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.syntax import ir

#: Other spellings of a constraint: Pydantic v1, `annotated_types`, SQLModel.
_CANONICAL = {
    "min_items": "min_length",
    "max_items": "max_length",
    "regex": "pattern",
    "curtail_length": "max_length",
    "max_size": "max_length",
    "min_size": "min_length",
}
NAMES = frozenset(
    [
        "min_length",
        "max_length",
        "ge",
        "gt",
        "le",
        "lt",
        "multiple_of",
        "pattern",
        "max_digits",
        "decimal_places",
        "strict",
        "allow_inf_nan",
        "strip_whitespace",
        "to_lower",
        "to_upper",
        "unique_items",
    ]
)

#: Types that are constrained by their name.
_BY_TYPE: dict[str, dict[str, Any]] = {
    "PositiveInt": {"gt": 0},
    "PositiveFloat": {"gt": 0},
    "NegativeInt": {"lt": 0},
    "NegativeFloat": {"lt": 0},
    "NonNegativeInt": {"ge": 0},
    "NonNegativeFloat": {"ge": 0},
    "NonPositiveInt": {"le": 0},
    "NonPositiveFloat": {"le": 0},
    "FiniteFloat": {"allow_inf_nan": False},
    "StrictStr": {"strict": True},
    "StrictInt": {"strict": True},
    "StrictFloat": {"strict": True},
    "StrictBool": {"strict": True},
    "StrictBytes": {"strict": True},
}
#: Types whose names nobody gives to one of those.
_PLAIN = frozenset(
    {"str", "int", "float", "bool", "bytes", "dict", "list", "date", "datetime", "UUID", "Any"}
)
_CONSTRAINED_CALLS = frozenset(
    [
        "constr",
        "conint",
        "confloat",
        "condecimal",
        "conbytes",
        "conlist",
        "conset",
        "confrozenset",
        "condate",
        "StringConstraints",
        "Interval",
    ]
)
_POSITIONAL = {
    "MinLen": ("min_length",),
    "MaxLen": ("max_length",),
    "Len": ("min_length", "max_length"),
    "Ge": ("ge",),
    "Gt": ("gt",),
    "Le": ("le",),
    "Lt": ("lt",),
    "MultipleOf": ("multiple_of",),
}
_FIELD_CALLS = frozenset({"Field", "Query", "Path", "Header", "Cookie", "Body", "Form", "File"})


def of_keywords(program: Program, call: ir.Call, scope: Scope) -> dict[str, Any]:
    """Constraints among the keyword arguments of a call such as `Field(min_length=3)`.

    A value that is not a constant is `UNKNOWN`: the constraint is there, its size is not known.
    """
    found: dict[str, Any] = {}
    for each in call.keywords:
        name = _CANONICAL.get(each.arg or "", each.arg or "")
        if name in NAMES and not is_none(each.value):
            found[name] = program.constants.value(each.value, scope)
    return found


def of_annotation(program: Program, annotation: ir.Expr | None, scope: Scope) -> dict[str, Any]:
    """Constraints that an annotation carries: `Annotated` metadata, `constr(...)`, `PositiveInt`."""
    parts = [program.inference.expand(*part) for part in annotated_parts(program, annotation, scope)]
    return of_parts(program, annotation_heads(program, annotation, scope), parts)


def of_parts(
    program: Program, heads: Iterable[tuple[ir.Expr, Scope]], metadata: Iterable[tuple[ir.Expr, Scope]]
) -> dict[str, Any]:
    """The same, of an annotation that is taken apart: its plain types, and its metadata behind their names."""
    found: dict[str, Any] = {}
    for head, where in heads:
        if isinstance(head, ir.Call):
            if called(program, head, where).name in _CONSTRAINED_CALLS:
                found.update(of_keywords(program, head, where))
        elif isinstance(head, ir.Name | ir.Attribute) and last_name(head) not in _PLAIN:
            found.update(_BY_TYPE.get(origin(program, head, where).name, {}))
    for part, where in metadata:
        for name, value in _of_metadata(program, part, where).items():
            found.setdefault(
                name, value
            )  # the outermost metadata is what a reader sees last, and Pydantic applies
    return found


def _of_metadata(program: Program, part: ir.Expr, scope: Scope) -> dict[str, Any]:
    if not isinstance(part, ir.Call):
        return {}
    name = called(program, part, scope).name
    if name in _FIELD_CALLS or name in _CONSTRAINED_CALLS:
        return of_keywords(program, part, scope)
    names = _POSITIONAL.get(name, ())
    found: dict[str, Any] = {}
    for position, constraint in enumerate(names):
        expr = argument(part, position, constraint)
        value = program.constants.value(expr, scope) if expr is not None else None
        if value is not None:
            found[constraint] = value
    return found


def of_elements(program: Program, heads: Iterable[tuple[ir.Expr, Scope]]) -> dict[str, Any]:
    """Constraints on the elements of a list, set or sequence: those of `T` in `list[T]`.

    `heads` are an annotation's plain types.
    """
    found: dict[str, Any] = {}
    for head, where in heads:
        parts = subscript_elements(head)
        if isinstance(head, ir.Subscript) and parts and last_name(head.value).lower() in _COLLECTIONS:
            found.update(of_annotation(program, parts[0], where))
        elif isinstance(head, ir.Call) and last_name(head.func) in ("conlist", "conset", "confrozenset"):
            found.update(of_annotation(program, argument(head, 0, "item_type"), where))
    return found


_COLLECTIONS = frozenset({"list", "set", "frozenset", "sequence", "tuple", "iterable"})


def constant(constraints: dict[str, Any], name: str) -> Any:
    """A constraint's value, None when it is absent or not a constant."""
    return known(constraints.get(name, UNKNOWN))
