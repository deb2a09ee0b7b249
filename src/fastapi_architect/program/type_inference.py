"""Expression to type, on demand and memoised: names, attributes, calls, annotations, returns.

Flow-insensitive inside a body: a name is the union of everything bound to it. What lifts resolution most is here:
`Annotated` aliases, type arguments of generic bases, inferred returns, and the arguments of call sites for parameters
without an annotation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi_architect.program import builtins
from fastapi_architect.program.class_hierarchy import ClassHierarchy, Member, substitute
from fastapi_architect.program.definitions import Binding, Class, Function, Module, Scope, dotted_name
from fastapi_architect.program.library_model import LibraryModel
from fastapi_architect.program.types import (
    BOOL,
    NONE,
    STR,
    ClassRef,
    Coroutine,
    External,
    FunctionRef,
    Instance,
    ModuleRef,
    Partial,
    Type,
    TypeVariable,
    Union,
    options,
    union,
)
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_expression

if TYPE_CHECKING:
    from fastapi_architect.program.program import Program

#: How many call sites are asked for the type of a parameter without annotation.
_MAX_CALL_SITES = 12


class TypedCall:
    """A call being typed, as a library's function sees it (`library_model.CallContext`)."""

    __slots__ = ("_inference", "_scope", "node", "receiver")

    def __init__(
        self, inference: TypeInference, scope: Scope, node: ir.Call, receiver: Instance | ClassRef | None
    ):
        self._inference = inference
        self._scope = scope
        self.node = node
        self.receiver = receiver

    def argument(self, position: int | None, keyword: str | None = None) -> ir.Expr | None:
        """The argument at a position or of a name, or None."""
        return argument(self.node, position, keyword)

    def type_of(self, expr: ir.Expr) -> Type | None:
        """Type of an argument."""
        return self._inference.type_of(expr, self._scope)

    def called(self, of: Type) -> Type | None:
        """What calling a value of this type gives, whatever the arguments."""
        return self._inference.call_result(of, None, None)

    def class_named(self, name: str) -> Class | None:
        """The program's class of that name: of this module, else the only one; None when there is none or several."""
        found = [cls for cls in self._inference.program.classes if cls.name == name]
        here = [cls for cls in found if cls.module is self._scope.module]
        return here[-1] if here else found[0] if len(found) == 1 else None


def argument(call: ir.Call, position: int | None, keyword: str | None = None) -> ir.Expr | None:
    """The argument of `call` named `keyword`, else the one at `position` (none behind a `*` argument), else None."""
    if keyword is not None:
        for each in call.keywords:
            if each.arg == keyword:
                return each.value
    if position is not None and position < len(call.args):
        found = call.args[position]
        if not any(isinstance(a, ir.Starred) for a in call.args[: position + 1]):
            return found
    return None


