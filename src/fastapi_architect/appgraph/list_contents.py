"""What does a list hold that an application is given: routes, middleware?

Followed through names, functions that return it, `+`, `*`, and the `append`, `extend` and `+=` that build it up.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObjects, Value
from fastapi_architect.program.definitions import Class, Module, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 12
_COPYING = frozenset({"list", "tuple"})
_ASSIGNING = frozenset({"assign", "annotated", "augmented"})


class Content(msgspec.Struct, frozen=True, eq=False):
    """An element of a list, or (`is_list`) a list that the first one takes over and that could not be opened."""

    value: Value
    is_list: bool = False


class ListContents:
    """Opens lists."""

    def __init__(self, program: Program, objects: RouterObjects) -> None:
        self._inference = program.inference
        self._objects = objects

    def of(self, value: Value) -> list[Content]:
        """What the list holds, in the order in which it is written."""
        return list(self._list(value, 0))

    def elements(self, value: Value) -> list[Value]:
        """Its elements alone."""
        return [content.value for content in self.of(value) if not content.is_list]

    def _list(self, value: Value, depth: int) -> Iterator[Content]:
        expr, scope, environment = value.expr, value.scope, value.environment
        if depth > _MAX_DEPTH:
            return
        if isinstance(expr, ir.Sequence):
            for element in expr.elts:
                if isinstance(element, ir.Starred):
                    yield from self._list(Value(element.value, scope, environment), depth + 1)
                else:
                    yield Content(Value(element, scope, environment))
        elif isinstance(expr, ir.BinOp) and expr.op == "+":
            for side in (expr.left, expr.right):
                yield from self._list(Value(side, scope, environment), depth + 1)
        elif isinstance(expr, ir.BoolOp):
            for each in expr.values:
                yield from self._list(Value(each, scope, environment), depth + 1)
        elif isinstance(expr, ir.Call):
            yield from self._call(expr, scope, environment, depth + 1)
        elif isinstance(expr, ir.Name):
            yield from self._name(expr, scope, environment, depth + 1)
        else:
            behind = self._objects.named(value)
            yield from self._list(behind, depth + 1) if behind is not None else (Content(value, True),)

    def _call(self, expr: ir.Call, scope: Scope, environment: Environment, depth: int) -> Iterator[Content]:
        if isinstance(expr.func, ir.Name) and expr.func.id in _COPYING and expr.args:
            yield from self._list(Value(expr.args[0], scope, environment), depth)
            return
        for of in options(self._inference.type_of(expr.func, scope)):
            if isinstance(of, FunctionRef):
                way = self._objects.of_call(of.function, expr, scope, environment)
                for site in of.function.facts.sites(ir.Return):
                    if site.node.value is not None:
                        yield from self._list(Value(site.node.value, of.function, way), depth)

    def _name(self, expr: ir.Name, scope: Scope, environment: Environment, depth: int) -> Iterator[Content]:
        replaced = self._objects.substituted(expr, scope, environment)
        if replaced.expr is not expr:
            yield from self._list(replaced, depth)
            return
        owner, bindings = self._inference.bindings_of(expr, scope) or (scope, [])
        around = environment if owner is scope else EMPTY
        for binding in bindings:
            if binding.value is not None and not binding.path and binding.kind in _ASSIGNING:
                yield from self._list(Value(binding.value, owner, around), depth)
        if not isinstance(owner, Class):
            yield from self._added(expr.id, owner, around, depth)

    def _added(self, name: str, owner: Scope, environment: Environment, depth: int) -> Iterator[Content]:
        """`routes.append(Route(...))` in the body that makes the list, and in a module's functions."""
        bodies = [owner, *owner.functions] if isinstance(owner, Module) else [owner]
        for body in bodies:
            for site in body.facts.calls_named("append", "extend"):
                func = site.node.func
                if (
                    isinstance(func, ir.Attribute)
                    and isinstance(func.value, ir.Name)
                    and func.value.id == name
                    and site.node.args
                ):
                    given = Value(site.node.args[0], body, environment)
                    yield from (Content(given),) if func.attr == "append" else self._list(given, depth)
