"""What decides that an upload is of an allowed type, and in what form is it handed out again?

An operation that takes a file, the functions that it reaches, the place where the client's own statement (`upload.content_type`)
refuses, the place where the file is stored under the client's suffix, and whether anything looks at the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.reaching import Way, ways
from fastapi_architect.analyses.upload_limits import dependencies_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.filesystem import FileAccess, FileCopy, ObjectStorageCall
from fastapi_architect.concepts.http import ResponseCreation
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_DEPTH = 4
_STATED = "content_type"
#: Calls that look at, or take apart, what lies in a file.
_LOOKS = lazy_pattern(
    r"(?i)magic|from_buffer|from_file|from_stream|^guess$|filetype|sniff|signature|recogni[sz]e|imghdr|^verify$|scan|clam"
    r"|^what$|load_workbook|read_(csv|excel|parquet|json)|^(Dict)?reader$|PdfReader|^loads?$|Document$|is_zipfile|ZipFile"
    r"|^imread$|^imdecode$|decode$|exif_transpose|thumbnail|parse"
)
#: What a suffix is read from a name with.
_SUFFIX = lazy_pattern(r"(?i)suffix|splitext|^ext$|extension|endswith|rsplit|guess_type")


class StoredUpload(msgspec.Struct, frozen=True, eq=False):
    """An upload whose bytes nobody looks at is stored.

    Attributes:
        operations: those that take it.
        stated: the test that refuses by what the client states; None where nothing refuses.
        stored: where it is written.
        keeps_suffix: the stored name ends as the client's does.
        served: where files of the same folder are handed out with the type that their suffix says; None if not found.
    """

    operations: tuple[PathOperation, ...]
    stated: Site | None
    stored: FileAccess | FileCopy | ObjectStorageCall
    keeps_suffix: bool
    served: Any = None


@question
def stored_uploads(graph: AppGraph) -> tuple[StoredUpload, ...]:
    """Uploads that are stored unseen, one for each place that writes, in order of operations."""
    found: dict[int, StoredUpload] = {}
    for operation in graph.operations:
        handler = operation.handler
        if handler is None or handler.module.kind != "source":
            continue
        if any(parameter.kind == "file" for parameter in operation.parameters):
            for upload in _of_operation(operation, handler, graph):
                found.setdefault(id(upload.stated.node if upload.stated else upload.stored), upload)
    return tuple(found.values())


def _of_operation(operation: PathOperation, handler: Function, graph: AppGraph) -> Iterator[StoredUpload]:
    reached = _reached(handler, graph)
    functions = [function for function, _ in reached.values()]
    stores = [(fact, f) for f in functions for fact in _stores(f, graph)]
    if not stores:
        return
    looking = [*functions, *dependencies_of([operation])]
    if any(_looks_at_bytes(function) for function in looking):
        return
    stated = next((s for f, way in reached.values() for s in _refusals(f, way, graph)), None)
    if any(_checks_suffix(function) for function in looking):
        return
    for fact, function in stores:
        path = _path_of(fact)
        way = reached[id(function)][1]
        keeps = path is not None and _is_clients_name(path, function, way, 0)
        yield StoredUpload(
            (operation,), stated, fact, keeps, _served(path, function, graph) if keeps else None
        )


def _reached(handler: Function, graph: AppGraph) -> dict[int, tuple[Function, Way]]:
    """Functions that a handler reaches, by identity, with the shortest way."""
    leading = ways(graph, handler)
    found = {id(handler): (handler, leading[id(handler)])}
    for way in leading.values():
        if way.hops:
            for target in graph.program.calls.targets(way.hops[-1]):
                if leading.get(id(target)) is way:
                    found[id(target)] = (target, way)
    return found


def _stores(function: Function, graph: AppGraph) -> Iterator[FileAccess | FileCopy | ObjectStorageCall]:
    for access in graph.within(FileAccess, function):
        if access.mode == "write":
            yield access
    yield from graph.within(FileCopy, function)
    for call in graph.within(ObjectStorageCall, function):
        if call.operation == "put":
            yield call


def _path_of(fact: FileAccess | FileCopy | ObjectStorageCall) -> ir.Expr | None:
    """Where in the file system something is stored; None for a bucket."""
    if isinstance(fact, FileAccess):
        return fact.path
    return fact.target if isinstance(fact, FileCopy) else None


# ── what is looked at ────────────────────────────────────────────────────────────────────────────────────────


def _looks_at_bytes(function: Function) -> bool:
    """A library is asked what the bytes are, they are parsed, or compared with bytes in the code."""
    if any(_LOOKS.search(last_name(site.node.func)) for site in function.facts.calls):
        return True
    if any(_receiver(site.node) == "Image" for site in function.facts.calls_named("open")):
        return True
    compared: list[Any] = [site.node for site in function.facts.sites(ir.Compare)]
    compared += [site.node for site in function.facts.calls_named("startswith")]
    return any(
        node.__class__ is ir.Constant and getattr(node, "kind", "") == "bytes" and node.value
        for each in compared
        for node in walk(each)
    )


def _receiver(call: ir.Call) -> str:
    return last_name(call.func.value) if isinstance(call.func, ir.Attribute) else ""


def _checks_suffix(function: Function) -> bool:
    """The end of a name is compared: what passes is in a list, mostly."""
    tests = [site.node for site in function.facts.sites(ir.Compare)]
    return any(_SUFFIX.search(name) for test in tests for name in _names(test)) or any(
        site.node.func.__class__ is ir.Attribute and "filename" in _names(site.node.func.value)
        for site in function.facts.calls_named("endswith")
    )


def _names(expr: ir.Expr) -> set[str]:
    nodes: list[Any] = list(walk(expr))
    return {n.attr for n in nodes if n.__class__ is ir.Attribute} | {
        n.id for n in nodes if n.__class__ is ir.Name
    }


def _refusals(function: Function, way: Way, graph: AppGraph) -> Iterator[Site]:
    """Tests of what the client states behind which something is refused."""
    for site in function.facts.sites(ir.If):
        if not any(
            block and block[-1].__class__ in (ir.Raise, ir.Return)
            for block in (site.node.body, site.node.orelse)
        ):
            continue
        if any(_is_stated(node, function, way, graph, 0) for node in walk(site.node.test)):
            yield site


def _is_stated(node: Any, scope: Scope, way: Way, graph: AppGraph, depth: int) -> bool:
    """`upload.content_type`, a variable that holds it, or a parameter that is given it."""
    if node.__class__ is ir.Attribute and node.attr == _STATED:
        found = list(options(graph.program.inference.type_of(node.value, scope)))
        return not found or any(isinstance(o, Instance) and o.name.endswith("UploadFile") for o in found)
    if node.__class__ is not ir.Name or depth > _MAX_DEPTH:
        return False
    values = [b.value for b in scope.facts.bindings.get(node.id, ()) if b.value is not None]
    if any(_is_stated(part, scope, way, graph, depth + 1) for value in values for part in walk(value)):
        return True
    given = _given(node.id, scope, way)
    return given is not None and any(
        _is_stated(part, way.hops[-1].scope, Way(way.hops[:-1]), graph, depth + 1) for part in walk(given)
    )


def _given(name: str, scope: Scope, way: Way) -> ir.Expr | None:
    """What the last call of a way passes as a parameter."""
    if not way.hops or not isinstance(scope, Function) or scope.parameter(name) is None:
        return None
    call: ir.Call = way.hops[-1].node
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    names = [p.name for p in scope.parameters[scope.is_method :]]
    at = names.index(name) if name in names else len(call.args)
    return call.args[at] if at < len(call.args) else None


# ── the stored name ──────────────────────────────────────────────────────────────────────────────────────────


def _is_clients_name(expr: Any, scope: Scope, way: Way, depth: int) -> bool:
    """The end of a path comes from `upload.filename`."""
    if depth > 2 * _MAX_DEPTH or expr is None:
        return False
    if expr.__class__ is ir.Attribute:
        return expr.attr == "filename" or (
            expr.attr in ("name", "suffix") and _is_clients_name(expr.value, scope, way, depth + 1)
        )
    if expr.__class__ is ir.Name:
        values = [b.value for b in scope.facts.bindings.get(expr.id, ()) if b.value is not None]
        if any(_is_clients_name(value, scope, way, depth + 1) for value in values):
            return True
        given = _given(expr.id, scope, way)
        return given is not None and _is_clients_name(
            given, way.hops[-1].scope, Way(way.hops[:-1]), depth + 1
        )
    return any(_is_clients_name(part, scope, way, depth + 1) for part in _ends(expr))


def _ends(expr: Any) -> list[Any]:
    """Parts of an expression that its text ends with."""
    if expr.__class__ is ir.JoinedStr:
        last = expr.values[-1] if expr.values else None
        return [last.value] if last.__class__ is ir.FormattedValue else []
    if expr.__class__ is ir.BinOp:
        return [expr.right]
    if expr.__class__ is ir.Chain:
        return [expr.operands[-1]]
    if expr.__class__ is ir.BoolOp:
        return list(expr.values)
    if expr.__class__ is ir.Subscript:
        return [expr.value]
    if expr.__class__ is ir.Call:
        receiver = [expr.func.value] if expr.func.__class__ is ir.Attribute and not expr.args else []
        return [*expr.args[-1:], *receiver]
    return []


# ── where it is handed out ───────────────────────────────────────────────────────────────────────────────────


def _served(path: Any, function: Function, graph: AppGraph) -> Any:
    """A static mount or a file response over the folder that a path lies in."""
    folder = _words(path, function, graph, 0)
    for application in graph.applications:
        for mount in application.mounts:
            if mount.kind == "static" and folder & _words(mount.call, mount.scope, graph, 0):
                return mount
    for response in graph.facts(ResponseCreation):
        if response.kind != "file" or response.filename is not None or response.path is None:
            continue  # with a name it is an attachment
        if response.media_type.__class__ is ir.Constant or response.headers is not None:
            continue
        if response.scope.module.kind == "source" and folder & _words(
            response.path, response.scope, graph, 0
        ):
            return response
    return None


def _words(expr: Any, scope: Scope, graph: AppGraph, depth: int) -> set[str]:
    """Names of folders, settings and modules' constants that a path is made of."""
    found: set[str] = set()
    for node in walk(expr):
        each: Any = node
        if each.__class__ is ir.Constant and isinstance(each.value, str) and len(each.value.strip("./")) > 3:
            found.add(each.value.strip("./"))
        elif each.__class__ is ir.Attribute and each.attr.lower().endswith(
            ("dir", "directory", "folder", "path", "root")
        ):
            found.add(each.attr)
        elif each.__class__ is ir.Name and depth < _MAX_DEPTH:
            if each.id.isupper():
                found.add(each.id)
            for binding in scope.facts.bindings.get(each.id, ()):
                if binding.value is not None:
                    found |= _words(binding.value, scope, graph, depth + 1)
        elif each.__class__ is ir.Call and depth < _MAX_DEPTH:
            found |= _words_of_called(each, scope, graph, depth)
    return found


def _words_of_called(call: ir.Call, scope: Scope, graph: AppGraph, depth: int) -> set[str]:
    """`locate(name)`: what the paths that it returns are made of."""
    found: set[str] = set()
    for site in scope.facts.calls:
        if site.node is call:
            for target in graph.program.calls.targets(site):
                for returned in target.facts.sites(ir.Return):
                    found |= _words(returned.node.value, target, graph, depth + 1)
    return found
