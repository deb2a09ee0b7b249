"""Which names of a module, attributes of its objects, and values on `app.state` do all requests of a process share, and who
changes them?
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.program.definitions import Class, Function, Module, all_functions, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_CONTAINERS = frozenset({"dict", "list", "set", "defaultdict", "Counter", "OrderedDict", "deque"})
_MUTATORS = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove",
        "setdefault", "update",
    }
)  # fmt: skip
#: Changes after which a loop over the container fails or skips.
RESIZING = _MUTATORS


class SharedCell(msgspec.Struct, frozen=True):
    """A variable that requests share: a name of a module, an attribute of its one object of a class, or of `app.state`.

    Attributes:
        owner: full name of the module or class; `app.state`.
        name: the name.
        steps: how functions write it: `("pending",)`, `("self", "pending")`, `("app", "state", "pending")`.
        is_number: it holds a number or a flag; else a container.
    """

    owner: str
    name: str
    steps: tuple[str, ...]
    is_number: bool

    @property
    def written(self) -> str:
        """As functions write it."""
        return ".".join(self.steps)

    def is_named_by(self, expr: Any) -> bool:
        """The expression is this variable, whole."""
        if len(self.steps) == 1:
            return expr.__class__ is ir.Name and expr.id == self.name
        if expr.__class__ is not ir.Attribute or expr.attr != self.name:
            return False
        if len(self.steps) > 2:  # `request.app.state.pending` is the same
            return _is_app_state(expr.value)
        return last_name(expr.value) == self.steps[0]


class SharedState(msgspec.Struct, frozen=True, eq=False):
    """A variable with the functions that see it."""

    cell: SharedCell
    functions: tuple[Function, ...]


@question
def shared_state(graph: AppGraph) -> tuple[SharedState, ...]:
    """Every such variable outside tests, in order of files."""
    found: dict[SharedCell, SharedState] = {}
    for module in graph.program.modules.values():
        if module.kind == "source":
            for state in _of_module(module, graph):
                found.setdefault(state.cell, state)  # several modules may make an object of one class
    for state in _of_applications(graph):
        found.setdefault(state.cell, state)
    return tuple(found.values())


def _of_module(module: Module, graph: AppGraph) -> Iterator[SharedState]:
    functions: tuple[Function, ...] = ()
    for name, bindings in module.facts.bindings.items():
        value = bindings[0].value
        if len(bindings) != 1 or bindings[0].kind not in ("assign", "annotated") or value is None:
            continue
        kind = _kind(value)
        if kind:
            functions = functions or tuple(all_functions(module))
            yield SharedState(SharedCell(module.name, name, (name,), kind == "number"), functions)
        elif value.__class__ is ir.Call:
            cls = _class_of(value, module, graph)
            if cls is not None:
                yield from _of_object(cls)


def _of_object(cls: Class) -> Iterator[SharedState]:
    """Attributes that the constructor fills with something that can change."""
    init = cls.methods.get("__init__")
    if init is None or not any(method.is_async for method in cls.functions):
        return
    seen = set()
    for kind in (ir.Assign, ir.AnnAssign):
        for site in init.facts.sites(kind):
            target = site.node.targets[0] if kind is ir.Assign else site.node.target
            of = _kind(site.node.value) if site.node.value is not None else ""
            if (
                of
                and target.__class__ is ir.Attribute
                and last_name(target.value) == "self"
                and target.attr not in seen
            ):
                seen.add(target.attr)
                cell = SharedCell(cls.full_name, target.attr, ("self", target.attr), of == "number")
                yield SharedState(cell, tuple(f for f in cls.functions if f is not init))


def _of_applications(graph: AppGraph) -> Iterator[SharedState]:
    """`app.state.pending = {}`, in a module or where the application starts."""
    modules = [m for m in graph.program.mentioning("state") if m.kind == "source"]
    for module in modules:
        for scope in (module, *all_functions(module)):
            for site in scope.facts.sites(ir.Assign):
                target, kind = site.node.targets[0], _kind(site.node.value)
                if kind and target.__class__ is ir.Attribute and _is_app_state(target.value):
                    steps = ("app", "state", target.attr)
                    cell = SharedCell("app.state", target.attr, steps, kind == "number")
                    seeing = (m for m in modules if m.mentions(target.attr))
                    yield SharedState(cell, tuple(f for m in seeing for f in all_functions(m)))


def _is_app_state(expr: Any) -> bool:
    """`app.state`, `request.app.state`."""
    return expr.__class__ is ir.Attribute and expr.attr == "state" and last_name(expr.value) == "app"


def _kind(value: ir.Expr) -> str:
    """number (a flag, too) or container, "" for what is neither."""
    if value.__class__ is ir.Constant:
        return "number" if value.kind in ("int", "float", "bool") else ""
    if value.__class__ is ir.Dict:
        return "container"
    if value.__class__ is ir.Sequence:
        return "container" if value.kind != "tuple" else ""
    made = value.__class__ is ir.Call and last_name(value.func) in _CONTAINERS
    return "container" if made else ""


def _class_of(value: ir.Call, module: Module, graph: AppGraph) -> Class | None:
    for of in options(graph.program.inference.type_of(value.func, module)):
        if isinstance(of, ClassRef) and isinstance(of.cls, Class):
            return of.cls
    return None


@question_about
def changed_names(_: AppGraph, function: Function) -> frozenset[str]:
    """Last names of all that a function assigns or changes in place: it changes no shared variable of another name."""
    facts = function.facts
    changed: list[ir.Expr] = [
        site.node.func.value
        for site in facts.calls_named(*_MUTATORS)
        if isinstance(site.node.func, ir.Attribute)
    ]
    for kind in (ir.Assign, ir.AugAssign, ir.AnnAssign, ir.Delete):
        for site in facts.sites(kind):
            changed += site.node.targets if kind in (ir.Assign, ir.Delete) else [site.node.target]
    changed += [target.value for target in changed if isinstance(target, ir.Subscript)]
    return frozenset(last_name(each) for each in changed)


def writes(cell: SharedCell, function: Function) -> Iterator[Site]:
    """Places in a function that change the variable."""
    if len(cell.steps) == 1 and _is_hidden(cell.name, function):
        return
    facts = function.facts
    for site in facts.calls_named(*_MUTATORS):
        func = site.node.func
        if func.__class__ is ir.Attribute and cell.is_named_by(func.value):
            yield site
    for kind in (ir.Assign, ir.AugAssign, ir.AnnAssign, ir.Delete):
        for site in facts.sites(kind):
            targets = site.node.targets if kind in (ir.Assign, ir.Delete) else [site.node.target]
            if any(_changes(cell, target) for target in targets):
                yield site


def _changes(cell: SharedCell, target: ir.Expr) -> bool:
    return cell.is_named_by(target) or (target.__class__ is ir.Subscript and cell.is_named_by(target.value))


def _is_hidden(name: str, function: Function) -> bool:
    """A variable of the function's own, or of one around it, has the same name."""
    scope: Any = function
    while isinstance(scope, Function):
        if scope.facts.is_global.get(name) == "global":
            return False
        if name in scope.facts.bindings:
            return True
        scope = scope.parent
    return False


def mentions(cell: SharedCell, node: Any) -> bool:
    """An expression, or any below it, is the variable."""

    return any(cell.is_named_by(each) for each in walk(node))
