"""What an expression may be. Small, immutable values; `None` in Python stands for "not known".

Structs rather than dataclasses: made and hashed hundreds of thousands of times in one review.
"""

from __future__ import annotations

import msgspec

from fastapi_architect.program.definitions import Class, Function, Module


class Instance(msgspec.Struct, frozen=True):
    """An instance of a class: of the program (`Class`) or of a library (its canonical dotted name).

    `args` are the type arguments: the element of a list, the key and value of a dict, the row of a query.
    """

    cls: Class | str
    args: tuple[Type | None, ...] = ()

    @property
    def name(self) -> str:
        """Dotted name of the class."""
        return self.cls if isinstance(self.cls, str) else self.cls.full_name


class ClassRef(msgspec.Struct, frozen=True):
    """A class itself, as a value."""

    cls: Class | str
    args: tuple[Type | None, ...] = ()

    @property
    def name(self) -> str:
        """Dotted name of the class."""
        return self.cls if isinstance(self.cls, str) else self.cls.full_name


class FunctionRef(msgspec.Struct, frozen=True):
    """A function of the program as a value; `receiver` when it is bound to an instance or class."""

    function: Function
    receiver: Instance | ClassRef | None = None


class ModuleRef(msgspec.Struct, frozen=True):
    """A module of the program, or a folder that acts as a namespace package (`module` is then its dotted path)."""

    module: Module | str


class External(msgspec.Struct, frozen=True):
    """Something of a library that is not known to be a class: a module, function, method or object, by dotted name."""

    name: str
    receiver: Instance | ClassRef | None = None


class Coroutine(msgspec.Struct, frozen=True):
    """What calling an `async def` gives, until awaited."""

    result: Type | None


class Partial(msgspec.Struct, frozen=True):
    """`functools.partial(target, ...)`."""

    target: Type


class TypeVariable(msgspec.Struct, frozen=True):
    """An unresolved type variable."""

    name: str


class Union(msgspec.Struct, frozen=True):
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
    if len(types) == 1:
        return types[0]
    known: dict[Type, None] = {}
    for each in types:
        if each is None:
            continue
        if each.__class__ is Union:
            known.update(dict.fromkeys(each.options))
        else:
            known[each] = None
    if len(known) > 1:
        return Union(tuple(known))
    return next(iter(known), None)


#: Parts that a type may have; behind them its arguments are not worth what they cost (`A2 = dict[A1, A1]` doubles).
_MAX_PARTS = 200


def bounded(of: Type | None) -> Type | None:
    """The type, its arguments left out when it has too many parts: comparing and hashing walk all of them."""
    inner = parts(of)
    if not inner:
        return of
    stack = list(inner)
    for _ in range(_MAX_PARTS - 1):
        if not stack:
            return of
        stack += parts(stack.pop())
    if type(of) is Instance or type(of) is ClassRef:
        return type(of)(of.cls)
    if type(of) is Union:
        return union(*(bounded(option) for option in of.options[:_MAX_PARTS]))
    return Coroutine(bounded(of.result)) if type(of) is Coroutine else of


def parts(of: Type | None) -> tuple[Type | None, ...]:
    """The types inside a type: its arguments, options or result."""
    # `type(...) is`, here and in the other hot places: these classes are final, and a miss of `isinstance` costs five times as much.
    if type(of) is Instance or type(of) is ClassRef:
        return of.args
    if type(of) is Union:
        return of.options
    return (of.result,) if type(of) is Coroutine else ()


def options(of: Type | None) -> tuple[Type, ...]:
    """The alternatives of a type: itself, or a union's members; nothing when not known."""
    if of is None:
        return ()
    return of.options if of.__class__ is Union else (of,)


def without_none(of: Type | None) -> Type | None:
    """The type when it is not None."""
    return union(*(option for option in options(of) if option != NONE))


def may_be_none(of: Type | None) -> bool:
    """None is one of its alternatives."""
    return any(option == NONE for option in options(of))
