"""Building blocks for `Library.calls`: what a call gives, told by its receiver and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fastapi_architect.libraries.library import CallType, Library
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import NONE, ClassRef, Coroutine, Instance, Type, options, union


def awaitable(of: CallType | None) -> CallType:
    """A coroutine of `of`."""
    if of is None or not callable(of):
        return Coroutine(of)

    def call_type(call: CallContext) -> Type:
        return Coroutine(of(call))

    return call_type


def coroutines(
    library: Library, owner: str, methods: str | Iterable[str], of: CallType | None = None
) -> None:
    """Calls of `owner`'s functions or methods give coroutines; `methods` may be one string with spaces."""
    for method in methods.split() if isinstance(methods, str) else methods:
        library.calls.setdefault(f"{owner}.{method}", awaitable(of))


def manager(of: Type | None) -> Instance:
    """A context manager that gives `of`, for `with` and `async with`."""
    return Instance("contextlib.AbstractContextManager", (of,))


def receiver(call: CallContext) -> Type | None:
    """What the method is called on: chains."""
    return call.receiver


def receiver_argument(index: int = 0) -> Callable[[CallContext], Type | None]:
    """A type argument of what the method is called on."""

    def call_type(call: CallContext) -> Type | None:
        args = call.receiver.args if call.receiver is not None else ()
        return args[index] if index < len(args) else None

    return call_type


def optional(of: CallType) -> CallType:
    """`of` or None."""
    if not callable(of):
        return union(of, NONE) or NONE

    def call_type(call: CallContext) -> Type | None:
        inner = of(call)
        return union(inner, NONE) if inner is not None else None

    return call_type


def list_of(of: CallType) -> CallType:
    """A list of `of`."""
    if not callable(of):
        return Instance("builtins.list", (of,))

    def call_type(call: CallContext) -> Type:
        return Instance("builtins.list", (of(call),))

    return call_type


def argument_instance(position: int, keyword: str | None = None) -> Callable[[CallContext], Type | None]:
    """An instance of the class that an argument names: `session.get(User, 1)`."""

    def call_type(call: CallContext) -> Type | None:
        expr = call.argument(position, keyword)
        return instance_of(call.type_of(expr)) if expr is not None else None

    return call_type


def argument_type(position: int, keyword: str | None = None) -> Callable[[CallContext], Type | None]:
    """The type of an argument."""

    def call_type(call: CallContext) -> Type | None:
        expr = call.argument(position, keyword)
        return call.type_of(expr) if expr is not None else None

    return call_type


def instance_of(of: Type | None) -> Type | None:
    """What instances of a class value are; `type[T]` gives T."""
    found: list[Type | None] = []
    for option in options(of):
        if isinstance(option, ClassRef):
            found.append(Instance(option.cls, option.args))
        elif isinstance(option, Instance) and option.cls == "builtins.type" and option.args:
            found.append(option.args[0])
    return union(*found)


def inherit(library: Library, table: str) -> None:
    """Fill `library.bases` from lines `Class: Base, Base`; names without a dot belong to the first line's
    module.

    The first line is the module: `sqlalchemy.exc`. Raises ValueError for a line without classes or bases.
    """
    lines = [line.strip() for line in table.strip().splitlines() if line.strip()]
    module = lines[0]
    for line in lines[1:]:
        names, colon, given = line.partition(":")
        if not (colon and names.strip() and given.strip()):
            raise ValueError(f"not a line of classes and bases: {line!r}")
        bases = tuple(b.strip() if "." in b else f"{module}.{b.strip()}" for b in given.split(","))
        for name in names.split():
            library.bases[f"{module}.{name}"] = bases
