"""Call site to what it calls, and back. Resolved on demand: a forward question costs one expression's type, a backward
question the call sites that share the function's last name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, External, FunctionRef, Instance, Partial, Type, options

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
        self.implicit: list[ImplicitCalls] = []

    def targets(self, site: Site) -> tuple[Function, ...]:
        """Functions of the program that a call site may run; overrides of a method included."""
        key = id(site.node)
        known = self._targets.get(key)
        if known is None:
            known = self._targets[key] = self._find_targets(site)
        return known

    def _find_targets(self, site: Site) -> tuple[Function, ...]:
        inference = self._program.inference
        found: dict[int, Function] = {}
        for of in options(inference.type_of(site.node.func, site.scope)):
            for function in self.functions_behind(of):
                found[id(function)] = function
        return tuple(found.values())

    def functions_behind(self, of: Type) -> list[Function]:
        """Functions that run when a value of this type is called."""
        hierarchy = self._program.inference.hierarchy
        if isinstance(of, FunctionRef):
            return [of.function, *self._overrides(of)]
        if isinstance(of, Partial):
            return self.functions_behind(of.target)
        name = "__init__" if isinstance(of, ClassRef) else "__call__" if isinstance(of, Instance) else ""
        if name and isinstance(of.cls, Class):  # type: ignore[union-attr]
            member = hierarchy.member(of.cls, name)  # type: ignore[union-attr]
            return [member.function] if member is not None and member.function is not None else []
        return []

    def _overrides(self, of: FunctionRef) -> list[Function]:
        receiver = of.receiver
        if not isinstance(receiver, Instance) or not isinstance(receiver.cls, Class):
            return []
        subclasses = self._program.inference.hierarchy.subclasses(receiver.cls)
        found = [cls.methods[of.function.name] for cls in subclasses if of.function.name in cls.methods]
        return found if len(found) <= MAX_OVERRIDES else []

    def names(self, site: Site) -> tuple[str, ...]:
        """Dotted names of what a call site calls: library functions and methods, classes, functions of the program."""
        key = id(site.node)
        known = self._names.get(key)
        if known is None:
            of = self._program.inference.type_of(site.node.func, site.scope)
            found: dict[str, None] = {}
            for option in options(of):
                found.update(dict.fromkeys(self._names_of(option)))
            known = self._names[key] = tuple(found)
        return known

    def _names_of(self, of: Type) -> list[str]:
        name = callable_name(of)
        if isinstance(of, External) and of.receiver is not None:
            # An inherited method has the name of every class that might define it: `sqlmodel.Session.add` is also
            # `sqlalchemy.orm.Session.add`.
            last = name.rpartition(".")[2]
            order = self._program.inference.hierarchy.order(of.receiver.cls)
            return [name, *(f"{entry.cls}.{last}" for entry in order if isinstance(entry.cls, str))]
        return [name] if name else []

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
            name = function.name if function.name not in ("__init__", "__call__") else ""
            if not name and function.owner is not None:
                name = function.owner.name
            sites = self._program.call_sites_named(name)
            known = self._callers[key] = tuple(s for s in sites if function in self.targets(s))
        return known


def callable_name(of: Type) -> str:
    """Dotted name of something callable; "" when it has none."""
    if isinstance(of, FunctionRef):
        return of.function.full_name
    if isinstance(of, External | ClassRef):
        return of.name
    if isinstance(of, Partial):
        return callable_name(of.target)
    if isinstance(of, Instance):
        return f"{of.name}.__call__"
    return ""


