"""What a program is made of: modules, classes, functions, and the names bound in each of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir, span

if TYPE_CHECKING:
    from fastapi_architect.program.facts import BodyFacts


class Binding(msgspec.Struct, frozen=True, eq=False):
    """One way in which a name gets its value.

    Attributes:
        kind: assign, annotated, augmented, parameter, loop, with, except, import, from, function, class, comprehension,
            walrus, match, delete.
        node: the statement or expression that binds.
        value: expression the value comes from (the iterable for a loop, the context manager for with, the type for
            except), None when there is none.
        annotation: the declared type, or None.
        path: positions by which the value is taken apart: `a, (b, c) = v` binds c with path (1, 1).
        definition: the `Function` or `Class` for those kinds.
        target: dotted module for an import; for a from-import `module` and `attribute`.
    """

    kind: str
    node: ir.Node
    value: ir.Expr | None = None
    annotation: ir.Expr | None = None
    path: tuple[int, ...] = ()
    definition: Function | Class | None = None
    target: str = ""
    attribute: str = ""

    @property
    def declares_alias(self) -> bool:
        """`Name: TypeAlias = ...`."""
        return self.annotation is not None and last_name(self.annotation) == "TypeAlias"


class Scope:
    """Anything with a body in which names are bound: a module, a class or a function.

    Attributes:
        module: the module it lies in (itself for a module).
        parent: the enclosing scope, None for a module.
        name: its own name; for a module the dotted name.
        qualname: dotted path inside the module, "" for the module.
        full_name: dotted name from the module's name on: `app.services.orders.OrderService.create`.
    """

    __slots__ = ("_facts", "classes", "full_name", "functions", "module", "name", "parent", "qualname")

    module: Module
    parent: Scope | None
    full_name: str

    def __init__(self, name: str, qualname: str) -> None:
        self.name = name
        self.qualname = qualname
        self._facts: BodyFacts | None = None
        #: Direct inner functions and classes in order of definition; later ones of the same name too.
        self.functions: list[Function] = []
        self.classes: list[Class] = []

    @property
    def body(self) -> list[ir.Stmt]:
        """The statements."""
        raise NotImplementedError

    @property
    def facts(self) -> BodyFacts:
        """Everything one walk over the body collects; walked on first use."""
        facts = self._facts
        if facts is None:
            from fastapi_architect.program.facts import collect  # the walk needs these classes

            facts = self._facts = collect(self)
        return facts

    def location(self, node: ir.Node | None = None) -> Location:
        """Where `node` stands (the definition itself when None)."""
        raise NotImplementedError

    def _locate(self, packed: int) -> Location:
        return Location(self.module.path, *span.unpack(packed))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.full_name}>"


class Module(Scope):
    """One file.

    Attributes:
        path: relative to the tree's root, forward slashes.
        parsed: its syntax.
        is_package: it is an `__init__.py`.
        kind: source, test, vendored, generated, migration or example (see `source.tree`).
    """

    __slots__ = ("is_package", "kind", "parsed", "path", "root")

    def __init__(self, name: str, path: str, parsed: ir.ParsedModule, kind: str, root: str) -> None:
        super().__init__(name, "")
        self.module = self
        self.full_name = name
        self.parent = None
        self.path = path
        self.parsed = parsed
        self.kind = kind
        #: Folder that would be on `sys.path` for this module's name, "" for the tree's root.
        self.root = root
        self.is_package = path.endswith("__init__.py")
        define(self, parsed.body)

    @property
    def body(self) -> list[ir.Stmt]:
        """The statements."""
        return self.parsed.body

    @property
    def package(self) -> str:
        """Dotted name against which relative imports resolve."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    def location(self, node: ir.Node | None = None) -> Location:
        """Where `node` stands; the definition itself when None."""
        return self._locate(node.span) if node is not None else Location(self.path, 1)

    def mentions(self, identifier: str) -> bool:
        """The file contains this name, attribute or keyword somewhere."""
        # They are sorted; a set of them for each module is 22 MB in a million lines.
        names = self.parsed.identifiers
        at = bisect_left(names, identifier)
        return at < len(names) and names[at] == identifier


class Class(Scope):
    """A class of the program."""

    __slots__ = ("methods", "node")

    def __init__(self, node: ir.ClassDef, parent: Scope) -> None:
        super().__init__(node.name, f"{parent.qualname}.{node.name}" if parent.qualname else node.name)
        self.node = node
        self.module = parent.module
        self.full_name = f"{self.module.name}.{self.qualname}"
        self.parent = parent
        define(self, node.body)
        self.methods: dict[str, Function] = {f.name: f for f in self.functions}

    @property
    def body(self) -> list[ir.Stmt]:
        """The statements."""
        return self.node.body

    def location(self, node: ir.Node | None = None) -> Location:
        """Where `node` stands; the definition itself when None."""
        return self._locate(node.span if node is not None else self.node.name_span or self.node.span)