class TypeInference:
    """Answers of types about one program."""

    def __init__(self, program: Program, library: LibraryModel) -> None:
        self.program = program
        self.library = library
        self.hierarchy = ClassHierarchy(self)
        self._types: dict[int, Type | None] = {}
        self._names: dict[tuple[int, str], Type | None] = {}
        self._returns: dict[int, Type | None] = {}
        self._parameters: dict[int, Type | None] = {}
        self._attributes: dict[int, dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]]] = {}
        self._strings: dict[str, ir.Expr | None] = {}
        self._working: set[object] = set()

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lookup(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """The scope that binds `name` as seen from `scope`, with its bindings, by Python's scoping rules."""
        current: Scope | None = scope
        while current is not None:
            facts = current.facts
            declared = facts.is_global.get(name)
            if declared == "global":
                current = current.module
                facts = current.facts
            elif declared == "nonlocal":
                current = current.parent
                continue
            bindings = facts.bindings.get(name)
            if bindings and (current is scope or not isinstance(current, Class)):
                return current, bindings
            current = current.parent
        return None

    def name_type(self, name: str, scope: Scope) -> Type | None:
        """What a name may be in a scope."""
        key = (id(scope), name)
        if key in self._names:
            return self._names[key]
        if key in self._working:
            return None
        self._working.add(key)
        found = self.lookup(name, scope)
        if found is not None:
            owner, bindings = found
            if len(bindings) == 1:
                of = self._binding_type(bindings[0], owner)
            else:
                of = union(*[self._binding_type(binding, owner) for binding in bindings])
        else:
            of = self._star_import(name, scope.module) or self._builtin(name)
        self._working.discard(key)
        self._names[key] = of
        return of

    def _builtin(self, name: str) -> Type | None:
        if name in builtins.CLASSES:
            return ClassRef(builtins.canonical(f"builtins.{name}"))
        return External(f"builtins.{name}") if name in builtins.FUNCTIONS else None

    def _star_import(self, name: str, module: Module) -> Type | None:
        for binding in module.facts.bindings.get("*", ()):
            source = self.program.module_of(module, binding.target)
            if isinstance(source, Module) and source is not module:
                found = self.module_attribute(source, name)
                if found is not None:
                    return found
        return None

    def bindings_of(self, expr: ir.Expr, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """The bindings that a name, or a name in a module, leads to; imports are followed to their end."""
        if isinstance(expr, ir.Name):
            found = self.lookup(expr.id, scope)
            if found is None:
                for star in scope.module.facts.bindings.get("*", ()):
                    source = self.program.module_of(scope.module, star.target)
                    if isinstance(source, Module) and expr.id in source.facts.bindings:
                        return self._follow(source, source.facts.bindings[expr.id], 0)
                return None
            return self._follow(*found, 0)
        if isinstance(expr, ir.Attribute):
            for of in options(self.type_of(expr.value, scope)):
                if isinstance(of, ModuleRef) and isinstance(of.module, Module):
                    bindings = of.module.facts.bindings.get(expr.attr)
                    if bindings:
                        return self._follow(of.module, bindings, 0)
                if isinstance(of, ClassRef | Instance):
                    member = self.hierarchy.member(of.cls, expr.attr)
                    if member is not None and isinstance(member.ancestor.cls, Class):
                        return member.ancestor.cls, list(member.bindings)
        return None

    def _follow(
        self, scope: Scope, bindings: list[Binding], depth: int
    ) -> tuple[Scope, list[Binding]] | None:
        last = bindings[-1]
        if last.kind != "from" or depth > 20:
            return scope, bindings
        source = self.program.module_of(scope.module, last.target)
        if not isinstance(source, Module):
            return scope, bindings
        found = source.facts.bindings.get(last.attribute)
        if not found:
            star = next(
                (
                    m
                    for b in source.facts.bindings.get("*", ())
                    if isinstance(m := self.program.module_of(source, b.target), Module)
                    and last.attribute in m.facts.bindings
                ),
                None,
            )
            return (
                self._follow(star, star.facts.bindings[last.attribute], depth + 1)
                if star is not None
                else (scope, bindings)
            )
        if source is scope and found is bindings:
            return scope, bindings
        return self._follow(source, found, depth + 1)

    def expand(self, expr: ir.Expr, scope: Scope) -> tuple[ir.Expr, Scope]:
        """Follow names to the one expression assigned to them: `CurrentUser` to `Annotated[User, Depends(...)]`.

        Stops at anything that is not a name with exactly one assignment; strings are parsed. Gives the expression and
        the scope it is to be read in.
        """
        for _ in range(20):
            if isinstance(expr, ir.Constant) and expr.kind == "str":
                parsed = self.parse(expr.value)
                if parsed is None:
                    return expr, scope
                expr = parsed
                continue
            found = self.bindings_of(expr, scope) if isinstance(expr, ir.Name | ir.Attribute) else None
            if found is None:
                return expr, scope
            owner, bindings = found
            if (
                len(bindings) != 1
                or bindings[0].kind not in ("assign", "annotated", "walrus")
                or bindings[0].path
            ):
                return expr, scope
            if bindings[0].value is None:
                return expr, scope
            expr, scope = bindings[0].value, owner
        return expr, scope

    def parse(self, text: str) -> ir.Expr | None:
        """A quoted annotation as an expression; the same object for the same text."""
        if text not in self._strings:
            self._strings[text] = parse_expression(text)
        return self._strings[text]

    # ── bindings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _binding_type(self, binding: Binding, scope: Scope) -> Type | None:
        kind = binding.kind
        if kind in ("assign", "walrus"):
            return self.take_apart(self.type_of(binding.value, scope), binding.path)
        if kind == "from":
            return self._imported(binding, scope.module)
        if kind == "import":
            return self._module_type(binding.target, scope.module)
        if kind == "function":
            return FunctionRef(binding.definition) if isinstance(binding.definition, Function) else None
        if kind == "class":
            return ClassRef(binding.definition) if isinstance(binding.definition, Class) else None
        if kind == "parameter":
            return self.parameter_type(binding.node, scope) if isinstance(scope, Function) else None
        if kind == "annotated":
            return self._annotated(binding, scope)
        if kind in ("loop", "comprehension"):
            return self.take_apart(self.element_of(self.type_of(binding.value, scope)), binding.path)
        if kind == "with":
            return self.take_apart(self.entered(self.type_of(binding.value, scope)), binding.path)
        if kind == "except" and binding.value is not None:
            return self.exception_type(binding.value, scope)
        return None

    def _annotated(self, binding: Binding, scope: Scope) -> Type | None:
        if binding.value is not None and dotted_name(binding.annotation).endswith("TypeAlias"):
            return self.type_of(binding.value, scope)
        return self.annotation(binding.annotation, scope) or (
            self.type_of(binding.value, scope) if binding.value is not None else None
        )

    def _imported(self, binding: Binding, module: Module) -> Type | None:
        source = self.program.module_of(module, binding.target)
        name = binding.attribute
        if source is None:
            if binding.target.startswith("."):
                return None
            return self._external(f"{binding.target}.{name}")
        if isinstance(source, Module):
            found = self.module_attribute(source, name)
            if found is not None:
                return found
        submodule = self.program.submodule(source, name)
        return ModuleRef(submodule) if submodule is not None else None

    def _external(self, name: str) -> Type:
        name = self.library.canonical(builtins.canonical(name))
        return ClassRef(name) if self.library.is_class(name) else External(name)

    def _module_type(self, target: str, module: Module) -> Type:
        found = self.program.module_of(module, target)
        return ModuleRef(found) if found is not None else External(target)

    def module_attribute(self, module: Module, name: str) -> Type | None:
        """What a name of a module is, seen from outside."""
        if name in module.facts.bindings:
            return self.name_type(name, module)
        found = self._star_import(name, module)
        if found is not None:
            return found
        submodule = self.program.submodule(module, name)
        return ModuleRef(submodule) if submodule is not None else None

    def take_apart(self, of: Type | None, path: tuple[int, ...]) -> Type | None:
        """The part of a value that a nested target receives."""
        for index in path:
            parts = []
            for option in options(of):
                if isinstance(option, Instance):
                    parts.append(
                        builtins.subscript(option, index if index >= 0 else None, is_slice=False)
                        if option.name == "builtins.tuple"
                        else self.element_of(option)
                    )
            of = union(*parts)
        return of

    def element_of(self, of: Type | None) -> Type | None:
        """What iterating over a value gives."""
        found = []
        for option in options(of):
            if isinstance(option, Instance):
                if isinstance(option.cls, Class):
                    found.append(self._project_element(option))
                else:
                    found.append(builtins.element(option))
        return union(*found)

    def _project_element(self, of: Instance) -> Type | None:
        for name in ("__iter__", "__aiter__"):
            member = self.hierarchy.member(of.cls, name)
            if member is not None and member.function is not None:
                return self.element_of(self.awaited(self.return_type(member.function, of)))
        return of.args[0] if of.args else None

    def entered(self, of: Type | None) -> Type | None:
        """What `with value as x` binds to x."""
        found = []
        for option in options(of):
            if not isinstance(option, Instance):
                continue
            if isinstance(option.cls, str):
                if option.name in (
                    "contextlib.AbstractContextManager",
                    "contextlib.AbstractAsyncContextManager",
                ):
                    found.append(option.args[0] if option.args else None)
                    continue
                member = self.hierarchy.library_member(option.cls, "__enter__")
                of_call = self.library.call_type(member) if member else None
                found.append(of_call if of_call is not None and not callable(of_call) else option)
                continue
            for name in ("__aenter__", "__enter__"):
                member = self.hierarchy.member(option.cls, name)
                if member is not None and member.function is not None:
                    found.append(self.awaited(self.return_type(member.function, option)))
                    break
            else:
                found.append(option)
        return union(*found)

    def exception_type(self, expr: ir.Expr, scope: Scope) -> Type | None:
        """Instance(s) of the class or tuple of classes in an `except` clause."""
        elements = expr.elts if isinstance(expr, ir.Sequence) else [expr]
        found = []
        for each in elements:
            for of in options(self.type_of(each, scope)):
                if isinstance(of, ClassRef):
                    found.append(Instance(of.cls))
                elif isinstance(of, External):
                    found.append(Instance(of.name))
        return union(*found)

    # ── parameters and returns ───────────────────────────────────────────────────────────────────────────────────

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
            return self._self_type(function)
        if param.kind == "vararg":
            of = self.annotation(param.annotation, function.parent) if param.annotation is not None else None
            return Instance("builtins.list", (of,))
        if param.kind == "kwarg":
            return Instance("builtins.dict", (STR, None))
        if param.annotation is not None:
            of = self.annotation(param.annotation, function.parent or function.module)
            if of is not None:
                return of
        if param.default is not None:
            of = self._default_type(param.default, function.parent or function.module)
            if of is not None and of != NONE:
                return of
        return self._from_call_sites(param, function)

    def _self_type(self, function: Function) -> Type:
        cls = function.owner
        assert cls is not None
        args = tuple(TypeVariable(name) for name in self.hierarchy.variables(cls))
        if function.has_decorator("classmethod") or function.name in ("__new__", "__init_subclass__"):
            return ClassRef(cls, args)
        return Instance(cls, args)

    def _default_type(self, default: ir.Expr, scope: Scope) -> Type | None:
        provider = self.injected_provider(default, scope)
        if provider is not None:
            return self.provided(self.type_of(provider, scope))
        return self.type_of(default, scope)

    def injected_provider(self, expr: ir.Expr, scope: Scope) -> ir.Expr | None:
        """`get_db` for `Depends(get_db)`; None when `expr` is not an injection with a provider."""
        if not isinstance(expr, ir.Call):
            return None
        for of in options(self.type_of(expr.func, scope)):
            name = of.name if isinstance(of, External | ClassRef) else ""
            if name and self.library.is_injection(name):
                return argument(expr, 0, "dependency")
        return None

    def provided(self, provider: Type | None) -> Type | None:
        """What an injected provider gives: its call's result, awaited, and for a generator what it yields."""
        found = []
        for option in options(provider):
            if isinstance(option, FunctionRef):
                of = self.awaited(self.return_type(option.function, option.receiver))
                found.append(self.element_of(of) if option.function.is_generator else of)
            elif isinstance(option, ClassRef):
                found.append(Instance(option.cls, option.args))
            elif isinstance(option, Instance):
                of = self.call_result(option, None, None)
                found.append(self.awaited(of))
        return union(*found)

    def _from_call_sites(self, param: ir.Param, function: Function) -> Type | None:
        found = []
        position = function.parameters.index(param) - (1 if function.is_method else 0)
        for site in self.program.call_sites_named(function.name)[:_MAX_CALL_SITES]:
            given = argument(site.node, position if param.kind in ("posonly", "normal") else None, param.name)
            if given is not None and function in self.program.calls.targets(site):
                found.append(self.type_of(given, site.scope))
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
        if isinstance(receiver, Instance | ClassRef) and function.owner is not None:
            of = self._seen_from(of, function.owner, receiver)
        return of

    def _seen_from(self, of: Type | None, owner: Class, receiver: Instance | ClassRef) -> Type | None:
        if not isinstance(receiver.cls, Class):
            return of
        own = dict(zip(self.hierarchy.variables(receiver.cls), receiver.args, strict=False))
        for ancestor in self.hierarchy.order(receiver.cls):
            if ancestor.cls is owner:
                known = {name: substitute(each, own) for name, each in ancestor.variables.items()}
                known["Self"] = Instance(receiver.cls, receiver.args)
                return substitute(of, known)
        return of

    def _return_type(self, function: Function) -> Type | None:
        node = function.node
        if node.returns is not None:
            of = self.annotation(node.returns, function.parent or function.module)
            if isinstance(of, Instance) and of.name == "collections.abc.Callable":
                # A factory: what it returns is a function of the program more often than not.
                of = self._inferred_return(function) or of
        else:
            of = self._inferred_return(function)
        if function.has_decorator("contextmanager") or function.has_decorator("asynccontextmanager"):
            return Instance("contextlib.AbstractContextManager", (self.element_of(of),))
        if node.is_async and not node.is_generator:
            return Coroutine(of)
        return of

    def _inferred_return(self, function: Function) -> Type | None:
        facts = function.facts
        if function.is_generator:
            yielded = union(
                *(
                    self.type_of(s.node.value, function)
                    for s in facts.sites(ir.Yield)
                    if s.node.value is not None
                )
            )
            return Instance("collections.abc.Iterator", (yielded,))
        returns = facts.sites(ir.Return)
        if not returns:
            return NONE
        return union(
            *(NONE if s.node.value is None else self.type_of(s.node.value, function) for s in returns)
        )

    def awaited(self, of: Type | None) -> Type | None:
        """What `await value` gives."""
        found = []
        for option in options(of):
            if isinstance(option, Coroutine):
                found.append(option.result)
            elif isinstance(option, Instance) and option.name in builtins.AWAITABLES:
                found.append(option.args[-1] if option.args else None)
            else:
                found.append(option)
        return union(*found)

    # ── annotations ──────────────────────────────────────────────────────────────────────────────────────────────

    def is_type_variable(self, name: str, scope: Scope) -> bool:
        """`name` was made by `TypeVar(...)` or is a type parameter."""
        return isinstance(self.annotation(ir.Name(0, name), scope), TypeVariable)

    def annotation(self, expr: ir.Expr | None, scope: Scope | None) -> Type | None:
        """What values an annotation allows."""
        if expr is None or scope is None:
            return None
        if isinstance(expr, ir.Constant):
            if expr.kind == "none":
                return NONE
            parsed = self.parse(expr.value) if expr.kind == "str" else None
            return self.annotation(parsed, scope)
        if isinstance(expr, ir.BinOp) and expr.op == "|":
            return union(self.annotation(expr.left, scope), self.annotation(expr.right, scope))
        if isinstance(expr, ir.Subscript):
            return self._subscripted(expr, scope)
        if isinstance(expr, ir.Name | ir.Attribute):
            return self._named_annotation(expr, scope)
        if isinstance(expr, ir.Call):
            of = self.type_of(expr, scope)
            return of if isinstance(of, Instance) and not of.name.endswith("()") else None
        return None

    def _named_annotation(self, expr: ir.Expr, scope: Scope) -> Type | None:
        if isinstance(expr, ir.Name):
            parameter = self._type_parameter(expr.id, scope)
            if parameter is not None:
                return parameter
        found = self.bindings_of(expr, scope)
        if found is not None:
            owner, bindings = found
            last = bindings[-1]
            is_alias = last.kind == "assign" or (
                last.kind == "annotated" and dotted_name(last.annotation).endswith("TypeAlias")
            )
            if is_alias and last.value is not None and not last.path:
                return self._alias(last, owner)
        found_types = []
        for of in options(self.type_of(expr, scope)):
            if isinstance(of, ClassRef):
                found_types.append(Instance(of.cls, of.args))
            elif isinstance(of, External):
                found_types.append(self._external_annotation(of.name))
            elif isinstance(of, TypeVariable):
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
        key = ("alias", id(binding))
        if key in self._working:
            return None
        self._working.add(key)
        try:
            if isinstance(value, ir.Call):
                return self._made_type(value, owner)
            return self.annotation(value, owner)
        finally:
            self._working.discard(key)

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
        of = self.type_of(call, owner)
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
        found = self.bindings_of(ir.Name(0, variable.name), scope)
        if found is not None and isinstance(found[1][-1].value, ir.Call):
            bound = argument(found[1][-1].value, None, "bound")
            return self.annotation(bound, found[0]) if bound is not None else None
        return None

    def _subscripted(self, expr: ir.Subscript, scope: Scope) -> Type | None:
        elements = expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]
        found = []
        for of in options(self.type_of(expr.value, scope)):
            name = of.name if isinstance(of, External | ClassRef) else ""
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
                    known = isinstance(inner, Instance)
                    found.append(
                        ClassRef(inner.cls, inner.args) if known else Instance("builtins.type", (inner,))
                    )
            elif isinstance(of, ClassRef):
                found.append(Instance(of.cls, self._arguments(elements, scope)))
            elif isinstance(of, External):
                found.append(Instance(name, self._arguments(elements, scope)))
        if not found:
            alias = self.bindings_of(expr.value, scope)
            if (
                alias is not None
                and alias[1][-1].kind in ("assign", "annotated")
                and alias[1][-1].value is not None
            ):
                return self._generic_alias(alias, elements, scope)
        return union(*found)

    def _generic_alias(
        self, alias: tuple[Scope, list[Binding]], elements: list[ir.Expr], scope: Scope
    ) -> Type | None:
        owner, bindings = alias
        of = self._alias(bindings[-1], owner)
        args = self._arguments(elements, scope)
        return substitute(of, dict(zip(_variables_in(of), args, strict=False)))

    def _arguments(self, elements: list[ir.Expr], scope: Scope) -> tuple[Type | None, ...]:
        kept = [e for e in elements if not (isinstance(e, ir.Constant) and e.kind == "ellipsis")]
        return tuple(self.annotation(each, scope) for each in kept)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────

    def reference(self, expr: ir.Expr, scope: Scope | None) -> Type | None:
        """The class or function that an expression in a class header or decorator means."""
        if scope is None:
            return None
        if isinstance(expr, ir.Subscript):
            of = self._subscripted(expr, scope)
            return union(*(ClassRef(o.cls, o.args) if isinstance(o, Instance) else o for o in options(of)))
        return self.type_of(expr, scope)

    def type_of(self, expr: ir.Expr | None, scope: Scope) -> Type | None:
        """What an expression may be, read in `scope`; None when not known."""
        if expr is None:
            return None
        if isinstance(expr, ir.Name):
            return self.name_type(expr.id, scope)
        key = id(expr)
        types = self._types
        if key in types:
            return types[key]
        compute = _COMPUTE.get(expr.__class__)
        if compute is None or key in self._working:
            return None
        self._working.add(key)
        try:
            of = compute(self, expr, scope)
        finally:
            self._working.discard(key)
        types[key] = of
        self.program.keep(expr)
        return of

    def _constant(self, expr: ir.Constant, _scope: Scope) -> Type | None:
        return NONE if expr.kind == "none" else Instance(f"builtins.{expr.kind}")

    def _attribute(self, expr: ir.Attribute, scope: Scope) -> Type | None:
        base = self.type_of(expr.value, scope)
        if base is None:
            return None
        if isinstance(base, Union):
            return union(*[self.member_type(option, expr.attr) for option in base.options])
        return self.member_type(base, expr.attr)

    def _subscript(self, expr: ir.Subscript, scope: Scope) -> Type | None:
        index = expr.slice.value if isinstance(expr.slice, ir.Constant) and expr.slice.kind == "int" else None
        found = []
        for of in options(self.type_of(expr.value, scope)):
            if isinstance(of, Instance):
                if isinstance(of.cls, Class):
                    member = self.hierarchy.member(of.cls, "__getitem__")
                    if member is not None and member.function is not None:
                        found.append(self.return_type(member.function, of))
                else:
                    found.append(builtins.subscript(of, index, isinstance(expr.slice, ir.Slice)))
            elif isinstance(of, ClassRef):
                elements = expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]
                found.append(ClassRef(of.cls, self._arguments(elements, scope)))
        return union(*found)

    def _call(self, expr: ir.Call, scope: Scope) -> Type | None:
        callee = self.type_of(expr.func, scope)
        if isinstance(expr.func, ir.Name) and expr.func.id == "super":
            return self._super(scope)
        if callee is None:
            return None
        if isinstance(callee, Union):
            return union(*[self.call_result(option, expr, scope) for option in callee.options])
        return self.call_result(callee, expr, scope)

    def _super(self, scope: Scope) -> Type | None:
        current: Scope | None = scope
        while current is not None and not (isinstance(current, Function) and current.owner is not None):
            current = current.parent
        if current is None or current.owner is None:
            return None
        bases = self.hierarchy.bases(current.owner)
        return Instance(bases[0].cls, bases[0].args) if bases else None

    def call_result(self, callee: Type, call: ir.Call | None, scope: Scope | None) -> Type | None:
        """What calling `callee` gives."""
        if isinstance(callee, FunctionRef):
            of = self.return_type(callee.function, callee.receiver)
            return self._unified(of, callee, call, scope) if call is not None and scope is not None else of
        if isinstance(callee, ClassRef | External):
            return self._constructed(callee, call, scope)
        if isinstance(callee, Partial):
            return self.call_result(callee.target, None, None)
        if isinstance(callee, Instance):
            member = self.hierarchy.member(callee.cls, "__call__") if isinstance(callee.cls, Class) else None
            if member is not None and member.function is not None:
                return self.return_type(member.function, callee)
            name = self.hierarchy.library_member(callee.cls, "__call__")
            return self._library_call(name, call, scope, callee) if name else None
        return None

    def _constructed(
        self, callee: ClassRef | External, call: ir.Call | None, scope: Scope | None
    ) -> Type | None:
        if isinstance(callee, ClassRef) and isinstance(callee.cls, Class):
            return Instance(callee.cls, callee.args)
        name = callee.name
        if name == "functools.partial" and call is not None and call.args and scope is not None:
            target = self.type_of(call.args[0], scope)
            return Partial(target) if target is not None else None
        receiver = callee.receiver if isinstance(callee, External) else callee
        of = self._library_call(name, call, scope, receiver)
        if of is not None:
            return of
        if isinstance(callee, ClassRef):
            return Instance(name, callee.args)
        return Instance(f"{name}()")

    def _library_call(
        self, name: str, call: ir.Call | None, scope: Scope | None, receiver: Instance | ClassRef | None
    ) -> Type | None:
        of = builtins.CALLS.get(name) or self.library.call_type(name)
        if of is None or not callable(of):
            return of
        if call is None or scope is None:
            return None
        return of(TypedCall(self, scope, call, receiver))

    def _unified(self, of: Type | None, callee: FunctionRef, call: ir.Call, scope: Scope) -> Type | None:
        """Fill a function's own type variables from the arguments: `def get(model: type[T]) -> T`."""
        names = _variables_in(of)
        if not names:
            return of
        known: dict[str, Type | None] = {}
        parameters = callee.function.parameters[1 if callee.function.is_method else 0 :]
        for position, param in enumerate(parameters):
            given = argument(call, position, param.name)
            if given is None or param.annotation is None:
                continue
            declared = self.annotation(param.annotation, callee.function.parent or callee.function.module)
            _unify(declared, self.type_of(given, scope), known)
        return substitute(of, {name: each for name, each in known.items() if name in names})

    def _bool_op(self, expr: ir.BoolOp, scope: Scope) -> Type | None:
        return union(*(self.type_of(value, scope) for value in expr.values))

    def _bin_op(self, expr: ir.BinOp, scope: Scope) -> Type | None:
        left = self.type_of(expr.left, scope)
        if expr.op == "|" and isinstance(left, ClassRef):
            return union(left, self.type_of(expr.right, scope))
        if expr.op == "/":
            paths = [o for o in options(left) if isinstance(o, Instance) and o.name.startswith("pathlib.")]
            if paths:
                return paths[0]
        return left

    def _sequence(self, expr: ir.Sequence, scope: Scope) -> Type | None:
        kinds = [self.type_of(e, scope) for e in expr.elts if not isinstance(e, ir.Starred)]
        if expr.kind == "tuple":
            return Instance("builtins.tuple", tuple(kinds))
        return Instance(f"builtins.{expr.kind}", (union(*kinds[:8]),))

    def _dict(self, expr: ir.Dict, scope: Scope) -> Type | None:
        keys = union(*(self.type_of(k, scope) for k in expr.keys[:8] if k is not None))
        values = union(*(self.type_of(v, scope) for v in expr.values[:8]))
        return Instance("builtins.dict", (keys, values))

    def _comprehension(self, expr: ir.Comprehension, scope: Scope) -> Type | None:
        of = self.type_of(expr.elt, scope)
        if expr.kind == "dict":
            return Instance("builtins.dict", (of, self.type_of(expr.value, scope)))
        return Instance(
            "collections.abc.Iterator" if expr.kind == "generator" else f"builtins.{expr.kind}", (of,)
        )

    def _compare(self, expr: ir.Compare, scope: Scope) -> Type | None:
        left = self.type_of(expr.left, scope)
        library = [o for o in options(left) if isinstance(o, Instance) and isinstance(o.cls, str) and o.args]
        return library[0] if library and not library[0].name.startswith("builtins.") else BOOL

    # ── members ──────────────────────────────────────────────────────────────────────────────────────────────────

    def member_type(self, base: Type, name: str) -> Type | None:
        """What `base.name` is; nothing is known of None, whose attributes only raise."""
        if base == NONE:
            return None
        if isinstance(base, ModuleRef):
            if isinstance(base.module, Module):
                return self.module_attribute(base.module, name)
            submodule = self.program.submodule(base.module, name)
            return ModuleRef(submodule) if submodule is not None else None
        if isinstance(base, Instance | ClassRef):
            return self._class_member(base, name)
        if isinstance(base, External):
            return self._external(f"{base.name}.{name}")
        if isinstance(base, FunctionRef):
            return External(f"builtins.function.{name}")
        if isinstance(base, TypeVariable):
            return None
        return None

    def _class_member(self, base: Instance | ClassRef, name: str) -> Type | None:
        if isinstance(base.cls, Class):
            member = self.hierarchy.member(base.cls, name)
            if member is not None:
                return self._project_member(base, member)
            if isinstance(base, Instance):
                assigned = self.assigned_attribute(base, name)
                if assigned is not None:
                    return assigned
        dotted = self.hierarchy.library_member(base.cls, name)
        if dotted is None:
            return None
        cls = dotted.rpartition(".")[0]
        of = self.library.attribute_type(cls, name) if isinstance(base, Instance) else None
        return of if of is not None else External(dotted, base)

    def _project_member(self, base: Instance | ClassRef, member: Member) -> Type | None:
        owner = member.ancestor.cls
        assert isinstance(owner, Class)
        function = member.function
        if function is not None:
            if any(function.has_decorator(n) for n in ("property", "cached_property", "hybrid_property")):
                return self.awaited(self.return_type(function, base)) if isinstance(base, Instance) else None
            if function.has_decorator("staticmethod"):
                return FunctionRef(function)
            if function.has_decorator("classmethod"):
                return FunctionRef(function, ClassRef(base.cls, base.args))
            return FunctionRef(function, base if isinstance(base, Instance) else None)
        of = union(*(self._binding_type(binding, owner) for binding in member.bindings))
        of = self._seen_from(of, owner, base)
        return self.library.descriptor(of, isinstance(base, Instance)) if of is not None else None

    def assigned_attribute(self, base: Instance, name: str) -> Type | None:
        """Type of an attribute that methods assign on `self`."""
        found = []
        for ancestor in self.hierarchy.order(base.cls):
            if not isinstance(ancestor.cls, Class):
                continue
            for value, annotation, method in self._assignments(ancestor.cls).get(name, ()):
                of = (
                    self.annotation(annotation, method)
                    if annotation is not None
                    else self.type_of(value, method)
                )
                found.append(self._seen_from(of, ancestor.cls, base))
            if found:
                break
        return union(*found)

    def _assignments(self, cls: Class) -> dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]]:
        key = id(cls)
        if key not in self._attributes:
            table: dict[str, list[tuple[ir.Expr | None, ir.Expr | None, Function]]] = {}
            for method in cls.functions:
                if not method.parameters or not method.is_method:
                    continue
                me = method.parameters[0].name
                for site in method.facts.sites(ir.Assign):
                    for target in site.node.targets:
                        if (
                            isinstance(target, ir.Attribute)
                            and isinstance(target.value, ir.Name)
                            and target.value.id == me
                        ):
                            table.setdefault(target.attr, []).append((site.node.value, None, method))
                for site in method.facts.sites(ir.AnnAssign):
                    target = site.node.target
                    if (
                        isinstance(target, ir.Attribute)
                        and isinstance(target.value, ir.Name)
                        and target.value.id == me
                    ):
                        table.setdefault(target.attr, []).append(
                            (site.node.value, site.node.annotation, method)
                        )
            self._attributes[key] = table
        return self._attributes[key]

    def attribute_assignments(self, cls: Class, name: str) -> list[tuple[ir.Expr | None, Function]]:
        """Expressions that methods of `cls` or its bases assign to `self.name`, each with its method."""
        for ancestor in self.hierarchy.order(cls):
            if isinstance(ancestor.cls, Class):
                found = self._assignments(ancestor.cls).get(name)
                if found:
                    return [(value, method) for value, _, method in found]
        return []


