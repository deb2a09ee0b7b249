"""Does a stretch of code only take values apart and build new ones, without anything outside of the process?

What fails there fails for the values that it was given: a text that does not parse, a shape that cannot be merged.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concurrency import BlockingCall
from fastapi_architect.concepts.filesystem import FileAccess, ObjectStorageCall
from fastapi_architect.concepts.process import CommandExecution
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir, span

_OUTSIDE = (FileAccess, ObjectStorageCall, CommandExecution, BlockingCall)
#: First words of calls that ask or tell somebody else, whatever library they are of.
_REACHES_OUT = lazy_pattern(
    r"^_*(a?get|fetch|read|write|load|save|store|open|close|connect|login|send|post|put|patch|delete|request|query|search|find|list|"
    r"execute|run|call|invoke|submit|publish|download|upload|create|update|insert|remove|commit|flush|start|stop|import|sync|"
    r"perform|handle|process|generate|predict|embed|train|deploy|register|exec|client|session|filter|all|first|one|scalars?|"
    r"exists|count|wait|acquire|refresh)(_|$|[A-Z])"
)
#: Methods of mappings and texts by those names.
_OF_VALUES = frozenset({"get", "find", "count", "update", "remove", "insert", "loads"})
#: Functions of Python by those names.
_BUILTINS = frozenset({"list", "filter", "all"})
#: Methods that read what was sent.
_OF_UPLOADS = frozenset({"read", "seek", "close"})
_SOURCE_WORDS = lazy_pattern(
    r"db|session|repo|client|conn|cursor|engine|redis|storage|bucket|api|http|service|queue|requests?$|manager|"
    r"provider|crud|cache|loop|executor"
)


def works_in_memory(graph: AppGraph, body: Iterable[ir.Node], scope: Scope) -> bool:
    """Statements of a body await nothing, and nothing that they call is seen, or named, to leave the process."""
    stretch = [span.unpack(each.span) for each in body]
    if any(_is_in(site, stretch) for site in scope.facts.sites(ir.Yield)):
        return False
    awaited = [site.node.value for site in scope.facts.sites(ir.Await) if _is_in(site, stretch)]
    if not all(_reads_upload(graph, each, scope) for each in awaited):
        return False
    if any(_is_in(s, stretch) and s.node.is_async for k in (ir.For, ir.With) for s in scope.facts.sites(k)):
        return False
    sites = [site for site in scope.facts.calls if _is_in(site, stretch)]
    called: list[Function] = []
    for site in sites:
        if any(site.node is each for each in awaited):
            continue
        targets = graph.program.calls.targets(site)
        called += [
            each for each in targets if not each.is_generator
        ]  # a generator runs when somebody asks it
        if not targets and _seems_to_reach_out(site.node):
            return False
    return bool(sites) and _stay_inside(graph, called) and not _does(graph, scope, stretch)


def _reads_upload(graph: AppGraph, awaited: ir.Expr, scope: Scope) -> bool:
    """`await file.read()`, or a function of the program that is given the file, reads it and takes it apart: the client has sent it."""
    if not isinstance(awaited, ir.Call):
        return False
    if isinstance(awaited.func, ir.Attribute) and _is_upload(graph, awaited.func.value, scope):
        return awaited.func.attr in _OF_UPLOADS
    given = (*awaited.args, *(k.value for k in awaited.keywords))
    site = next((s for s in scope.facts.calls if s.node is awaited), None)
    targets = graph.program.calls.targets(site) if site is not None else ()
    if not targets or not any(_is_upload(graph, each, scope) for each in given):
        return False
    return all(_takes_a_file_apart(graph, target) for target in targets)


def _is_upload(graph: AppGraph, expr: ir.Expr, scope: Scope) -> bool:
    found = options(graph.program.inference.type_of(expr, scope))
    return any(isinstance(of, Instance) and of.name.endswith(".UploadFile") for of in found)


def _takes_a_file_apart(graph: AppGraph, function: Function) -> bool:
    """It awaits nothing but methods of a parameter, and nothing else that it calls leaves the process."""
    of_files = [
        site.node
        for site in function.facts.calls
        if isinstance(site.node.func, ir.Attribute)
        and isinstance(site.node.func.value, ir.Name)
        and function.parameter(site.node.func.value.id) is not None
        and site.node.func.attr in _OF_UPLOADS
    ]
    if any(all(site.node.value is not each for each in of_files) for site in function.facts.sites(ir.Await)):
        return False
    others = [site for site in function.facts.calls if all(site.node is not each for each in of_files)]
    if any(_seems_to_reach_out(s.node) and not graph.program.calls.targets(s) for s in others):
        return False
    return _stay_inside(graph, [target for site in others for target in graph.program.calls.targets(site)])


def _stay_inside(graph: AppGraph, functions: list[Function]) -> bool:
    does = effects(graph).of_functions(functions)
    acts = (does.round_trips, does.writes, does.outbound, does.messages, does.redis, does.files)
    if any(acts) or not does.complete:
        return False
    return not any(f.is_async or any(graph.within(kind, f) for kind in _OUTSIDE) for f in does.functions)


def _does(graph: AppGraph, scope: Scope, stretch: list[tuple[int, int, int, int]]) -> bool:
    """The statements themselves read files, start programs or wait."""
    return any(_is_in(c.site, stretch) for kind in _OUTSIDE for c in graph.within(kind, scope))


def _seems_to_reach_out(call: ir.Call) -> bool:
    """A call of a library (or of what is not known) that has the name of an errand."""
    name = last_name(call.func)
    if isinstance(call.func, ir.Name) and name in _BUILTINS:
        return False
    if isinstance(call.func, ir.Attribute):
        holder = last_name(call.func.value).lower()
        if _SOURCE_WORDS.search(holder):
            return True
        if name in _OF_VALUES:
            return False
    return bool(_REACHES_OUT.search(name))


def _is_in(site: Site, stretch: list[tuple[int, int, int, int]]) -> bool:
    inner = span.unpack(site.node.span)
    return any(begin[:2] <= inner[:2] and inner[2:] <= begin[2:] for begin in stretch)
