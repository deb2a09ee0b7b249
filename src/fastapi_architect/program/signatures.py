"""What parameters receive and functions give: declared, injected, defaulted, inferred from returns and call sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.class_hierarchy import substitute
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.types import (
    NONE,
    STR,
    ClassRef,
    Coroutine,
    External,
    FunctionRef,
    Instance,
    Type,
    TypeVariable,
    options,
    parts,
    union,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.type_inference import TypeInference

#: How many call sites are asked for the type of a parameter without annotation.
_MAX_CALL_SITES = 12


class Signatures:
    """Parameters and results of one program's functions."""

    def __init__(self, inference: TypeInference) -> None:
        self._inference = inference
        self._returns: dict[int, Type | None] = {}
        self._parameters: dict[int, Type | None] = {}
        self._working: set[object] = set()

    def parameter_type(self, param: ir.Param, function: Function) -> Type | None:
        """What a parameter may be: declared, injected, defaulted, or seen at call sites."""
        key = id(param)
        if key in self._parameters:
            return self._parameters[key]
        if key in self._working:
            return None
        self._working.add(key)
        of = self._parameter_type(param, function)
        self._working.discard(key)
        self._parameters[key] = of
        return of

    def _parameter_type(self, param: ir.Param, function: Function) -> Type | None:
        if function.is_method and function.parameters and function.parameters[0] is param:
            return self._called_on_class(param, function) or self._self_type(function)
        if param.kind == "vararg":
            of = (
                self._inference.annotations.annotation(param.annotation, function.parent)
                if param.annotation is not None
                else None
            )
            return Instance("builtins.list", (of,))
        if param.kind == "kwarg":
            return Instance("builtins.dict", (STR, None))
        if param.annotation is not None:
            of = self._inference.annotations.annotation(param.annotation, function.parent or function.module)
            if of is not None:
                return of
        if param.default is not None:
            of = self._default_type(param.default, function.parent or function.module)
            if of is not None and of != NONE:
                return of
        return self._from_call_sites(param, function)

    def _called_on_class(self, param: ir.Param, function: Function) -> Type | None:
        """`def update(order: OrderIn, db)` without `@staticmethod`: its callers write `Order.update(order, db)`."""
        if param.annotation is None or param.name in ("self", "cls", "mcs"):
            return None
        of = self._inference.annotations.annotation(param.annotation, function.parent or function.module)
        declared = [option.cls for option in options(of) if isinstance(option, Instance)]
        own = (
            [entry.cls for entry in self._inference.hierarchy.order(function.owner)] if function.owner else []
        )
        return of if declared and not any(cls in own for cls in declared) else None

    def _self_type(self, function: Function) -> Type:
        cls = function.owner
        assert cls is not None
        args = tuple(TypeVariable(name) for name in self._inference.hierarchy.variables(cls))
        if function.has_decorator("classmethod") or function.name in ("__new__", "__init_subclass__"):
            return ClassRef(cls, args)
        return Instance(cls, args)

    def _default_type(self, default: ir.Expr, scope: Scope) -> Type | None:
        provider = self.injected_provider(default, scope)
        if provider is not None:
            return self.provided(self._inference.type_of(provider, scope))
        return self._inference.type_of(default, scope)

    def injected_provider(self, expr: ir.Expr, scope: Scope) -> ir.Expr | None:
        """`get_db` for `Depends(get_db)`; None when `expr` is not an injection with a provider."""
        if not isinstance(expr, ir.Call):
            return None
        for of in options(self._inference.type_of(expr.func, scope)):
            name = of.name if type(of) is External or type(of) is ClassRef else ""
            if name and self._inference.library.is_injection(name):
                return argument(expr, 0, "dependency")
        return None

    def provided(self, provider: Type | None) -> Type | None:
        """What an injected provider gives: its call's result, awaited, and for a generator what it yields."""
        found = []
        for option in options(provider):
            if isinstance(option, FunctionRef):
                of = self._inference.awaited(self.return_type(option.function, option.receiver))
                found.append(self._inference.element_of(of) if option.function.is_generator else of)
            elif isinstance(option, ClassRef):
                found.append(Instance(option.cls, option.args))
            elif isinstance(option, Instance):
                of = self._inference.call_result(option, None, None)
                found.append(self._inference.awaited(of))
        return union(*found)

    def _from_call_sites(self, param: ir.Param, function: Function) -> Type | None:
        found = []
        position = function.parameters.index(param) - (1 if function.is_method else 0)
        for site in self._inference.program.call_sites_named(function.name)[:_MAX_CALL_SITES]:
            given = argument(site.node, position if param.kind in ("posonly", "normal") else None, param.name)
            if given is not None and function in self._inference.program.calls.targets(site):
                found.append(self._inference.type_of(given, site.scope))
        return union(*found)

    def return_type(self, function: Function, receiver: Type | None = None) -> Type | None:
        """What calling a function gives (a `Coroutine` for `async def`), type variables of the receiver filled in."""
        key = id(function)
        if key not in self._returns:
            if key in self._working:
                return None
            self._working.add(key)
            self._returns[key] = self._return_type(function)
            self._working.discard(key)
        of = self._returns[key]
        if (type(receiver) is Instance or type(receiver) is ClassRef) and function.owner is not None:
            of = self.seen_from(of, function.owner, receiver)
        return of

    def seen_from(self, of: Type | None, owner: Class, receiver: Instance | ClassRef) -> Type | None:
        """A type of `owner`, with its type variables filled in as the receiver fixes them."""
        if not isinstance(receiver.cls, Class) or not (type(of) is TypeVariable or parts(of)):
            return of
        own = dict(zip(self._inference.hierarchy.variables(receiver.cls), receiver.args, strict=False))
        for ancestor in self._inference.hierarchy.order(receiver.cls):
            if ancestor.cls is owner:
                known = {name: substitute(each, own) for name, each in ancestor.variables.items()}
                known["Self"] = Instance(receiver.cls, receiver.args)
                return substitute(of, known)
        return of

    def _return_type(self, function: Function) -> Type | None:
        node = function.node
        if node.returns is not None:
            of = self._inference.annotations.annotation(node.returns, function.parent or function.module)
            if self._says_little(function, node.returns, of):
                of = self._inferred_return(function) or of
        else:
            of = self._inferred_return(function)
        if function.has_decorator("contextmanager", "asynccontextmanager"):
            return Instance("contextlib.AbstractContextManager", (self._inference.element_of(of),))
        if node.is_async and not node.is_generator:
            return Coroutine(of)
        return of

    def _says_little(self, function: Function, written: ir.Expr, of: Type | None) -> bool:
        """`Any`, `Callable` or a base: a factory returns something of the program that is more than that."""
        if not isinstance(of, Instance):
            return bool(function.functions or function.classes) and last_name(written) == "Any"
        if isinstance(of.cls, Class):
            return "__call__" in of.cls.methods and bool(self._inference.hierarchy.subclasses(of.cls))
        return of.name == "collections.abc.Callable"

    def _inferred_return(self, function: Function) -> Type | None:
        facts = function.facts
        if function.is_generator:
            yielded = union(
                *(
                    self._inference.type_of(s.node.value, function)
                    for s in facts.sites(ir.Yield)
                    if s.node.value is not None
                )
            )
            return Instance("collections.abc.Iterator", (yielded,))
        returns = facts.sites(ir.Return)
        if not returns:
            return NONE
        return union(
            *(
                NONE if s.node.value is None else self._inference.type_of(s.node.value, function)
                for s in returns
            )
        )
