"""The part of Python's own library that typing needs: builtin names, typing constructs, containers and their elements."""

from __future__ import annotations

from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.types import (
    BOOL,
    BYTES,
    FLOAT,
    INT,
    NONE,
    STR,
    ClassRef,
    Instance,
    Type,
    options,
    union,
)

CLASSES = frozenset(
    "bool bytearray bytes classmethod complex dict enumerate filter float frozenset int list map memoryview object "
    "property range reversed set slice staticmethod str super tuple type zip "
    "BaseException Exception ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError "
    "ConnectionError ConnectionAbortedError ConnectionRefusedError ConnectionResetError EOFError EnvironmentError "
    "FileExistsError FileNotFoundError GeneratorExit ImportError IndexError InterruptedError IOError IsADirectoryError "
    "KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError "
    "NotImplementedError OSError OverflowError PermissionError ProcessLookupError RecursionError ReferenceError "
    "RuntimeError StopAsyncIteration StopIteration SyntaxError SystemError SystemExit TimeoutError TypeError "
    "UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError ValueError Warning DeprecationWarning "
    "UserWarning ZeroDivisionError ExceptionGroup BaseExceptionGroup".split()
)
FUNCTIONS = frozenset(
    "abs aiter all anext any ascii bin breakpoint callable chr compile delattr dir divmod eval exec format getattr "
    "globals hasattr hash help hex id input isinstance issubclass iter len locals max min next oct open ord pow print "
    "repr round setattr sorted sum vars __import__".split()
)

#: Other names of builtin and abstract container types.
CANONICAL = {
    **{
        f"typing.{name}": f"builtins.{name.lower()}"
        for name in ("List", "Dict", "Set", "FrozenSet", "Tuple", "Type")
    },
    **{
        f"typing.{name}": f"collections.abc.{name}"
        for name in (
            "Iterable Iterator Generator AsyncIterable AsyncIterator AsyncGenerator Awaitable Coroutine Callable Sequence "
            "MutableSequence Mapping MutableMapping Collection Container Hashable Sized"
        ).split()
    },
    "typing.AbstractSet": "collections.abc.Set",
    "typing.Deque": "collections.deque",
    "typing.DefaultDict": "collections.defaultdict",
    "typing.OrderedDict": "collections.OrderedDict",
    "typing.Counter": "collections.Counter",
    "typing.ContextManager": "contextlib.AbstractContextManager",
    "typing.AsyncContextManager": "contextlib.AbstractAsyncContextManager",
    "typing.Text": "builtins.str",
    "builtins.IOError": "builtins.OSError",
    "builtins.EnvironmentError": "builtins.OSError",
}

#: Typing constructs that mean their (first) argument.
TRANSPARENT = frozenset(
    f"typing.{name}"
    for name in ("Annotated", "ClassVar", "Final", "Required", "NotRequired", "ReadOnly", "Unpack", "InitVar")
) | {"dataclasses.InitVar"}

AWAITABLES = frozenset(
    {"collections.abc.Awaitable", "collections.abc.Coroutine", "asyncio.Future", "asyncio.Task"}
)

_MAPPINGS = frozenset(
    {
        "builtins.dict",
        "collections.abc.Mapping",
        "collections.abc.MutableMapping",
        "collections.OrderedDict",
        "collections.defaultdict",
    }
)


def canonical(name: str) -> str:
    """The one name of a typing construct; other names come back as they are."""
    if name.startswith("typing_extensions."):
        name = "typing." + name[18:]
    return CANONICAL.get(name, name)


def element(of: Instance) -> Type | None:
    """What iterating over a container gives; None when not known."""
    name = of.name
    if name == "builtins.tuple":
        return union(*of.args)
    if name == "builtins.str":
        return STR
    if name in {"builtins.range", "builtins.bytes"}:
        return INT
    return of.args[0] if of.args else None


def _argument_type(call: CallContext, position: int = 0) -> Type | None:
    expr = call.argument(position)
    return call.type_of(expr) if expr is not None else None


def _elements_of(of: Type | None) -> Type | None:
    return union(*(element(option) for option in options(of) if isinstance(option, Instance)))


def _container(name: str):  # type: ignore[no-untyped-def]  # a small factory; the inner signature says it
    def call_type(call: CallContext) -> Type:
        return Instance(name, (_elements_of(_argument_type(call)),))

    return call_type


def _enumerate(call: CallContext) -> Type:
    return Instance(
        "builtins.enumerate", (Instance("builtins.tuple", (INT, _elements_of(_argument_type(call)))),)
    )


