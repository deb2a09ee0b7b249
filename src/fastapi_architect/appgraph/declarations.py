"""What a class body or a call declares, read once for schemas, models, settings and tasks alike.

Names of libraries are compared by package and last name (`sqlalchemy`, `mapped_column`), because one thing
is exported from several places and re-exported by others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from fastapi_architect.program.call_graph import callable_name
from fastapi_architect.program.class_hierarchy import substitute
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import Type, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

T = TypeVar("T")


class Declared(msgspec.Struct, frozen=True):
    """A name that a class body declares.

    Attributes:
        name: the attribute.
        cls: the class whose body it stands in.
        node: the statement.
        annotation: as written, or None.
        value: the right-hand side, or None.
        function: the method, when it is one.
    """

    name: str
    cls: Class
    node: ir.Node
    annotation: ir.Expr | None
    value: ir.Expr | None
    function: Function | None = None

    @property
    def location(self) -> Location:
        """Where it is declared."""
        return self.function.location() if self.function is not None else self.cls.location(self.node)


def declared(cls: Class) -> tuple[Declared, ...]:
    """Everything a class body binds, in order; of several bindings of a name the last one, at the first
    one's place.
    """
    found: list[Declared] = []
    for name, bindings in cls.facts.bindings.items():
        last = bindings[-1]
        if last.kind in ("assign", "annotated"):
            found.append(Declared(name, cls, last.node, last.annotation, last.value))
        elif last.kind == "function" and isinstance(last.definition, Function):
            found.append(Declared(name, cls, last.node, None, None, last.definition))
    return tuple(found)


class Origin(msgspec.Struct, frozen=True):
    """Where something called or named comes from: the top-level package ("" when not known) and its last
    name.
    """

    package: str
    name: str

    def is_one_of(self, package: str, *names: str) -> bool:
        """The name is one of `names`, of `package` or of an import that leads nowhere."""
        return self.name in names and self.package in (package, "")


NOWHERE = Origin("", "")


def origins(program: Program, expr: ir.Expr | None, scope: Scope) -> Iterator[Origin]:
    """The origin of each thing that `expr` (a callee, decorator or base class) may be."""
    if expr is None:
        return
    any_known = False
    for of in options(program.inference.type_of(expr, scope)):
        name = callable_name(of).removesuffix(".__call__")
        if name:
            any_known = True
            yield origin_of_name(name)
    if not any_known and last_name(expr):
        yield Origin("", last_name(expr))


def origin(program: Program, expr: ir.Expr | None, scope: Scope) -> Origin:
    """The first of `origins`."""
    if expr is None:
        return NOWHERE
    known = program.answers.get(("origin", id(expr), id(scope)))
    return known[1] if known is not None else _kept(program, "origin", expr, scope, _origin)


def _origin(program: Program, expr: ir.Expr, scope: Scope) -> Origin:
    return next(origins(program, expr, scope), NOWHERE)


def _kept(
    program: Program, question: str, expr: ir.Expr, scope: Scope, find: Callable[[Program, ir.Expr, Scope], T]
) -> T:
    """The answer to a question about an expression, found once."""
    key = (question, id(expr), id(scope))
    known = program.answers.get(key)
    if known is None:
        answer = find(program, expr, scope)
        if not program.inference.is_idle:
            return answer
        # The expression is kept, too: its identity must not be given to another one.
        known = program.answers[key] = (expr, answer)
    return known[1]


def origin_of_name(dotted: str) -> Origin:
    """`sqlalchemy.orm.mapped_column` to its package and last name."""
    return Origin(dotted.partition(".")[0], dotted.rpartition(".")[2])


def called(program: Program, expr: ir.Expr | None, scope: Scope) -> Origin:
    """The origin of the callee when `expr` is a call, else `NOWHERE`."""
    return origin(program, expr.func, scope) if type(expr) is ir.Call else NOWHERE


def decorator_origin(program: Program, expr: ir.Expr, scope: Scope) -> Origin:
    """The origin of a decorator, called or not."""
    return origin(program, expr.func if type(expr) is ir.Call else expr, scope)


def keyword(call: ir.Call, *names: str) -> ir.Expr | None:
    """The value of the first keyword argument that has one of `names`, or None."""
    for each in call.keywords:
        if each.arg in names:
            return each.value
    return None


def constant_keyword(program: Program, call: ir.Call, scope: Scope, *names: str) -> Any:
    """The constant value of a keyword argument: None when it is absent, `UNKNOWN` when it is not a
    constant.
    """
    expr = keyword(call, *names)
    return None if expr is None else program.constants.value(expr, scope)


def flag(
    program: Program, call: ir.Call, scope: Scope, name: str, default: bool | None = None
) -> bool | None:
    """A boolean keyword argument: `default` when absent, None when not known."""
    value = constant_keyword(program, call, scope, name)
    if value is None:
        return default
    return value if isinstance(value, bool) else None


def text(program: Program, call: ir.Call, scope: Scope, *names: str) -> str | None:
    """A string keyword argument, None when absent or not known."""
    value = constant_keyword(program, call, scope, *names)
    return value if isinstance(value, str) else None


def known(value: Any) -> Any:
    """None instead of `UNKNOWN`."""
    return None if value is UNKNOWN else value


def elements(expr: ir.Expr | None) -> list[ir.Expr]:
    """The elements of a list, tuple or set display, or of several joined by `+`; the expression itself
    otherwise.
    """
    if expr is None:
        return []
    if isinstance(expr, ir.Sequence):
        return (
            [inner for each in expr.elts for inner in elements(_unstarred(each))]
            if _has_star(expr)
            else expr.elts
        )
    if isinstance(expr, ir.BinOp) and expr.op == "+":
        return [*elements(expr.left), *elements(expr.right)]
    return [expr]


def _has_star(expr: ir.Sequence) -> bool:
    return any(each.__class__ is ir.Starred for each in expr.elts)


def _unstarred(expr: ir.Expr) -> ir.Expr:
    return expr.value if isinstance(expr, ir.Starred) else expr


def subscript_elements(expr: ir.Expr) -> list[ir.Expr]:
    """`[A, B]` for `X[A, B]`, empty for anything else."""
    if not isinstance(expr, ir.Subscript):
        return []
    return expr.slice.elts if isinstance(expr.slice, ir.Sequence) else [expr.slice]


#: Builtins that most annotations are, and that no program gives another meaning.
_SCALARS = frozenset({"bool", "bytes", "float", "int", "str"})


def _is_scalar(expr: ir.Expr) -> bool:
    """A plain `str` or `int`: nothing stands behind it."""
    return type(expr) is ir.Name and expr.id in _SCALARS


def unwrapped(program: Program, expr: ir.Expr, scope: Scope) -> tuple[ir.Expr, Scope]:
    """An annotation behind its quotes and aliases, with the scope in which to read it."""
    return program.inference.expand(expr, scope)


def annotated_parts(program: Program, expr: ir.Expr | None, scope: Scope) -> Iterator[tuple[ir.Expr, Scope]]:
    """Metadata in `Annotated[T, ...]`, aliases followed, through unions and nesting, outermost first."""
    if expr is None or _is_scalar(expr):
        return iter(())
    return iter(_kept(program, "parts", expr, scope, _all_parts))


def _all_parts(program: Program, expr: ir.Expr, scope: Scope) -> tuple[tuple[ir.Expr, Scope], ...]:
    return tuple(_annotated_parts(program, expr, scope, 0))


def _annotated_parts(
    program: Program, expr: ir.Expr | None, scope: Scope, depth: int
) -> Iterator[tuple[ir.Expr, Scope]]:
    if expr is None or depth > 12:
        return
    expr, scope = unwrapped(program, expr, scope)
    if isinstance(expr, ir.BinOp) and expr.op == "|":
        yield from _annotated_parts(program, expr.left, scope, depth + 1)
        yield from _annotated_parts(program, expr.right, scope, depth + 1)
    elif isinstance(expr, ir.Subscript):
        parts = subscript_elements(expr)
        wrapper = last_name(expr.value)
        if wrapper == "Annotated" and parts:
            for part in parts[1:]:
                yield part, scope
            yield from _annotated_parts(program, parts[0], scope, depth + 1)
        elif wrapper in ("Optional", "Union", "Final", "Required", "NotRequired", "ClassVar"):
            for part in parts:
                yield from _annotated_parts(program, part, scope, depth + 1)


def annotation_heads(program: Program, expr: ir.Expr | None, scope: Scope) -> Iterator[tuple[ir.Expr, Scope]]:
    """The plain types of an annotation, `Annotated`, `Optional` and unions taken off.

    `list[X]` and `None` for `Annotated[list[X] | None, ...]`.
    """
    if expr is None:
        return iter(())
    return iter(((expr, scope),) if _is_scalar(expr) else _kept(program, "heads", expr, scope, _all_heads))


def _all_heads(program: Program, expr: ir.Expr, scope: Scope) -> tuple[tuple[ir.Expr, Scope], ...]:
    return tuple(_annotation_heads(program, expr, scope, 0))


def _annotation_heads(
    program: Program, expr: ir.Expr | None, scope: Scope, depth: int
) -> Iterator[tuple[ir.Expr, Scope]]:
    if expr is None or depth > 12:
        return
    expr, scope = unwrapped(program, expr, scope)
    if isinstance(expr, ir.BinOp) and expr.op == "|":
        yield from _annotation_heads(program, expr.left, scope, depth + 1)
        yield from _annotation_heads(program, expr.right, scope, depth + 1)
        return
    parts = subscript_elements(expr)
    wrapper = last_name(expr.value) if isinstance(expr, ir.Subscript) else ""
    if wrapper in ("Annotated", "Final", "Required", "NotRequired") and parts:
        yield from _annotation_heads(program, parts[0], scope, depth + 1)
    elif wrapper in ("Optional", "Union"):
        for part in parts:
            yield from _annotation_heads(program, part, scope, depth + 1)
        if wrapper == "Optional":
            yield ir.Constant(expr.span, "none", None), scope
    else:
        yield expr, scope


def is_none(expr: ir.Expr | None) -> bool:
    """The literal None."""
    return isinstance(expr, ir.Constant) and expr.kind == "none"


def is_ellipsis(expr: ir.Expr | None) -> bool:
    """The literal `...`."""
    return isinstance(expr, ir.Constant) and expr.kind == "ellipsis"


def allows_none(program: Program, annotation: ir.Expr | None, scope: Scope) -> bool:
    """The annotation has None among its alternatives."""
    return any(is_none(head) for head, _ in annotation_heads(program, annotation, scope))


def has_library_ancestor(program: Program, cls: Class, package: str, *names: str) -> bool:
    """The class inherits from a library's class of that package and last name."""
    return not program.inference.hierarchy.library_names(cls, package).isdisjoint(names)


def ancestors(program: Program, cls: Class) -> list[tuple[Class, dict[str, Type | None]]]:
    """The class and its ancestors in the program, nearest first, each with what its type variables stand
    for.
    """
    order = program.inference.hierarchy.order(cls)
    return [(entry.cls, entry.variables) for entry in order if isinstance(entry.cls, Class)]


def seen_type(
    program: Program, annotation: ir.Expr | None, owner: Class, variables: dict[str, Type | None]
) -> Type | None:
    """The type that an annotation in `owner` means for a subclass that fills in `variables`."""
    return substitute(program.inference.annotation(annotation, owner), variables)
