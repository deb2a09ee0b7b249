"""How a library is described: names, classes, results of calls, and which calls mean which concepts.

A library file holds one `library = Library(...)` and fills it by tables and decorated functions; `registry`
finds it by
walking this folder. Names are canonical dotted names as a user would import them; other spellings go into
`aliases`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.program.library_model import CallContext
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, External, Instance, Type, options
from fastapi_architect.syntax import ir

CallType = Type | Callable[[CallContext], Type | None]


class RecognisedCall:
    """A call that a library knows, handed to the function that says which concepts it means.

    Attributes:
        site: the call in its surroundings.
        name: canonical dotted name by which it was recognised.
        sure: False when only the receiver's name and the method's name fitted.
        program: for types and constants.
    """

    __slots__ = ("name", "program", "site", "sure")

    def __init__(self, site: Site, name: str, program: Program, *, sure: bool) -> None:
        self.site = site
        self.name = name
        self.program = program
        self.sure = sure

    @property
    def node(self) -> ir.Call:
        """The call."""
        return self.site.node  # type: ignore[no-any-return]

    @property
    def scope(self) -> Scope:
        """The body it stands in."""
        return self.site.scope

    def argument(self, position: int | None, keyword: str | None = None) -> ir.Expr | None:
        """The argument of that name, else at that position, else None."""
        return argument(self.node, position, keyword)

    def type_of(self, expr: ir.Expr | None) -> Type | None:
        """Type of an argument."""
        return self.program.inference.type_of(expr, self.scope)

    def constant(self, expr: ir.Expr | None) -> Any:
        """Value of an argument, or `UNKNOWN`."""
        return self.program.constants.value(expr, self.scope)

    def keyword(self, name: str) -> ir.Expr | None:
        """The keyword argument of that name, or None."""
        return argument(self.node, None, name)

    @property
    def place(self) -> tuple[Site, str, bool]:
        """The first three fields of every concept."""
        return self.site, self.name, self.sure

    @property
    def method(self) -> str:
        """Last name of what is called: the method's or function's own."""
        return self.name.rpartition(".")[2]

    @property
    def receiver(self) -> ir.Expr | None:
        """`x` in `x.method(...)`."""
        func = self.node.func
        return func.value if func.__class__ is ir.Attribute else None

    @property
    def managed(self) -> bool:
        """The call is the context of a `with` statement."""
        return self.site.context.inside("with-item") is not None

    def receiver_type(self) -> Type | None:
        """Type of `x` in `x.method(...)`."""
        func = self.node.func
        return self.type_of(func.value) if func.__class__ is ir.Attribute else None


Recogniser = Callable[[RecognisedCall], Iterable[Concept]]


class Recognition(msgspec.Struct, frozen=True):
    """One registered recogniser."""

    concepts: tuple[type[Concept], ...]
    names: frozenset[str]
    #: last name of the call to words, one of which the receiver's name must contain, for receivers of
    #: unknown type.
    duck: dict[str, tuple[str, ...]]
    function: Recogniser


class Library(msgspec.Struct):
    """Everything known about one library.

    Attributes:
        packages: top-level import names that a file of the same name in a project does not hide
            (`app/redis.py`). A name that
            projects use for files of their own (`emails`, `docker`) is left out: the library is still known
            by its names.
        aliases: other dotted name to canonical dotted name; a name ending in `.*` renames a whole prefix.
        classes: canonical names of classes that do not start with a capital letter, or need saying.
        functions: canonical names that start with a capital letter but are functions.
        bases: class to its base classes.
        attributes: "Class.attribute" to type.
        calls: callable's name to what calling it gives.
        descriptors: class to a function (arguments, on_instance) giving what reading such an attribute
            yields.
        injections: names of markers whose first argument provides a parameter's value.
        recognitions: registered recognisers.
    """

    packages: tuple[str, ...]
    aliases: dict[str, str] = msgspec.field(default_factory=dict)
    classes: set[str] = msgspec.field(default_factory=set)
    functions: set[str] = msgspec.field(default_factory=set)
    bases: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    attributes: dict[str, Type] = msgspec.field(default_factory=dict)
    calls: dict[str, CallType] = msgspec.field(default_factory=dict)
    descriptors: dict[str, Callable[[tuple[Type | None, ...], bool], Type | None]] = msgspec.field(
        default_factory=dict
    )
    injections: frozenset[str] = frozenset()
    recognitions: list[Recognition] = msgspec.field(default_factory=list)

    def call(
        self, *names: str
    ) -> Callable[[Callable[[CallContext], Type | None]], Callable[[CallContext], Type | None]]:
        """Register a function that types calls of `names`."""

        def register(function: Callable[[CallContext], Type | None]) -> Callable[[CallContext], Type | None]:
            for name in names:
                self.calls[name] = function
            return function

        return register

    def recognise(
        self, *concepts: type[Concept], names: Iterable[str], duck: dict[str, tuple[str, ...]] | None = None
    ) -> Callable[[Recogniser], Recogniser]:
        """Register a function that turns calls of `names` into `concepts`.

        Args:
            concepts: every class of concept that the function may yield.
            names: canonical dotted names; for a method, of the class that defines it
                (`sqlalchemy.orm.Session.execute`);
                subclasses and aliases are found by themselves.
            duck: for receivers of unknown type: `{"execute": ("session", "db", "conn")}` accepts
                `self.db_session.execute`; `"=log"` fits that name alone and `""` every receiver. For objects
                that are called, `{"__call__": words}` says which names to look at: `SessionLocal()`.
        """

        def register(function: Recogniser) -> Recogniser:
            self.recognitions.append(Recognition(concepts, frozenset(names), duck or {}, function))
            return function

        return register


class Libraries:
    """All library descriptions as one `LibraryModel`."""

    def __init__(self, libraries: Iterable[Library]) -> None:
        self.libraries = tuple(libraries)
        self._packages: set[str] = set()
        self._aliases: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._classes: set[str] = set()
        self._functions: set[str] = set()
        self._bases: dict[str, tuple[str, ...]] = {}
        self._attributes: dict[str, Type] = {}
        self._calls: dict[str, CallType] = {}
        self._descriptors: dict[str, Callable[[tuple[Type | None, ...], bool], Type | None]] = {}
        self._injections: set[str] = set()
        for library in self.libraries:
            self._packages.update(library.packages)
            for name, target in library.aliases.items():
                if name.endswith(".*"):
                    self._prefixes[name[:-1]] = target
                else:
                    self._aliases[name] = target
            self._classes |= library.classes
            self._functions |= library.functions
            self._bases.update(library.bases)
            self._attributes.update(library.attributes)
            self._calls.update(library.calls)
            self._descriptors.update(library.descriptors)
            self._injections |= library.injections
        #: Class to the type of attributes that it makes on demand.
        self._on_demand = {
            name.removesuffix(".*"): of for name, of in self._attributes.items() if name.endswith(".*")
        }
        self._canonical: dict[str, str] = {}

    def canonical(self, name: str) -> str:
        """The one name of something exported under several."""
        known = self._canonical.get(name)
        if known is None:
            known = self._canonical[name] = self._find_canonical(name)
        return known

    def _find_canonical(self, name: str) -> str:
        if name in self._aliases:
            return self._aliases[name]
        head, _, rest = name.rpartition(".")
        tail = rest
        while head:
            if head in self._aliases:
                return f"{self._aliases[head]}.{tail}"
            if f"{head}." in self._prefixes:
                return self._find_canonical(f"{self._prefixes[f'{head}.']}.{tail}")
            head, _, rest = head.rpartition(".")
            tail = f"{rest}.{tail}"
        return name

    def is_class(self, name: str) -> bool:
        """By table, else by a capital letter that is not a constant's name."""
        if name in self._classes:
            return True
        if name in self._functions or name.startswith("typing."):
            return False
        last = name.rpartition(".")[2]
        return last[:1].isupper() and not (last.isupper() and len(last) > 1)

    def bases(self, name: str) -> tuple[str, ...]:
        """Base classes of a library's class."""
        return self._bases.get(name, ())

    def attribute_type(self, cls: str, attribute: str) -> Type | None:
        """Type of a data attribute; `cls.*` in the table stands for attributes made on demand."""
        name = f"{cls}.{attribute}"
        known = self._attributes.get(name)
        if known is None and cls in self._on_demand and name not in self._calls:
            return self._on_demand[cls]
        return known

    def call_type(self, name: str) -> CallType | None:
        """What calling `name` gives."""
        return self._calls.get(name)

    def descriptor(self, of: Type, on_instance: bool) -> Type:
        """What reading a class attribute of this declared type gives."""
        for option in options(of):
            if isinstance(option, Instance) and isinstance(option.cls, str):
                found = self._descriptors.get(option.cls)
                if found is not None:
                    return found(option.args, on_instance) or of
        return of

    def is_injection(self, name: str) -> bool:
        """A marker such as `fastapi.Depends`."""
        return name in self._injections

    def is_known_package(self, name: str) -> bool:
        """A top-level package that a library describes."""
        return name in self._packages

    def recognitions(self) -> Iterator[Recognition]:
        """Every registered recogniser."""
        for library in self.libraries:
            yield from library.recognitions


def external_name(of: Type | None) -> str:
    """Dotted name of a library's class, instance or function; "" otherwise."""
    for option in options(of):
        if isinstance(option, External):
            return option.name
        if isinstance(option, Instance | ClassRef) and isinstance(option.cls, str):
            return option.cls
    return ""
