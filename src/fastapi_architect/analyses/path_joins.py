"""Where is a value of a request put behind a folder?

The first such place on its way is where a check belongs: a function that makes paths for many uses (`locate(name)`) is
mended once. Read from the steps of the way: an assignment, an argument, what a function returns, the sink itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.dataflow.access_path import access_path
from fastapi_architect.dataflow.path import TaintPath, Trace
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_SEPARATORS = ("/", "\\")
#: Calls whose arguments are parts of one path; a single argument is the path itself.
_JOINING = frozenset({"join", "joinpath", "Path", "PurePath", "PosixPath"})


class PathJoin(msgspec.Struct, frozen=True, eq=False):
    """A value stands behind a folder.

    Attributes:
        scope: the body it happens in.
        node: the whole path, as it is put together.
        folder: what stands before the value, where that is one expression.
        name: the part that holds the value.
        step: how many steps of the way lie before it.
    """

    scope: Scope
    node: ir.Expr
    folder: ir.Expr | None
    name: ir.Expr
    step: int

    @property
    def location(self) -> Location:
        """Where it is put together."""
        return self.scope.location(self.node)


def first_join(path: TaintPath, graph: AppGraph) -> PathJoin | None:
    """The first place on a way where the value is put behind a folder; None where it is the whole path."""
    for step, expr, scope, names in _on_the_way(path, graph):
        found = _join_in(expr, scope, names, step)
        if found is not None:
            return found
    return None


def is_last_part(path: TaintPath, graph: AppGraph) -> bool:
    """Nothing is put behind the value: `..` alone is the folder above."""
    return not any(
        len(parts) > position + 1
        for _, expr, _, names in _on_the_way(path, graph)
        for node in walk(expr)
        if (parts := _parts(node)) and (position := _position(parts, names)) is not None
    )


def _on_the_way(path: TaintPath, graph: AppGraph) -> Iterator[tuple[int, ir.Expr | None, Scope, set[str]]]:
    """Expressions that the value goes through, with the step and the names that hold it there."""
    carried = _Carried(path, graph)
    for step, trace in enumerate(path.traces):
        for expr, scope, names in _written_at(trace, carried):
            yield step, expr, scope, names
        carried.follow(trace)
    yield len(path.traces), path.sink.argument, path.sink.scope, carried.names(path.sink.scope)


class _Carried:
    """Names that hold the value, body by body."""

    def __init__(self, path: TaintPath, graph: AppGraph) -> None:
        self._graph = graph
        self._calls = [trace for trace in path.traces if trace.kind == "returned"]
        self._names: dict[int, set[str]] = {id(path.source.function): {path.path[0]}}
        self._received: set[str] = set()

    def names(self, scope: Scope) -> set[str]:
        """Names of a body that hold the value by now."""
        known = self._names.get(id(scope))
        if known is None:
            every = _parameters(scope)
            known = self._names[id(scope)] = self._given(scope) or (every & self._received) or every
        return known

    def _given(self, scope: Scope) -> set[str]:
        """Parameters of a function that gives the value back: those whose arguments hold it."""
        for trace in self._calls:
            call: Any = trace.node
            if (
                trace.name != scope.name
                or id(trace.scope) not in self._names
                or call.__class__ is not ir.Call
            ):
                continue
            names = self._names[id(trace.scope)]
            given = {keyword.arg or "" for keyword in call.keywords if _holds(keyword.value, names)}
            positional = [p.name for p in _positional(scope)]
            given |= {name for name, each in zip(positional, call.args, strict=False) if _holds(each, names)}
            if given & _parameters(scope):
                return given & _parameters(scope)
        return set()

    def returned(self, trace: Trace) -> Iterator[Function]:
        """Functions that give the value back at a step."""
        for site in trace.scope.facts.calls:
            if site.node is trace.node:
                targets = self._graph.program.calls.targets(site)
                yield from (function for function in targets if function.name == trace.name)

    def follow(self, trace: Trace) -> None:
        """Take a step."""
        if trace.kind == "assigned":
            self.names(trace.scope).add(trace.name.partition(".")[0])
        elif trace.kind == "passed":
            self._received.add(trace.detail)
        elif trace.kind == "provided":
            self.names(trace.scope).add(trace.detail)


def _positional(scope: Scope) -> list[ir.Param]:
    return list(scope.parameters[scope.is_method :]) if isinstance(scope, Function) else []


def _parameters(scope: Scope) -> set[str]:
    return {param.name for param in _positional(scope)}


def _written_at(trace: Trace, carried: _Carried) -> Iterator[tuple[ir.Expr | None, Scope, set[str]]]:
    """Expressions in which a step handles the value, with the names that hold it there."""
    node: Any = trace.node
    names = carried.names(trace.scope)
    if trace.kind == "assigned":
        yield getattr(node, "value", None), trace.scope, names
        return
    if node.__class__ is ir.Call:
        for given in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield given, trace.scope, names
    if trace.kind == "returned":
        for function in carried.returned(trace):
            for site in function.facts.sites(ir.Return):
                yield site.node.value, function, carried.names(function)


def _join_in(expr: ir.Expr | None, scope: Scope, names: set[str], step: int) -> PathJoin | None:
    """The innermost join of an expression in which the value is not the first part."""
    if expr is None or scope.module.kind != "source":
        return None
    found = None
    for node in walk(expr):
        parts = _parts(node)
        position = _position(parts, names)
        if position:
            found = PathJoin(scope, node, parts[0] if position == 1 else None, parts[position], step)
    return found


def _position(parts: list[Any], names: set[str]) -> int | None:
    """Which part of a path holds the value first."""
    return next((position for position, part in enumerate(parts) if _holds(part, names)), None)


def _holds(expr: Any, names: set[str]) -> bool:
    for node in walk(expr):
        path = access_path(node) if node.__class__ in (ir.Name, ir.Attribute, ir.Subscript) else None
        if path is not None and path[0] in names:
            return True
    return False


def _parts(node: Any) -> list[Any]:
    """Parts of a path that is put together here, the folder first; nothing for any other expression."""
    kind = node.__class__
    if kind is ir.BinOp and node.op == "/":
        return [node.left, node.right]
    if kind is ir.Chain and node.op == "/":
        return list(node.operands)
    if kind is ir.BinOp and node.op == "+":
        return [node.left, node.right] if _names_folder(node.left) else []
    if kind is ir.Chain and node.op == "+":
        return list(node.operands) if _names_folder(node.operands[0]) else []
    if kind is ir.JoinedStr:
        return _behind_separator(node.values)
    if kind is ir.Call and last_name(node.func) in _JOINING:
        if last_name(node.func) == "joinpath" and node.func.__class__ is ir.Attribute:
            return [node.func.value, *node.args]
        return list(node.args) if len(node.args) > 1 else []
    return []


def _behind_separator(values: list[Any]) -> list[Any]:
    """Values of an f-string from the last one before a separator on: `f"{folder}/{name}"`, `f"data/{name}"`."""
    for position, value in enumerate(values):
        if value.__class__ is ir.Constant and any(each in str(value.value) for each in _SEPARATORS):
            return [values[0] if position == 1 else value, *values[position + 1 :]]
    return []


def _names_folder(expr: Any) -> bool:
    """`"data/"`, `folder + "/"`, `folder + os.sep`."""
    return any(
        (node.__class__ is ir.Constant and any(each in str(node.value) for each in _SEPARATORS))
        or last_name(node) == "sep"
        for node in walk(expr)
    )
