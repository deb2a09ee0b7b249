"""Is a value given to a function whose name says that it checks, and does that function ask anything about it?

The name matters where the body is not in the tree. A body that only asks whether a file is there, or whether a text is
empty, checks nothing; one that asks more and was not understood may check.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.dataflow.access_path import AccessPath, exact_path
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.program.call_graph import is_empty
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Words in names of functions that look at a value.
_CHECKING = (
    "valid",
    "check",
    "verify",
    "ensure",
    "assert",
    "sanit",
    "allow",
    "safe",
    "secure",
    "ssrf",
    "guard",
    "reject",
)
#: What says nothing about where a path leads, or what a text holds.
_ASKING_LITTLE = frozenset(
    {
        "Path",
        "bool",
        "debug",
        "endswith",
        "error",
        "exception",
        "exists",
        "getsize",
        "info",
        "is_dir",
        "is_file",
        "isdir",
        "isfile",
        "isinstance",
        "len",
        "lower",
        "open",
        "print",
        "stat",
        "str",
        "strip",
        "warning",
    }
)
_MAX_DEPTH = 3


def is_checked_by_name(path: TaintPath, values: set[AccessPath], graph: AppGraph) -> bool:
    """A function whose name says that it checks is given the value, and what it does was not understood."""
    hops = {id(path.sink.node), *(id(trace.node) for trace in path.traces)}
    scopes = {id(s): s for s in (path.source.function, path.sink.scope, *(t.scope for t in path.traces))}
    return any(
        any(word in last_name(site.node.func).lower() for word in _CHECKING)
        and takes(site.node, values)
        and _may_check(site, graph, 0)
        for scope in scopes.values()
        for site in scope.facts.calls
        if id(site.node) not in hops
    )


def takes(call: Any, values: set[AccessPath]) -> bool:
    """One of some values is among a call's arguments."""
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(exact_path(node) in values for each in given for node in walk(each))


def _may_check(site: Site, graph: AppGraph, depth: int) -> bool:
    """What is called is not in the tree, or asks more about what it is given than whether it is there."""
    targets = graph.program.calls.targets(site)
    return not targets or any(_asks(target, graph, depth) for target in targets)


def _asks(function: Function, graph: AppGraph, depth: int) -> bool:
    if is_empty(function):
        return False
    names = {param.name for param in function.parameters[function.is_method :]}
    for name, bindings in function.facts.bindings.items():
        if any(_mentions(getattr(binding, "value", None), names) for binding in bindings):
            names.add(name)
    if any(_mentions(test, names) and not _asks_little(test) for test in _tests(function)):
        return True
    return any(
        last_name(site.node.func) not in _ASKING_LITTLE
        and any(_mentions(each, names) for each in _given(site.node))
        and (depth >= _MAX_DEPTH or _may_check(site, graph, depth + 1))
        for site in function.facts.calls
    )


def _tests(function: Function) -> Iterator[Any]:
    """What decides about going on, or is the answer. (An `assert` is not there when Python is started with -O.)"""
    for kind in (ir.If, ir.IfExp, ir.While):
        yield from (site.node.test for site in function.facts.sites(kind))
    yield from (site.node.subject for site in function.facts.sites(ir.Match))
    yield from (site.node.value for site in function.facts.sites(ir.Return))


def _asks_little(test: Any) -> bool:
    """Whether something is there, is a file, ends so: no comparison but with None, no call but of these."""
    node: Any
    for node in walk(test):
        kind = node.__class__
        if kind is ir.Compare and not all(op in ("is", "is not") for op in node.ops):
            return False
        if kind is ir.Call and last_name(node.func) not in _ASKING_LITTLE:
            return False
        if kind in (ir.Comprehension, ir.Lambda, ir.Subscript):
            return False
    return True


def _given(call: ir.Call) -> tuple[ir.Expr, ...]:
    func: Any = call.func
    receiver = (func.value,) if func.__class__ is ir.Attribute else ()
    return (*receiver, *call.args, *(keyword.value for keyword in call.keywords))


def _mentions(expr: Any, names: set[str]) -> bool:
    return any(node.__class__ is ir.Name and node.id in names for node in walk(expr))
