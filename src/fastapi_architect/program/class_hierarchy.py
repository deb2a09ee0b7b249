"""Bases, method resolution order and members of classes, with type arguments carried along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from fastapi_architect.program.definitions import Binding, Class, Function, dotted_name
from fastapi_architect.program.types import (
    ClassRef,
    Coroutine,
    External,
    Instance,
    Type,
    TypeVariable,
    Union,
    options,
    union,
)
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.program.type_inference import TypeInference


class Ancestor(msgspec.Struct, frozen=True):
    """One entry of a class's resolution order.

    Attributes:
        cls: a class of the program, or the canonical name of a library's class.
        variables: what the ancestor's type variables stand for, seen from the class that was asked.
    """

    cls: Class | str
    variables: dict[str, Type | None] = msgspec.field(default_factory=dict)


class Member(msgspec.Struct, frozen=True):
    """A member as found: the ancestor that defines it and how."""

    ancestor: Ancestor
    function: Function | None = None
    bindings: tuple[Binding, ...] = ()


class ClassHierarchy:
    """Answers about inheritance; memoised per class."""

    def __init__(self, inference: TypeInference) -> None:
        self._inference = inference
        self._bases: dict[int, tuple[Instance | ClassRef, ...]] = {}
        self._orders: dict[int, tuple[Ancestor, ...]] = {}
        self._library_orders: dict[str, tuple[Ancestor, ...]] = {}
        #: What follows from the order of a class, kept as soon as that is final.
        self._names: dict[Class | str, frozenset[str]] = {}
        self._of_package: dict[tuple[Class | str, str], frozenset[str]] = {}
        self._members: dict[tuple[Class | str, str], Member | None] = {}
        self._spellings: dict[tuple[Class | str, str], tuple[str, ...]] = {}
        self._library_members: dict[tuple[Class | str, str], str | None] = {}
        self._variables: dict[int, tuple[str, ...]] = {}
        self._working: set[int] = set()
        self._subclasses: dict[int, list[Class]] | None = None

    def bases(self, cls: Class) -> tuple[ClassRef, ...]:
        """The direct bases, resolved, `Generic[...]` and unknown ones left out."""
        key = id(cls)
        if key not in self._bases:
            self._bases[key] = ()
            found: list[ClassRef] = []
            for expr in cls.node.bases:
                of = self._inference.reference(expr, cls.parent)
                found += [o for o in options(of) if isinstance(o, ClassRef)]
                found += [
                    ClassRef(o.name)
                    for o in options(of)
                    if isinstance(o, External) and o.name != "typing.Generic"
                ]
            self._bases[key] = tuple(found)
        return self._bases[key]  # type: ignore[return-value]

    def variables(self, cls: Class) -> tuple[str, ...]:
        """Names of the class's own type variables, in order (`Generic[T]`, PEP 695, or first use in bases)."""
        key = id(cls)
        if key not in self._variables:
            names = [t.name for t in cls.module.parsed.type_parameters if t.owner in (cls.name, cls.qualname)]
            if not names:
                names = self._variables_of_bases(cls)
            self._variables[key] = tuple(dict.fromkeys(names))
        return self._variables[key]

    def _variables_of_bases(self, cls: Class) -> list[str]:
        generic: list[str] = []
        used: list[str] = []
        scope = cls.parent or cls.module
        for expr in cls.node.bases:
            if not isinstance(expr, ir.Subscript):
                continue
            elements = expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]
            names = [
                n for n in map(dotted_name, elements) if n and self._inference.is_type_variable(n, scope)
            ]
            if dotted_name(expr.value).rpartition(".")[2] in ("Generic", "Protocol"):
                generic += names
            used += names
        return generic or used

    def order(self, cls: Class | str) -> tuple[Ancestor, ...]:
        """Method resolution order, depth first with repeats kept at their last place, library classes included."""
        if isinstance(cls, str):
            return self._library_order(cls)
        key = id(cls)
        known = self._orders.get(key)
        if known is not None:
            return known
        if key in self._working:
            return (Ancestor(cls),)
        self._working.add(key)
        entries = [Ancestor(cls, {name: TypeVariable(name) for name in self.variables(cls)})]
        for base in self.bases(cls):
            entries += self._inherited(base)
        self._working.discard(key)
        last: dict[int | str, int] = {_key(entry.cls): index for index, entry in enumerate(entries)}
        self._orders[key] = tuple(e for index, e in enumerate(entries) if last[_key(e.cls)] == index)
        return self._orders[key]

    def _inherited(self, base: ClassRef) -> list[Ancestor]:
        if isinstance(base.cls, str):
            return list(self._library_order(base.cls))
        given = dict(zip(self.variables(base.cls), base.args, strict=False))
        return [
            Ancestor(entry.cls, {name: substitute(of, given) for name, of in entry.variables.items()})
            for entry in self.order(base.cls)
        ]

    def _library_order(self, name: str) -> tuple[Ancestor, ...]:
        known = self._library_orders.get(name)
        if known is not None:
            return known
        found: dict[str, None] = {}
        stack = [name]
        while stack:
            current = stack.pop(0)
            if current not in found:
                found[current] = None
                stack += self._inference.library.bases(current)
        self._library_orders[name] = order = tuple(Ancestor(each) for each in found)
        return order

    def is_subclass(self, cls: Class | str, *names: str) -> bool:
        """`cls` is, or inherits from, a class of one of these dotted names."""
        return not self._ancestor_names(cls).isdisjoint(names)

    def _ancestor_names(self, cls: Class | str) -> frozenset[str]:
        known = self._names.get(cls)
        if known is None:
            classes = [entry.cls for entry in self.order(cls)]
            known = frozenset(each if isinstance(each, str) else each.full_name for each in classes)
            if self._is_final(cls):
                self._names[cls] = known
        return known

    def library_names(self, cls: Class | str, package: str) -> frozenset[str]:
        """Last names of the ancestors that are classes of one library, by its top-level package."""
        key = (cls, package)
        known = self._of_package.get(key)
        if known is None:
            library = [entry.cls for entry in self.order(cls) if isinstance(entry.cls, str)]
            known = frozenset(n.rpartition(".")[2] for n in library if n.partition(".")[0] == package)
            if self._is_final(cls):
                self._of_package[key] = known
        return known

    def _is_final(self, cls: Class | str) -> bool:
        """The order of a class is known; while it is worked out, it is shorter than it will be."""
        return isinstance(cls, str) or id(cls) in self._orders

    def member(self, cls: Class | str, name: str) -> Member | None:
        """The first definition of `name` along the resolution order; None when a library's or nobody's."""
        key = (cls, name)
        if key in self._members:
            return self._members[key]
        found = self._find_member(cls, name)
        if self._is_final(cls):
            self._members[key] = found
        return found

    def _find_member(self, cls: Class | str, name: str) -> Member | None:
        for entry in self.order(cls):
            if isinstance(entry.cls, str):
                continue
            bindings = entry.cls.facts.bindings.get(name)
            if bindings:
                functions = [b.definition for b in bindings if isinstance(b.definition, Function)]
                return Member(entry, functions[-1] if functions else None, tuple(bindings))
        return None

    def library_spellings(self, cls: Class | str, name: str) -> tuple[str, ...]:
        """Dotted names of a member under every library class that might define it, nearest first."""
        key = (cls, name)
        known = self._spellings.get(key)
        if known is None:
            order = self.order(cls)
            known = tuple([f"{entry.cls}.{name}" for entry in order if isinstance(entry.cls, str)])
            if self._is_final(cls):
                self._spellings[key] = known
        return known

    def library_member(self, cls: Class | str, name: str) -> str | None:
        """Dotted name of a member inherited from a library's class: `sqlalchemy.orm.Session.execute`."""
        key = (cls, name)
        if key in self._library_members:
            return self._library_members[key]
        found = self._find_library_member(cls, name)
        if self._is_final(cls):
            self._library_members[key] = found
        return found

    def _find_library_member(self, cls: Class | str, name: str) -> str | None:
        library = self._inference.library
        spellings = self.library_spellings(cls, name)
        for dotted in spellings:
            owner = dotted[: -len(name) - 1]
            if library.call_type(dotted) is not None or library.attribute_type(owner, name) is not None:
                return dotted
        return spellings[0] if spellings else None

    def subclasses(self, cls: Class) -> list[Class]:
        """Direct and indirect subclasses in the program, in order of files."""
        if self._subclasses is None:
            self._subclasses = {}
            for each in self._inference.program.classes:
                for base in self.bases(each):
                    if isinstance(base.cls, Class):
                        self._subclasses.setdefault(id(base.cls), []).append(each)
        found: dict[int, Class] = {}
        stack = list(self._subclasses.get(id(cls), ()))
        while stack:
            current = stack.pop(0)
            if id(current) not in found:
                found[id(current)] = current
                stack += self._subclasses.get(id(current), ())
        return list(found.values())


def _key(cls: Class | str) -> int | str:
    return cls if isinstance(cls, str) else id(cls)


def substitute(of: Type | None, variables: dict[str, Type | None]) -> Type | None:
    """Replace type variables; an unknown one stays a variable."""
    if of is None or not variables:
        return of
    if type(of) is TypeVariable:
        return variables.get(of.name, of)
    if type(of) is Instance or type(of) is ClassRef:
        if not of.args:
            return of
        args = tuple(substitute(a, variables) for a in of.args)
        if of.cls == "builtins.type" and isinstance(args[0], Instance):
            return ClassRef(args[0].cls, args[0].args)  # `type[T]` once T is known
        return type(of)(of.cls, args)
    return _substitute_rest(of, variables)


def _substitute_rest(of: Type, variables: dict[str, Type | None]) -> Type | None:
    if type(of) is Union:
        return union(*[substitute(o, variables) for o in of.options])
    if type(of) is Coroutine:
        return Coroutine(substitute(of.result, variables))
    return of
