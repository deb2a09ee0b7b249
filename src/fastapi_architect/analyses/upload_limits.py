"""Does anything look at the size of an upload before all of it is read or stored?

Before: `upload.size`, a seek to the end and `tell()`, the `Content-Length` header, in the function itself, in those that lead to it,
in a dependency of the route, in a helper that is given the upload, or in middleware. After: `len(content)`, when it is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from fastapi_architect.analyses.source_text import text_at
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_LENGTH = lazy_pattern(r"content.?length|max_?body|max_?upload|body_?size|request_?size", re.IGNORECASE)
_NAMED = ("limit", "size", "length")
_OF_BODIES = ("body", "upload", "content", "request", "payload")
_SIZES = lazy_pattern(r"size|length", re.IGNORECASE)
#: Helpers that are given an upload and say, or refuse, its size.
_CHECKS = lazy_pattern(
    r"file_?size|upload_?size|size_?limit|max_?size|too_?large|limit_?size|check_?size|validate_?size|_limited"
)


def checked_before(functions: Iterable[Function], graph: AppGraph) -> bool:
    """One of some functions compares the size of what is sent with something."""
    return any(_compares_size(graph, function) for function in functions)


def checked_after(function: Function) -> bool:
    """`len(content)` is compared in a function."""
    return any(
        node.__class__ is ir.Call and last_name(node.func) == "len"
        for site in function.facts.sites(ir.Compare)
        for node in walk(site.node)
    )


def limited_in_front(operations: Iterable[PathOperation], graph: AppGraph) -> bool:
    """Middleware of an operation's application, or a gateway that the configuration names, limits bodies."""
    if graph.project.gateway.get("body-size"):
        return True
    applications = {id(a): a for a in map(graph.application_of, operations)}
    return any(_limits(each, graph) for a in applications.values() for each in a.middleware)


@question_about
def _compares_size(_: AppGraph, function: Function) -> bool:
    facts = function.facts
    if any(_mentions_size(site.node, function) for site in facts.sites(ir.Compare)):
        return True
    if any(_is_length_header(site.node.slice) for site in facts.sites(ir.Subscript)):
        return True
    return any(
        _CHECKS.search(last_name(site.node.func)) or any(map(_is_length_header, site.node.args))
        for site in facts.calls
    )


def _is_length_header(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and str(getattr(expr, "value", "")).lower() == "content-length"


def _mentions_size(test: ir.Expr, function: Function) -> bool:
    """A comparison with `upload.size`, `tell()`, or a name that is not the length of what was read."""
    for node in walk(test):
        if node.__class__ is ir.Attribute and node.attr == "size":
            return True
        if node.__class__ is ir.Call and last_name(node.func) == "tell":
            return True
        if node.__class__ is ir.Name and _SIZES.search(node.id) and not node.id.isupper():
            return not _is_length_of_content(node.id, function)
    return False


def _is_length_of_content(name: str, function: Function) -> bool:
    values: list[Any] = [b.value for b in function.facts.bindings.get(name, ()) if b.value is not None]
    return bool(values) and all(v.__class__ is ir.Call and last_name(v.func) == "len" for v in values)


def _limits(middleware: Middleware, graph: AppGraph) -> bool:
    name = middleware.name.rpartition(".")[2].lower()
    if any(word in name for word in _NAMED) and any(word in name for word in _OF_BODIES):
        return True
    body = middleware.cls or middleware.function
    return body is not None and _LENGTH.search(text_at(graph, body.location(body.node))) is not None


def dependencies_of(operations: Iterable[PathOperation]) -> Iterator[Function]:
    """Functions that run before an operation's handler."""
    for operation in operations:
        for dependency in operation.all_dependencies():
            if dependency.function is not None:
                yield dependency.function
