"""What an expression may be. Small, immutable values; `None` in Python stands for "not known"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi_architect.program.definitions import Class, Function, Module


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of a class: of the program (`Class`) or of a library (its canonical dotted name).

    `args` are the type arguments: the element of a list, the key and value of a dict, the row of a query.
    """

    cls: Class | str
    args: tuple[Type | None, ...] = ()

    @property
    def name(self) -> str:
        """Dotted name of the class."""
        return self.cls if isinstance(self.cls, str) else self.cls.full_name


@dataclass(frozen=True, slots=True)
class ClassRef:
    """A class itself, as a value."""

    cls: Class | str
    args: tuple[Type | None, ...] = ()

    @property
    def name(self) -> str:
        """Dotted name of the class."""
        return self.cls if isinstance(self.cls, str) else self.cls.full_name


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A function of the program as a value; `receiver` when it is bound to an instance or class."""

    function: Function
    receiver: Instance | ClassRef | None = None


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the program, or a folder that acts as a namespace package (`module` is then its dotted path)."""

    module: Module | str


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library that is not known to be a class: a module, function, method or object, by dotted name."""

    name: str
    receiver: Instance | ClassRef | None = None


@dataclass(frozen=True, slots=True)
class Coroutine:
    """What calling an `async def` gives, until awaited."""

    result: Type | None


@dataclass(frozen=True, slots=True)
class Partial:
    """`functools.partial(target, ...)`."""

    target: Type


@dataclass(frozen=True, slots=True)
class TypeVariable:
    """An unresolved type variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Union:
    """One of several."""

    options: tuple[Type, ...]


Type = Instance | ClassRef | FunctionRef | ModuleRef | External | Coroutine | Partial | TypeVariable | Union

NONE = Instance("builtins.None")
STR = Instance("builtins.str")
INT = Instance("builtins.int")
FLOAT = Instance("builtins.float")
BOOL = Instance("builtins.bool")
BYTES = Instance("builtins.bytes")


def union(*types: Type | None) -> Type | None:
    """One of `types`; None (not known) when nothing is known of any; unknown options are left out."""
    options: dict[Type, None] = {}
    for each in types:
        if each is None:
            continue
        if each.__class__ is Union:
            options.update(dict.fromkeys(each.options))
        else:
            options[each] = None
    if not options:
        return None
    if len(options) == 1:
        return next(iter(options))
    return Union(tuple(options))


def options(of: Type | None) -> Iterator[Type]:
    """The alternatives of a type: itself, or a union's members; nothing when not known."""
    if of is None:
        return
    if of.__class__ is Union:
        yield from of.options
    else:
        yield of


def without_none(of: Type | None) -> Type | None:
    """The type when it is not None."""
    return union(*(option for option in options(of) if option != NONE))


def may_be_none(of: Type | None) -> bool:
    """None is one of its alternatives."""
    return any(option == NONE for option in options(of))
