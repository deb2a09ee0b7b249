"""What values an annotation allows: names, aliases, `Annotated`, unions, generics, quoted types, type variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi_architect.program import builtins
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.class_hierarchy import substitute
from fastapi_architect.program.definitions import Binding, Scope, dotted_name
from fastapi_architect.program.type_variables import variables_in
from fastapi_architect.program.types import (
    NONE,
    ClassRef,
    External,
    Instance,
    Type,
    TypeVariable,
    bounded,
    options,
    union,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.type_inference import TypeInference


class Annotations:
    """Reads annotations of one program."""

    def __init__(self, inference: TypeInference) -> None:
        self._inference = inference
        self._working: set[object] = set()
        self._aliases: dict[int, Type | None] = {}

    def is_type_variable(self, name: str, scope: Scope) -> bool:
        """`name` was made by `TypeVar(...)` or is a type parameter."""
        return isinstance(self.annotation(ir.Name(0, name), scope), TypeVariable)

    def annotation(self, expr: ir.Expr | None, scope: Scope | None) -> Type | None:
        """What values an annotation allows."""
        if expr is None or scope is None:
            return None
        if type(expr) is ir.Name or type(expr) is ir.Attribute:
            return self._named_annotation(expr, scope)
        if type(expr) is ir.Subscript:
            return self.subscripted(expr, scope)
        if type(expr) is ir.Constant:
            if expr.kind == "none":
                return NONE
            parsed = self._inference.parse(str(expr.value)) if expr.kind == "str" else None
            return self.annotation(parsed, scope)
        if type(expr) is ir.BinOp and expr.op == "|":
            return union(self.annotation(expr.left, scope), self.annotation(expr.right, scope))
        if type(expr) is ir.Call:
            of = self._inference.type_of(expr, scope)
            return of if isinstance(of, Instance) and not of.name.endswith("()") else None
        return None

    def _named_annotation(self, expr: ir.Expr, scope: Scope) -> Type | None:
        if type(expr) is ir.Name and scope.module.parsed.type_parameters:
            parameter = self._type_parameter(expr.id, scope)
            if parameter is not None:
                return parameter
        found = self._inference.bindings_of(expr, scope)
        if found is not None:
            owner, bindings = found
            last = bindings[-1]
            is_alias = last.kind == "assign" or (last.kind == "annotated" and last.declares_alias)
            if is_alias and last.value is not None and not last.path:
                return self._alias(last, owner)
        meant = self._inference.type_of(expr, scope)
        if type(meant) is ClassRef:
            return Instance(meant.cls, meant.args)
        found_types: list[Type | None] = []
        for of in options(meant):
            if type(of) is ClassRef:
                found_types.append(Instance(of.cls, of.args))
            elif type(of) is External:
                found_types.append(self._external_annotation(of.name))
            elif type(of) is TypeVariable:
                found_types.append(of)
        return union(*found_types)

    def _external_annotation(self, name: str) -> Type | None:
        if name == "typing.Self":
            return TypeVariable("Self")
        if name in ("typing.Any", "builtins.object"):
            return None
        return Instance(name)

    def _type_parameter(self, name: str, scope: Scope) -> Type | None:
        for parameter in scope.module.parsed.type_parameters:
            if parameter.name == name:
                return TypeVariable(name)
        return None

    def _alias(self, binding: Binding, owner: Scope) -> Type | None:
        value = binding.value
        key = id(binding)
        if key in self._aliases:
            return self._aliases[key]
        if key in self._working:
            return None
        self._working.add(key)
        try:
            of = (
                self._made_type(value, owner) if isinstance(value, ir.Call) else self.annotation(value, owner)
            )
        finally:
            self._working.discard(key)
        self._aliases[key] = of
        return of

    def _made_type(self, call: ir.Call, owner: Scope) -> Type | None:
        maker = dotted_name(call.func).rpartition(".")[2]
        if maker in ("TypeVar", "ParamSpec", "TypeVarTuple"):
            first = argument(call, 0, "name")
            return (
                TypeVariable(first.value)
                if isinstance(first, ir.Constant) and isinstance(first.value, str)
                else None
            )
        if maker == "NewType":
            return self.annotation(argument(call, 1, "tp"), owner)
        if maker == "TypeAliasType":
            return self.annotation(argument(call, 1, "value"), owner)
        of = self._inference.type_of(call, owner)
        return (
            Instance(of.cls, of.args)
            if isinstance(of, ClassRef)
            else of
            if isinstance(of, Instance)
            else None
        )

    def bound_of(self, variable: TypeVariable, scope: Scope) -> Type | None:
        """The bound of a type variable, or None."""
        for parameter in scope.module.parsed.type_parameters:
            if parameter.name == variable.name and parameter.bound is not None:
                return self.annotation(parameter.bound, scope.module)
        found = self._inference.bindings_of(ir.Name(0, variable.name), scope)
        if found is not None and isinstance(found[1][-1].value, ir.Call):
            bound = argument(found[1][-1].value, None, "bound")
            return self.annotation(bound, found[0]) if bound is not None else None
        return None

    def subscripted(self, expr: ir.Subscript, scope: Scope) -> Type | None:
        """What `X[...]` allows as an annotation."""
        elements: list[ir.Expr] = expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]
        if not elements:
            return None  # `Optional[()]`
        found: list[Type | None] = []
        for of in options(self._inference.type_of(expr.value, scope)):
            name = of.name if type(of) is External or type(of) is ClassRef else ""
            if name in builtins.TRANSPARENT:
                found.append(self.annotation(elements[0], scope))
            elif name == "typing.Optional":
                found += [self.annotation(elements[0], scope), NONE]
            elif name == "typing.Union":
                found += [self.annotation(each, scope) for each in elements]
            elif name == "typing.Literal":
                found.append(Instance("typing.Literal"))
            elif name == "builtins.type":
                for inner in options(self.annotation(elements[0], scope)):
                    if isinstance(inner, Instance):
                        found.append(ClassRef(inner.cls, inner.args))
                    else:
                        found.append(Instance("builtins.type", (inner,)))
            elif isinstance(of, ClassRef):
                found.append(Instance(of.cls, self.arguments(elements, scope)))
            elif isinstance(of, External):
                found.append(Instance(name, self.arguments(elements, scope)))
        if not found:
            alias = self._inference.bindings_of(expr.value, scope)
            if (
                alias is not None
                and alias[1][-1].kind in ("assign", "annotated")
                and alias[1][-1].value is not None
            ):
                return self._generic_alias(alias, elements, scope)
        return bounded(union(*found))

    def _generic_alias(
        self, alias: tuple[Scope, list[Binding]], elements: list[ir.Expr], scope: Scope
    ) -> Type | None:
        owner, bindings = alias
        of = self._alias(bindings[-1], owner)
        args = self.arguments(elements, scope)
        return substitute(of, dict(zip(variables_in(of), args, strict=False)))

    def arguments(self, elements: list[ir.Expr], scope: Scope) -> tuple[Type | None, ...]:
        """Types of the elements between brackets; ellipses left out."""
        kept = [e for e in elements if not (isinstance(e, ir.Constant) and e.kind == "ellipsis")]
        return tuple(self.annotation(each, scope) for each in kept)
