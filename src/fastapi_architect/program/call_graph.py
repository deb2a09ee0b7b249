"""Call site to what it calls, and back. Resolved on demand: a forward question costs one expression's type, a backward
question the call sites that share the function's last name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import (
    ClassRef,
    External,
    FunctionRef,
    Instance,
    Partial,
    Type,
    Union,
    options,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.program import Program

#: A virtual call with more implementations than this is left unresolved rather than merged into everything.
MAX_OVERRIDES = 12

#: Gives edges that no call expression shows: dependencies, task sends, background tasks, callbacks.
ImplicitCalls = Callable[[Function], Iterable[Function]]


class CallGraph:
    """Who calls what."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._targets: dict[int, tuple[Function, ...]] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self._callers: dict[int, tuple[Site, ...]] = {}
        #: Last name of a call to the sites that run each function (by identity); None while that is worked out.
        self._by_name: dict[str, dict[int, list[Site]] | None] = {}
        self.implicit: list[ImplicitCalls] = []

    def targets(self, site: Site) -> tuple[Function, ...]:
        """Functions of the program that a call site may run: with overrides of a method, without one that is only there for them."""
        key = id(site.node)
        known = self._targets.get(key)
        if known is None:
            known = self._targets[key] = self._find_targets(site)
        return known

    def _find_targets(self, site: Site) -> tuple[Function, ...]:
        inference = self._program.inference
        found: dict[int, Function] = {}
        func = site.node.func
        exact = type(func) is ir.Attribute and _is_super(func.value)
        for of in options(inference.type_of(func, site.scope)):
            for function in [of.function] if exact and type(of) is FunctionRef else self.functions_behind(of):
                found[id(function)] = function
        return tuple(found.values())

    def functions_behind(self, of: Type) -> list[Function]:
        """Functions that run when a value of this type is called."""
        if type(of) is FunctionRef:
            overrides = self._overrides(of)
            return overrides if overrides and is_empty(of.function) else [of.function, *overrides]
        if type(of) is Partial:
            return self.functions_behind(of.target)
        if (type(of) is ClassRef or type(of) is Instance) and isinstance(of.cls, Class):
            name = "__init__" if type(of) is ClassRef else "__call__"
            member = self._program.inference.hierarchy.member(of.cls, name)
            return [member.function] if member is not None and member.function is not None else []
        return []

    def _overrides(self, of: FunctionRef) -> list[Function]:
        receiver = of.receiver
        if not isinstance(receiver, Instance) or not isinstance(receiver.cls, Class):
            return []
        found = self._all_overrides(receiver.cls, of.function.name)
        return found if len(found) <= MAX_OVERRIDES else []

    def _all_overrides(self, cls: Class, name: str) -> list[Function]:
        in_tests = cls.module.kind == "test"
        return [
            below.methods[name]
            for below in self._program.inference.hierarchy.subclasses(cls)
            # What a test puts in place of a part runs in that test, not in the service.
            if name in below.methods and (in_tests or below.module.kind != "test")
        ]

    def names(self, site: Site) -> tuple[str, ...]:
        """Dotted names of what a call site calls: library functions and methods, classes, functions of the program."""
        key = id(site.node)
        known = self._names.get(key)
        if known is None:
            of = self._program.inference.type_of(site.node.func, site.scope)
            if type(of) is Union:
                known = tuple(dict.fromkeys(name for option in of.options for name in self._names_of(option)))
            else:
                known = self._names_of(of) if of is not None else ()
            self._names[key] = known
        return known

    def _names_of(self, of: Type) -> tuple[str, ...]:
        if type(of) is External:
            if of.receiver is None:
                return (of.name,)
            # An inherited method has the name of every class that might define it: `sqlmodel.Session.add` is also
            # `sqlalchemy.orm.Session.add`.
            last = of.name.rpartition(".")[2]
            spellings = self._program.inference.hierarchy.library_spellings(of.receiver.cls, last)
            return tuple(dict.fromkeys((of.name, *spellings)))
        name = callable_name(of)
        return (name,) if name else ()

    def name(self, site: Site) -> str:
        """The first of `names`, or ""."""
        names = self.names(site)
        return names[0] if names else ""

    def callees(self, function: Function) -> tuple[Function, ...]:
        """Functions of the program that a function calls, implicit edges included."""
        found: dict[int, Function] = {}
        for site in function.facts.calls:
            for target in self.targets(site):
                found[id(target)] = target
        for edges in self.implicit:
            for target in edges(function):
                found[id(target)] = target
        return tuple(found.values())

    def callers(self, function: Function) -> tuple[Site, ...]:
        """Call sites in the program that may run `function`."""
        key = id(function)
        known = self._callers.get(key)
        if known is None:
            if function.owner is None or function.name not in ("__init__", "__call__"):
                found: Iterable[Site] = self._callers_by_name(function)
            else:
                found = (s for s in self._callers_of_special(function) if function in self.targets(s))
            known = self._callers[key] = tuple(found)
        return known

    def callers_of_any_override(self, method: Function) -> tuple[Site, ...]:
        """Call sites of a method, also of one that so many classes override that `targets` tells none of them.

        A list of parts of which each is told `part.install(app)` is such a call: whoever follows one value through it, and not
        all that any of them does, may take them all. Classes that nobody makes, while others of their kind are made, are no parts.
        """
        if method.owner is not None and not self._is_part(method.owner, method.name):
            return ()
        known = self.callers(method)
        if known or method.owner is None:
            return known
        return tuple(
            site
            for site in self._program.call_sites_named(method.name)
            if self._reaches_override(site, method)
        )

    def _is_part(self, cls: Class, name: str) -> bool:
        """Somebody makes the class, or one that inherits the method; or nobody makes any of its kind."""
        if self._is_made(cls):
            return True
        hierarchy = self._program.inference.hierarchy
        for base in hierarchy.order(cls):
            if isinstance(base.cls, Class) and base.cls is not cls and name in base.cls.methods:
                kind = [each.owner for each in self._all_overrides(base.cls, name) if each.owner is not None]
                return not any(self._is_made(each) for each in kind if each is not base.cls)
        return True

    def _is_made(self, cls: Class) -> bool:
        classes = (cls, *self._program.inference.hierarchy.subclasses(cls))
        return any(
            site.scope.module.kind != "test"
            for each in classes
            for site in self._program.call_sites_named(each.name)
        )

    def _reaches_override(self, site: Site, method: Function) -> bool:
        for of in options(self._program.inference.type_of(site.node.func, site.scope)):
            receiver = of.receiver if type(of) is FunctionRef else None
            cls = receiver.cls if isinstance(receiver, Instance) else None
            if isinstance(cls, Class) and any(
                method is each for each in self._all_overrides(cls, method.name)
            ):
                return True
        return False

    def _callers_by_name(self, function: Function) -> Iterable[Site]:
        """Sites with the function's name that run it: hundreds of functions share `get`, so each site is read once for all."""
        name = function.name
        sites = self._program.call_sites_named(name)
        if name not in self._by_name:
            self._by_name[name] = None
            index: dict[int, list[Site]] = {}
            for site in sites:
                for target in self.targets(site):
                    index.setdefault(id(target), []).append(site)
            self._by_name[name] = index
        known = self._by_name[name]
        if known is None:  # the type of such a call is what asks
            return [site for site in sites if function in self.targets(site)]
        return known.get(id(function), ())

    def _callers_of_special(self, function: Function) -> Iterator[Site]:
        """Call sites that may run a constructor or `__call__`: their last name is not the function's own."""
        owner = function.owner
        if owner is None:
            return
        subclasses = self._program.inference.hierarchy.subclasses(owner)
        made = [site for cls in (owner, *subclasses) for site in self._program.call_sites_named(cls.name)]
        if function.name == "__init__":
            yield from made
            for method in (m for cls in subclasses for m in cls.functions):
                yield from method.facts.calls_named("__init__")  # `super().__init__()`
            return
        held = {last_name(target) for site in made for target in getattr(site.statement, "targets", ())}
        for name in sorted(held - {""}):
            yield from self._program.call_sites_named(name)


def _is_super(expr: ir.Expr) -> bool:
    """`super()`: what it calls is the base's own method, never an override."""
    return type(expr) is ir.Call and type(expr.func) is ir.Name and expr.func.id == "super"


def callable_name(of: Type) -> str:
    """Dotted name of something callable; "" when it has none."""
    if type(of) is FunctionRef:
        return of.function.full_name
    if type(of) is External or type(of) is ClassRef:
        return of.name
    if type(of) is Partial:
        return callable_name(of.target)
    return f"{of.name}.__call__" if type(of) is Instance else ""


def is_empty(function: Function) -> bool:
    """A method that is there to be overridden: a docstring, `...`, `pass` or `raise`, and nothing else."""
    return all(
        statement.__class__ in (ir.Jump, ir.Raise)
        or (statement.__class__ is ir.ExprStmt and statement.value.__class__ is ir.Constant)
        for statement in function.body
    )
