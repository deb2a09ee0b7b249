"""Expression to type, on demand and memoised: names, attributes, calls, annotations, returns.

Flow-insensitive inside a body: a name is the union of everything bound to it. What lifts resolution most is here:
`Annotated` aliases, type arguments of generic bases, inferred returns, and the arguments of call sites for parameters
without an annotation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fastapi_architect.program import builtins
from fastapi_architect.program.annotations import Annotations
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.class_hierarchy import ClassHierarchy, substitute
from fastapi_architect.program.definitions import Binding, Class, Function, Module, Scope
from fastapi_architect.program.library_model import LibraryModel
from fastapi_architect.program.members import Members
from fastapi_architect.program.signatures import Signatures
from fastapi_architect.program.type_variables import unify, variables_in
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
    Union,
    bounded,
    options,
    union,
)
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_expression

if TYPE_CHECKING:
    from fastapi_architect.program.program import Program


#: Expressions and names that may be in work at once, each waiting for the next; deeper chains are not known.
MAX_DEPTH = 500
#: Bindings of one name that are looked at, half of them from either end: each may ask for all others again.
_MAX_BINDINGS = 64

#: What a literal is, by the kind of the constant.
_CONSTANTS: dict[str, Type] = {
    "none": NONE,
    **{
        kind: Instance(f"builtins.{kind}")
        for kind in ("str", "int", "float", "complex", "bytes", "bool", "ellipsis")
    },
}


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


class TypeInference:
    """Answers of types about one program."""

    def __init__(self, program: Program, library: LibraryModel) -> None:
        self.program = program
        self.library = library
        self.hierarchy = ClassHierarchy(self)
        self._types: dict[int, Type | None] = {}
        #: Expressions whose identities are keys of `_types`: these must not be given to others.
        self._kept: list[ir.Expr] = []
        self._names: dict[tuple[int, str], Type | None] = {}
        self._bindings: dict[tuple[int, str], tuple[Scope, list[Binding]] | None] = {}
        self._externals: dict[str, Type] = {}
        self.annotations = Annotations(self)
        self.signatures = Signatures(self)
        self.members = Members(self)
        self._strings: dict[str, ir.Expr | None] = {}
        self._working: set[object] = set()
        self._expanded: dict[tuple[int, int], tuple[ir.Expr, ir.Expr, Scope]] = {}
        #: What was asked for while it was worked out (`s = s.where(...)`), and what was found without it.
        self._asked: set[object] = set()
        self._types_without: list[int] = []
        self._names_without: list[tuple[int, str]] = []

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lookup(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """The scope that binds `name` as seen from `scope`, with its bindings, by Python's scoping rules."""
        current: Scope | None = scope
        while current is not None:
            facts = current._facts or current.facts
            if facts.is_global:
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
        names = self._names
        if key in names:
            return names[key]
        if key in self._working:
            self._asked.add(key)
            return None
        self._working.add(key)
        of = self._bound_type(name, scope)
        self._working.discard(key)
        self._names[key] = of
        if key in self._asked:
            self._forget(key)
            self._names[key] = of
            if of is not None:
                # The second look knows what the name was before it was bound again.
                self._names[key] = of = union(of, self._bound_type(name, scope))
        if self._asked:
            self._names_without.append(key)
        return of

    def _bound_type(self, name: str, scope: Scope) -> Type | None:
        found = self.lookup(name, scope)
        if found is None:
            return self._star_import(name, scope.module) or self._builtin(name)
        owner, bindings = found
        if owner is not scope:
            return self.name_type(name, owner)  # worked out once for all bodies inside
        if len(bindings) == 1:
            return self.binding_type(bindings[0], owner)
        bindings = _since_last_import(bindings, owner)
        if len(bindings) > _MAX_BINDINGS:
            bindings = bindings[: _MAX_BINDINGS // 2] + bindings[-_MAX_BINDINGS // 2 :]
        return union(*[self.binding_type(binding, owner) for binding in bindings])

    def _forget(self, key: object) -> None:
        """Drop what was found while `key` was not known yet; kept, it would hide what `key` makes possible."""
        self._asked.discard(key)
        if self._asked:
            return
        for expr in self._types_without:
            self._types.pop(expr, None)
        for name in self._names_without:
            self._names.pop(name, None)
        self._types_without.clear()
        self._names_without.clear()

    def _builtin(self, name: str) -> Type | None:
        if name in builtins.CLASSES:
            return ClassRef(builtins.canonical(f"builtins.{name}"))
        return External(f"builtins.{name}") if name in builtins.FUNCTIONS else None

    def _star_import(self, name: str, module: Module) -> Type | None:
        if "*" not in module.facts.bindings:
            return None
        for source in self._starred(module):
            if name in source.facts.bindings:
                found = self.name_type(name, source)
                if found is not None:
                    return found
        for source in self._starred(module):
            submodule = self.program.submodule(source, name)
            if submodule is not None:
                return ModuleRef(submodule)
        return None

    def _starred(self, module: Module) -> Iterator[Module]:
        """Modules whose names `import *` brings here, each once: they may import each other."""
        seen = {id(module)}
        stack = [module]
        while stack:
            current = stack.pop()
            if current is not module:
                yield current
            for binding in reversed(current.facts.bindings.get("*", ())):
                source = self.program.module_of(current, binding.target)
                if isinstance(source, Module) and id(source) not in seen:
                    seen.add(id(source))
                    stack.append(source)

    def bindings_of(self, expr: ir.Expr, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """The bindings that a name, or a name in a module, leads to; imports are followed to their end."""
        if type(expr) is ir.Name:
            key = (id(scope), expr.id)
            if key not in self._bindings:
                self._bindings[key] = self._bindings_of_name(expr.id, scope)
            return self._bindings[key]
        if type(expr) is ir.Attribute:
            for of in options(self.type_of(expr.value, scope)):
                if type(of) is ModuleRef and isinstance(of.module, Module):
                    bindings = of.module.facts.bindings.get(expr.attr)
                    if bindings:
                        return self._follow(of.module, bindings, 0)
                if type(of) is ClassRef or type(of) is Instance:
                    member = self.hierarchy.member(of.cls, expr.attr)
                    if member is not None and isinstance(member.ancestor.cls, Class):
                        return member.ancestor.cls, list(member.bindings)
        return None

    def _bindings_of_name(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        found = self.lookup(name, scope)
        if found is not None:
            return self._follow(*found, 0)
        for star in scope.module.facts.bindings.get("*", ()):
            source = self.program.module_of(scope.module, star.target)
            if isinstance(source, Module) and name in source.facts.bindings:
                return self._follow(source, source.facts.bindings[name], 0)
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
        kind = expr.__class__
        if kind is not ir.Name and kind is not ir.Attribute:
            return self._expand(expr, scope) if kind is ir.Constant else (expr, scope)
        key = (id(expr), id(scope))
        known = self._expanded.get(key)
        if known is None:
            found, where = self._expand(expr, scope)
            if self._working:
                return found, where  # types that are being worked out may be missing on the way
            # The expression is kept, too: its identity must not be given to another one.
            known = self._expanded[key] = (expr, found, where)
        return known[1], known[2]

    @property
    def is_idle(self) -> bool:
        """Nothing is being worked out: what is found now is final, and may be kept."""
        return not self._working

    def _expand(self, expr: ir.Expr, scope: Scope) -> tuple[ir.Expr, Scope]:
        for _ in range(20):
            if type(expr) is ir.Constant and expr.kind == "str":
                parsed = self.parse(str(expr.value))
                if parsed is None:
                    return expr, scope
                expr = parsed
                continue
            found = self.bindings_of(expr, scope)
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

    def binding_type(self, binding: Binding, scope: Scope) -> Type | None:
        """What one binding gives a name."""
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
            return (
                self.signatures.parameter_type(binding.node, scope)
                if isinstance(scope, Function) and isinstance(binding.node, ir.Param)
                else None
            )
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
        if binding.value is not None and binding.declares_alias:
            return self.type_of(binding.value, scope)
        declared = self.annotations.annotation(binding.annotation, scope)
        if declared is not None or binding.value is None:
            return declared
        given = self.type_of(binding.value, scope)
        return None if given == NONE else given  # `price: Any = None` is more than its default

    def _imported(self, binding: Binding, module: Module) -> Type | None:
        source = self.program.module_of(module, binding.target)
        name = binding.attribute
        if source is None:
            if binding.target.startswith("."):
                return None
            return self.external(f"{binding.target}.{name}")
        if isinstance(source, Module):
            found = self.module_attribute(source, name)
            if found is not None:
                return found
        submodule = self.program.submodule(source, name)
        return ModuleRef(submodule) if submodule is not None else None

    def external(self, name: str) -> Type:
        """A library\'s class or other name, by its canonical name."""
        known = self._externals.get(name)
        if known is None:
            canonical = self.library.canonical(builtins.canonical(name))
            owner, _, last = canonical.rpartition(".")
            known = self.library.attribute_type(owner, last)  # an object that a module exports, ready made
            if known is None:
                known = ClassRef(canonical) if self.library.is_class(canonical) else External(canonical)
            self._externals[name] = known
        return known

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
            of = union(*[self._part(i, index) for i in options(of) if isinstance(i, Instance)])
        return of

    def _part(self, of: Instance, index: int) -> Type | None:
        if of.name == "builtins.tuple":
            return builtins.subscript(of, index if index >= 0 else None, is_slice=False)
        return self.element_of(of)

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
        for name, following in (("__iter__", "__next__"), ("__aiter__", "__anext__")):
            member = self.hierarchy.member(of.cls, name)
            if member is not None and member.function is not None:
                iterator = self.awaited(self.signatures.return_type(member.function, of))
                return union(*(self._next_of(option, following) for option in options(iterator)))
        return of.args[0] if of.args else None

    def _next_of(self, iterator: Type, method: str) -> Type | None:
        """What an iterator gives; asked of its own method, as `__iter__` of an iterator returns the iterator itself."""
        if not isinstance(iterator, Instance):
            return None
        if not isinstance(iterator.cls, Class):
            return builtins.element(iterator)
        member = self.hierarchy.member(iterator.cls, method)
        if member is None or member.function is None:
            return None
        return self.awaited(self.signatures.return_type(member.function, iterator))

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
                dotted = self.hierarchy.library_member(option.cls, "__enter__")
                of_call = self.library.call_type(dotted) if dotted else None
                found.append(of_call if of_call is not None and not callable(of_call) else option)
                continue
            for name in ("__aenter__", "__enter__"):
                member = self.hierarchy.member(option.cls, name)
                if member is not None and member.function is not None:
                    found.append(self.awaited(self.signatures.return_type(member.function, option)))
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

    # ── answered by others ───────────────────────────────────────────────────────────────────────────────────────

    def annotation(self, expr: ir.Expr | None, scope: Scope | None) -> Type | None:
        """What values an annotation allows (`Annotations.annotation`)."""
        return self.annotations.annotation(expr, scope)

    def is_type_variable(self, name: str, scope: Scope) -> bool:
        """`name` was made by `TypeVar(...)` or is a type parameter."""
        return self.annotations.is_type_variable(name, scope)

    def parameter_type(self, param: ir.Param, function: Function) -> Type | None:
        """What a parameter may be (`Signatures.parameter_type`)."""
        return self.signatures.parameter_type(param, function)

    def return_type(self, function: Function, receiver: Type | None = None) -> Type | None:
        """What calling a function gives (`Signatures.return_type`)."""
        return self.signatures.return_type(function, receiver)

    def member_type(self, base: Type, name: str) -> Type | None:
        """What `base.name` is (`Members.member_type`)."""
        return self.members.member_type(base, name)

    def attribute_assignments(self, cls: Class, name: str) -> list[tuple[ir.Expr | None, Function]]:
        """Expressions that methods assign to `self.name` (`Members.attribute_assignments`)."""
        return self.members.attribute_assignments(cls, name)

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────

    def reference(self, expr: ir.Expr, scope: Scope | None) -> Type | None:
        """The class or function that an expression in a class header or decorator means."""
        if scope is None:
            return None
        if isinstance(expr, ir.Subscript):
            of = self.annotations.subscripted(expr, scope)
            return union(*(ClassRef(o.cls, o.args) if isinstance(o, Instance) else o for o in options(of)))
        return self.type_of(expr, scope)

    def type_of(self, expr: ir.Expr | None, scope: Scope) -> Type | None:
        """What an expression may be, read in `scope`; None when not known."""
        if expr is None:
            return None
        if type(expr) is ir.Name:
            name = (id(scope), expr.id)
            return self._names[name] if name in self._names else self.name_type(expr.id, scope)
        if type(expr) is ir.Constant:
            return _CONSTANTS[expr.kind]
        key = id(expr)
        types = self._types
        if key in types:
            return types[key]
        compute = _COMPUTE.get(expr.__class__)
        working = self._working
        if compute is None or len(working) > MAX_DEPTH:
            return None
        if key in working:
            self._asked.add(key)
            return None
        working.add(key)
        try:
            of = compute(self, expr, scope)
        finally:
            working.discard(key)
        if of is not None and type(of) is not External:
            of = bounded(of)
        asked = self._asked
        if asked:
            if key in asked:
                self._forget(key)
            if asked:
                self._types_without.append(key)
        types[key] = of
        self._kept.append(expr)
        return of

    def _attribute(self, expr: ir.Attribute, scope: Scope) -> Type | None:
        base = self.type_of(expr.value, scope)
        if base is None:
            return None
        if type(base) is Union:
            return union(*[self.members.member_type(option, expr.attr) for option in base.options])
        return self.members.member_type(base, expr.attr)

    def _subscript(self, expr: ir.Subscript, scope: Scope) -> Type | None:
        constant = expr.slice.value if isinstance(expr.slice, ir.Constant) else None
        index = constant if isinstance(constant, int) else None
        found: list[Type | None] = []
        for of in options(self.type_of(expr.value, scope)):
            if isinstance(of, Instance):
                if isinstance(of.cls, Class):
                    member = self.hierarchy.member(of.cls, "__getitem__")
                    if member is not None and member.function is not None:
                        found.append(self.signatures.return_type(member.function, of))
                else:
                    found.append(builtins.subscript(of, index, isinstance(expr.slice, ir.Slice)))
            elif isinstance(of, ClassRef):
                elements: list[ir.Expr] = (
                    expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]
                )
                found.append(ClassRef(of.cls, self.annotations.arguments(elements, scope)))
        return union(*found)

    def _call(self, expr: ir.Call, scope: Scope) -> Type | None:
        callee = self.type_of(expr.func, scope)
        if isinstance(expr.func, ir.Name) and expr.func.id == "super":
            return self._super(scope)
        if callee is None:
            return None
        if type(callee) is Union:
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
        if type(callee) is FunctionRef:
            of = self.signatures.return_type(callee.function, callee.receiver)
            return self._unified(of, callee, call, scope) if call is not None and scope is not None else of
        if type(callee) is ClassRef or type(callee) is External:
            return self._constructed(callee, call, scope)
        if type(callee) is Partial:
            return self.call_result(callee.target, None, None)
        if type(callee) is Instance:
            member = self.hierarchy.member(callee.cls, "__call__") if isinstance(callee.cls, Class) else None
            if member is not None and member.function is not None:
                return self.signatures.return_type(member.function, callee)
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
        names = variables_in(of)
        if not names:
            return of
        known: dict[str, Type | None] = {}
        parameters = callee.function.parameters[1 if callee.function.is_method else 0 :]
        for position, param in enumerate(parameters):
            given = argument(call, position, param.name)
            if given is None or param.annotation is None:
                continue
            declared = self.annotations.annotation(
                param.annotation, callee.function.parent or callee.function.module
            )
            unify(declared, self.type_of(given, scope), known)
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


_COMPUTE: dict[type[ir.Node], Callable[[TypeInference, Any, Scope], Type | None]] = {
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


def _since_last_import(bindings: list[Binding], owner: Scope) -> list[Binding]:
    """Without what an import at the level of the module replaces: `from a import User`, and below `from b import User`."""
    if isinstance(owner, Module):
        for index in range(len(bindings) - 1, 0, -1):
            node = bindings[index].node
            # Below `if` or `try` an import is one of several possibilities.
            if bindings[index].kind == "from" and any(node is each for each in owner.parsed.body):
                return bindings[index:]
    return bindings