class Function(Scope):
    """A function or method of the program.

    Attributes:
        node: its definition.
        owner: the class whose method it is, or None.
        parameters: as declared.
        decorator_names: last names of its decorators, called or not.
        is_method: its first parameter is the instance or the class.
    """

    __slots__ = ("decorator_names", "is_method", "node", "owner", "parameters")

    def __init__(self, node: ir.FunctionDef, parent: Scope) -> None:
        super().__init__(node.name, f"{parent.qualname}.{node.name}" if parent.qualname else node.name)
        self.node = node
        self.module = parent.module
        self.full_name = f"{self.module.name}.{self.qualname}"
        self.parent = parent
        self.owner = parent if isinstance(parent, Class) else None
        self.decorator_names = _names_of(node.decorators) if node.decorators else _NO_NAMES
        self.is_method = self.owner is not None and "staticmethod" not in self.decorator_names
        self.parameters: tuple[ir.Param, ...] = tuple(node.params)
        if node.has_inner:
            define(self, self.body)

    @property
    def body(self) -> list[ir.Stmt]:
        """The statements."""
        return self.node.body.statements

    @property
    def is_async(self) -> bool:
        """Declared with `async def`."""
        return self.node.is_async

    @property
    def is_generator(self) -> bool:
        """Its body yields."""
        return self.node.is_generator

    def location(self, node: ir.Node | None = None) -> Location:
        """Where `node` stands; the definition itself when None."""
        return self._locate(node.span if node is not None else self.node.name_span or self.node.span)

    def parameter(self, name: str) -> ir.Param | None:
        """The parameter of that name, or None."""
        return next((p for p in self.parameters if p.name == name), None)

    def has_decorator(self, *names: str) -> bool:
        """A decorator whose last name is one of `names`, called or not."""
        return not self.decorator_names.isdisjoint(names)


_NO_NAMES: frozenset[str] = frozenset()


def _names_of(decorators: list[ir.Expr]) -> frozenset[str]:
    return frozenset(last_name(each.func if isinstance(each, ir.Call) else each) for each in decorators)


def define(scope: Scope, body: list[ir.Stmt]) -> None:
    """Fill `scope.functions` and `scope.classes`, wherever in its blocks they are defined."""
    for statement in body:
        if type(statement) is ir.FunctionDef:
            scope.functions.append(Function(statement, scope))
        elif type(statement) is ir.ClassDef:
            scope.classes.append(Class(statement, scope))
        else:
            blocks = BLOCKS.get(statement.__class__)
            if blocks is not None:
                for block in blocks(statement):
                    define(scope, block)


def _if_blocks(node: ir.If) -> Iterator[list[ir.Stmt]]:
    yield node.body
    for branch in node.elifs:
        yield branch.body
    yield node.orelse


def _try_blocks(node: ir.Try) -> Iterator[list[ir.Stmt]]:
    yield node.body
    for handler in node.handlers:
        yield handler.body
    yield node.orelse
    yield node.finalbody


#: Statement class to a function that gives its blocks, for statements that have any.
BLOCKS: dict[type[ir.Node], Callable[[Any], Iterable[list[ir.Stmt]]]] = {
    ir.If: _if_blocks,
    ir.For: lambda node: (node.body, node.orelse),
    ir.While: lambda node: (node.body, node.orelse),
    ir.With: lambda node: (node.body,),
    ir.Try: _try_blocks,
    ir.Match: lambda node: (case.body for case in node.cases),
}


def last_name(expr: ir.Expr) -> str:
    """`execute` for `self.session.execute`; "" for what has no name."""
    if type(expr) is ir.Attribute:
        return expr.attr
    return expr.id if type(expr) is ir.Name else ""


def dotted_name(expr: ir.Expr) -> str:
    """`a.b.c` for a chain of attributes on a name, else ""."""
    parts: list[str] = []
    while type(expr) is ir.Attribute:
        parts.append(expr.attr)
        expr = expr.value
    if type(expr) is not ir.Name:
        return ""
    parts.append(expr.id)
    return ".".join(reversed(parts))


def all_functions(scope: Scope) -> Iterator[Function]:
    """Every function inside `scope`, nested ones too, in order of definition."""
    for function in scope.functions:
        yield function
        if function.node.has_inner:
            yield from all_functions(function)
    for cls in scope.classes:
        yield from all_functions(cls)


def all_classes(scope: Scope) -> Iterator[Class]:
    """Every class inside `scope`, nested ones too."""
    for cls in scope.classes:
        yield cls
        yield from all_classes(cls)
    for function in scope.functions:
        if function.node.has_inner:
            yield from all_classes(function)