def _zip(call: CallContext) -> Type:
    parts = tuple(_elements_of(call.type_of(argument)) for argument in call.node.args)
    return Instance("builtins.zip", (Instance("builtins.tuple", parts),))


def _dict_part(*wanted: int):  # type: ignore[no-untyped-def]
    def call_type(call: CallContext) -> Type | None:
        args = call.receiver.args if call.receiver is not None else ()
        parts = tuple(args[index] if index < len(args) else None for index in wanted)
        return Instance("builtins.list", (Instance("builtins.tuple", parts) if len(parts) > 1 else parts[0],))

    return call_type


def _dict_value(call: CallContext) -> Type | None:
    args = call.receiver.args if call.receiver is not None else ()
    # Values of an unknown type: "None or anything" is anything, not None.
    return union(args[1], NONE) if len(args) > 1 and args[1] is not None else None


def _first_element(call: CallContext) -> Type | None:
    return _elements_of(_argument_type(call))


def _same(call: CallContext) -> Type | None:
    return call.receiver


def _receiver_element(call: CallContext) -> Type | None:
    return element(call.receiver) if isinstance(call.receiver, Instance) else None


def _type(call: CallContext) -> Type | None:
    of = _argument_type(call)
    return union(*(ClassRef(o.cls, o.args) for o in options(of) if isinstance(o, Instance)))


_STR_METHODS = (
    "capitalize casefold center expandtabs format format_map join ljust lower lstrip replace rjust rstrip strip swapcase "
    "title translate upper zfill removeprefix removesuffix"
).split()

#: Result of calling builtin functions and methods.
CALLS = {
    **{
        f"builtins.{name}": of
        for name, of in (("len", INT), ("id", INT), ("hash", INT), ("ord", INT), ("sum", None))
    },
    **{f"builtins.{name}": STR for name in ("repr", "chr", "hex", "bin", "oct", "ascii", "format", "input")},
    **{
        f"builtins.{name}": BOOL for name in ("isinstance", "issubclass", "callable", "hasattr", "any", "all")
    },
    **{
        f"builtins.{name}": _container(f"builtins.{name}")
        for name in ("list", "set", "frozenset", "reversed")
    },
    "builtins.tuple": _container("builtins.list"),
    "builtins.sorted": _container("builtins.list"),
    "builtins.filter": lambda call: Instance("builtins.list", (_elements_of(_argument_type(call, 1)),)),
    "builtins.iter": _container("collections.abc.Iterator"),
    "builtins.enumerate": _enumerate,
    "builtins.zip": _zip,
    "builtins.next": _first_element,
    "builtins.anext": _first_element,
    "builtins.max": _first_element,
    "builtins.min": _first_element,
    "builtins.round": FLOAT,
    "builtins.abs": _argument_type,
    "builtins.type": _type,
    **{f"builtins.str.{name}": STR for name in _STR_METHODS},
    **{
        f"builtins.str.{name}": Instance("builtins.list", (STR,))
        for name in ("split", "rsplit", "splitlines")
    },
    **{
        f"builtins.str.{name}": Instance("builtins.tuple", (STR, STR, STR))
        for name in ("partition", "rpartition")
    },
    **{
        f"builtins.str.{name}": BOOL
        for name in ("startswith", "endswith", "isdigit", "isalnum", "isidentifier")
    },
    **{f"builtins.str.{name}": INT for name in ("find", "index", "count", "rfind")},
    "builtins.str.encode": BYTES,
    "builtins.bytes.decode": STR,
    "builtins.bytes.hex": STR,
    "builtins.dict.items": _dict_part(0, 1),
    "builtins.dict.keys": _dict_part(0),
    "builtins.dict.values": _dict_part(1),
    "builtins.dict.get": _dict_value,
    "builtins.dict.pop": _dict_value,
    "builtins.dict.copy": _same,
    "builtins.list.copy": _same,
    "builtins.list.pop": _receiver_element,
    "builtins.set.pop": _receiver_element,
}


def subscript(of: Instance, index: int | None, is_slice: bool) -> Type | None:
    """What `x[i]` gives; `index` is a constant position or None."""
    if is_slice:
        return of
    if of.name in _MAPPINGS:
        return of.args[1] if len(of.args) > 1 else None
    if of.name == "builtins.tuple" and index is not None and of.args:
        return of.args[index] if -len(of.args) <= index < len(of.args) else None
    return element(of)
