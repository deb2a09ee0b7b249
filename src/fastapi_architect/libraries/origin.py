"""Where an object was made: the calls whose results a name or an attribute holds."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.program.definitions import Class, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

_MAX_STEPS = 6


def creations(program: Program, expr: ir.Expr | None, scope: Scope) -> Iterator[tuple[ir.Call, Scope]]:
    """Calls that `expr` may be the result of, each with the scope it is read in.

    Follows assignments, `with` targets, parameters' defaults and attributes assigned on `self`; gives up
    after a few steps.
    """
    yield from _creations(program, expr, scope, 0)


def _creations(
    program: Program, expr: ir.Expr | None, scope: Scope, steps: int
) -> Iterator[tuple[ir.Call, Scope]]:
    if expr is None or steps > _MAX_STEPS:
        return
    if expr.__class__ is ir.Call:
        yield expr, scope
        return
    if expr.__class__ is ir.Await:
        yield from _creations(program, expr.value, scope, steps + 1)
        return
    if expr.__class__ not in (ir.Name, ir.Attribute):
        return
    found = program.inference.bindings_of(expr, scope)
    if found is not None:
        owner, bindings = found
        for binding in bindings:
            if binding.kind in ("assign", "annotated", "walrus", "with", "parameter") and not binding.path:
                yield from _creations(program, binding.value, owner, steps + 1)
    elif expr.__class__ is ir.Attribute:
        for of in options(program.inference.type_of(expr.value, scope)):
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                for value, method in program.inference.attribute_assignments(of.cls, expr.attr):
                    yield from _creations(program, value, method, steps + 1)