def _variables_in(of: Type | None) -> list[str]:
    found: dict[str, None] = {}
    stack = [of]
    while stack:
        current = stack.pop(0)
        if isinstance(current, TypeVariable):
            found[current.name] = None
        elif isinstance(current, Instance | ClassRef):
            stack += current.args
        elif isinstance(current, Union):
            stack += current.options
        elif isinstance(current, Coroutine):
            stack.append(current.result)
    return list(found)


def _unify(declared: Type | None, given: Type | None, known: dict[str, Type | None]) -> None:
    """Match a declared type with a given one and note what its variables stand for."""
    if declared is None or given is None:
        return
    if isinstance(declared, TypeVariable):
        known.setdefault(declared.name, given)
        return
    if isinstance(declared, Union):
        for option in declared.options:
            _unify(option, given, known)
        return
    for option in options(given):
        if isinstance(declared, Instance | ClassRef) and declared.__class__ is option.__class__:
            for left, right in zip(declared.args, option.args, strict=False):
                _unify(left, right, known)
        if (
            isinstance(declared, Instance)
            and declared.cls == "builtins.type"
            and isinstance(option, ClassRef)
        ):
            _unify(declared.args[0], Instance(option.cls, option.args), known)


_COMPUTE = {
    ir.Constant: TypeInference._constant,
    ir.Attribute: TypeInference._attribute,
    ir.Subscript: TypeInference._subscript,
    ir.Call: TypeInference._call,
    ir.BoolOp: TypeInference._bool_op,
    ir.BinOp: TypeInference._bin_op,
    ir.Sequence: TypeInference._sequence,
    ir.Dict: TypeInference._dict,
    ir.Comprehension: TypeInference._comprehension,
    ir.Compare: TypeInference._compare,
    ir.JoinedStr: lambda _self, _expr, _scope: STR,
    ir.Chain: lambda self, expr, scope: self.type_of(expr.operands[0], scope),
    ir.IfExp: lambda self, expr, scope: union(
        self.type_of(expr.body, scope), self.type_of(expr.orelse, scope)
    ),
    ir.Await: lambda self, expr, scope: self.awaited(self.type_of(expr.value, scope)),
    ir.NamedExpr: lambda self, expr, scope: self.type_of(expr.value, scope),
    ir.Starred: lambda self, expr, scope: self.type_of(expr.value, scope),
    ir.UnaryOp: lambda self, expr, scope: BOOL if expr.op == "not" else self.type_of(expr.operand, scope),
}
