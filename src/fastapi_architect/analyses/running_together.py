"""Which calls run at the same time: given to `gather`, to a task group, to threads, or started one by one in a loop?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.session_use import Handed, offloaded
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.concurrency import TaskSpawn, ThreadOffload
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir, span

#: They take a coroutine and run it as it is, or several and list them.
_WRAPPERS = frozenset(
    {"create_task", "ensure_future", "wait_for", "shield", "run_coroutine_threadsafe", "list", "tuple"}
)


class Member(msgspec.Struct, frozen=True, eq=False):
    """One of the calls.

    Attributes:
        handed: what is called, with what.
        call: the call as it stands, for a coroutine that is made here; None where a function and its arguments are handed on.
        repeated: the loop or comprehension that makes one for each round; None when there is just one.
    """

    handed: Handed
    call: ir.Call | None
    repeated: ir.Node | None = None


class Together(msgspec.Struct, frozen=True, eq=False):
    """Calls that run at the same time.

    Attributes:
        function: the body that starts them.
        concept: what starts them (the first of several).
        members: the calls.
        threads: they run on threads rather than as tasks.
    """

    function: Function
    concept: Concept
    members: tuple[Member, ...]
    threads: bool = False


@question
def running_together(graph: AppGraph) -> tuple[Together, ...]:
    """Every group of at least two calls, or of one that is made in a loop, in order of files and places."""
    found = [*_gathered(graph), *_started(graph)]
    return tuple(
        group
        for group in found
        if len(group.members) > 1 or any(m.repeated is not None for m in group.members)
    )


def _gathered(graph: AppGraph) -> Iterator[Together]:
    for spawn in graph.facts(TaskSpawn):
        function = spawn.function
        if spawn.kind != "gather" or function is None or function.module.kind != "source":
            continue
        members = [m for each in spawn.coroutines for m in _members(each, function, graph)]
        tasks = tuple(m for m in members if not _is_offload(m, graph))
        yield Together(function, spawn, tasks)
        threads = tuple(_on_thread(m, graph) for m in members if _is_offload(m, graph))
        yield Together(function, spawn, threads, threads=True)


def _started(graph: AppGraph) -> Iterator[Together]:
    """Tasks of one group, and what is given to an executor in a loop."""
    groups: dict[tuple[int, str], list[tuple[Concept, Member]]] = {}
    for spawn in graph.facts(TaskSpawn):
        function = spawn.function
        if spawn.kind == "group" and function is not None and function.module.kind == "source":
            name = dotted_name(spawn.node.func).rpartition(".")[0]
            for member in _of_group(spawn):
                groups.setdefault((id(function), name), []).append((spawn, member))
    for offload in graph.facts(ThreadOffload):
        function = offload.function
        if function is None or function.module.kind != "source":
            continue
        name = last_name(offload.node.func)
        if name in ("submit", "run_in_executor") and not offload.site.awaited:
            member = Member(offloaded(offload), None, _loop_around(offload.site))
            groups.setdefault((id(function), name), []).append((offload, member))
        elif name == "map":
            member = Member(offloaded(offload), None, offload.node)
            groups.setdefault((id(function), name), []).append((offload, member))
    for found in groups.values():
        first = found[0][0]
        assert first.function is not None
        members = tuple(member for _, member in found)
        yield Together(first.function, first, members, threads=isinstance(first, ThreadOffload))


def _of_group(spawn: TaskSpawn) -> Iterator[Member]:
    loop = _loop_around(spawn.site)
    for each in spawn.coroutines:
        if isinstance(each, ir.Call):
            yield Member(Handed(each.func, each.args, each.keywords, spawn.scope), each, loop)
        else:  # `start_soon(function, *arguments)`
            yield Member(Handed(each, spawn.node.args[1:], (), spawn.scope), None, loop)


def _loop_around(site: Site) -> ir.Node | None:
    around = site.context.inside("loop", "comprehension")
    return around.node if around is not None else None


def _members(expr: ir.Expr, function: Function, graph: AppGraph) -> Iterator[Member]:
    """The calls behind an argument of `gather`: itself, a comprehension, a list that was filled before."""
    if isinstance(expr, ir.Starred):
        expr = expr.value
    if isinstance(expr, ir.Comprehension):
        for member in _members(expr.elt, function, graph) if expr.elt is not None else ():
            yield msgspec.structs.replace(member, repeated=expr)
    elif isinstance(expr, ir.Sequence):
        for each in expr.elts:
            yield from _members(each, function, graph)
    elif isinstance(expr, ir.Call):
        if last_name(expr.func) in _WRAPPERS and expr.args:
            yield from _members(expr.args[0], function, graph)
        else:
            yield Member(Handed(expr.func, expr.args, expr.keywords, function), expr)
    elif isinstance(expr, ir.Name):
        yield from _of_list(expr.id, function, graph)


def _of_list(name: str, function: Function, graph: AppGraph) -> Iterator[Member]:
    """`tasks = [load(x) for x in xs]`, `tasks.append(load(x))`; a name for one coroutine, too."""
    for binding in function.facts.bindings.get(name, ()):
        if binding.kind in ("assign", "annotated") and binding.value is not None and not binding.path:
            value = binding.value
            if not isinstance(value, ir.Name):
                yield from _members(value, function, graph)
    for site in function.facts.calls_named("append"):
        func = site.node.func
        if isinstance(func, ir.Attribute) and dotted_name(func.value) == name and site.node.args:
            loop = _loop_around(site)
            for member in _members(site.node.args[0], function, graph):
                yield msgspec.structs.replace(member, repeated=member.repeated or loop)


def _is_offload(member: Member, graph: AppGraph) -> bool:
    return member.call is not None and id(member.call) in _offloads(graph)


def _on_thread(member: Member, graph: AppGraph) -> Member:
    return Member(offloaded(_offloads(graph)[id(member.call)]), None, member.repeated)


@question
def _offloads(graph: AppGraph) -> dict[int, ThreadOffload]:
    return {id(each.node): each for each in graph.facts(ThreadOffload)}


def is_made_in(node: ir.Node, inner: ir.Node) -> bool:
    """A node lies inside another one, as their places tell."""
    first, _, last, _ = span.unpack(node.span)
    line, _, end, _ = span.unpack(inner.span)
    return first <= line and end <= last
