"""Type variables inside types: which there are, and what they stand for."""

from __future__ import annotations

from fastapi_architect.program.types import (
    ClassRef,
    Instance,
    Type,
    TypeVariable,
    Union,
    options,
    parts,
)


def variables_in(of: Type | None) -> list[str]:
    """Names of the type variables in a type, in order, each once."""
    found: dict[str, None] = {}
    stack = [of]
    while stack:
        current = stack.pop(0)
        if type(current) is TypeVariable:
            found[current.name] = None
        else:
            stack += parts(current)
    return list(found)


def unify(declared: Type | None, given: Type | None, known: dict[str, Type | None]) -> None:
    """Match a declared type with a given one and note what its variables stand for."""
    if declared is None or given is None:
        return
    if isinstance(declared, TypeVariable):
        known.setdefault(declared.name, given)
        return
    if isinstance(declared, Union):
        for option in declared.options:
            unify(option, given, known)
        return
    for option in options(given):
        if isinstance(declared, Instance | ClassRef) and declared.__class__ is option.__class__:
            for left, right in zip(declared.args, option.args, strict=False):
                unify(left, right, known)
        if (
            isinstance(declared, Instance)
            and declared.cls == "builtins.type"
            and declared.args
            and isinstance(option, ClassRef)
        ):
            unify(declared.args[0], Instance(option.cls, option.args), known)
