"""Which parameter is an application or a router that nobody in the tree creates?

    def add_pages(app: FastAPI) -> None:
        @app.get("/{name:path}")
        def page(name: str): ...

Where no caller is known that passes one in, the parameter itself stands for it, in the outermost function that receives
it: what is registered on it is known, what stands around it is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.appgraph.router_objects import EMPTY, Environment, RouterObject, RouterObjects
from fastapi_architect.program.definitions import Class, Function, Scope
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 8
#: Names of which a file must contain one, where a parameter's annotation does not say that it is an application.
_IMPORTED = ("fastapi", "starlette")


class BorrowedApplications:
    """Finds parameters that stand for applications."""

    def __init__(self, program: Program, objects: RouterObjects) -> None:
        self._program = program
        self._inference = program.inference
        self._objects = objects
        self._made: dict[int, RouterObject] = {}

    def targets(
        self, expr: ir.Expr, scope: Scope, *, is_certain: bool
    ) -> list[tuple[RouterObject, Environment]]:
        """What an expression stands for, each with the environment of the calls on the way.

        Args:
            expr: what a method is called on, which leads to no creating call.
            scope: where it stands.
            is_certain: the call can only concern an application, so that the parameter needs no annotation.
        """
        is_named = is_certain and any(scope.module.mentions(name) for name in _IMPORTED)
        return list(self._targets(expr, scope, is_named, 0))

    def _targets(
        self, expr: ir.Expr, scope: Scope, is_named: bool, depth: int
    ) -> Iterator[tuple[RouterObject, Environment]]:
        if depth > _MAX_DEPTH:
            return
        if isinstance(expr, ir.Name):
            owner, bindings = self._inference.bindings_of(expr, scope) or (scope, [])
            for binding in bindings:
                if isinstance(binding.node, ir.Param) and isinstance(owner, Function):
                    yield from self._parameter(binding.node, owner, is_named, depth)
                elif (
                    binding.kind in ("assign", "annotated") and binding.value is not None and not binding.path
                ):
                    yield from self._targets(binding.value, owner, is_named, depth + 1)
        elif isinstance(expr, ir.Attribute):
            for of in options(self._inference.type_of(expr.value, scope)):
                if isinstance(of, Instance) and isinstance(of.cls, Class):
                    for value, method in self._inference.attribute_assignments(of.cls, expr.attr):
                        if value is not None:
                            yield from self._targets(value, method, is_named, depth + 1)

    def _parameter(
        self, param: ir.Param, function: Function, is_named: bool, depth: int
    ) -> Iterator[tuple[RouterObject, Environment]]:
        if function.is_method and function.parameters[0] is param:
            return
        found = False
        for site in self._program.calls.callers_of_any_override(function):
            given = self._objects.given(param, function, site.node)
            if given is None or site.scope.module.kind == "test":
                continue
            for each, way in self._targets(given, site.scope, is_named, depth + 1):
                found = True
                yield each, self._objects.of_call(function, site.node, site.scope, way)
        if not found:
            borrowed = self._standing_for(param, function, is_named)
            if borrowed is not None:
                yield borrowed, EMPTY

    def _standing_for(self, param: ir.Param, function: Function, is_named: bool) -> RouterObject | None:
        known = self._made.get(id(param))
        if known is not None:
            return known
        of = self._inference.parameter_type(param, function)
        classes = [o.cls for o in options(of) if isinstance(o, Instance) and self._objects.kind_of(o.cls)]
        if not classes and (of is not None or not is_named):
            return None
        cls = classes[0] if classes else "fastapi.FastAPI"
        scope = function.parent or function.module
        creation = ir.Call(param.span, ir.Name(param.span, param.name), [], [])
        self._program.keep(creation)
        made = RouterObject(self._objects.kind_of(cls), creation, scope, EMPTY, cls, param.name)
        self._made[id(param)] = made
        return made
