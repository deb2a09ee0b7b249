"""Which check does a handler call before it acts, and which one is alone in not calling it?

Some applications guard their routes by a call in the body, `client = check_access(server, data.client_id)`, which raises. What a
router's other dangerous operations call first, and one does not, was forgotten there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.process import CodeExecution, CommandExecution
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: Names of functions that refuse: `check_access`, `require_admin`, `forbid_remote_access`.
_CHECK = lazy_pattern(
    r"^_?(check|require|ensure|verify|assert|forbid|authori[sz]e|enforce)_\w*"
    r"(access|auth\w*|permission|login|logged_in|user|admin|session|client|caller|role)s?$"
)
_FEWEST = 3
_SHARE = 2 / 3
#: What may stand around a call that is made in any case.
_ALWAYS = frozenset({"root", "try", "with", "await", "statement-value"})


class Unchecked(msgspec.Struct, frozen=True, eq=False):
    """An operation that runs what its siblings run only behind a check.

    Attributes:
        operation: the operation.
        check: what it does not call.
        siblings: those that do, with the call.
        act: what it runs.
    """

    operation: PathOperation
    check: str
    siblings: tuple[tuple[PathOperation, Site], ...]
    act: Site


@question
def unchecked_operations(graph: AppGraph) -> tuple[Unchecked, ...]:
    """Operations without the check that at least two in three of the router's operations call which run commands or code."""
    return tuple(_find(graph))


def _find(graph: AppGraph) -> Iterator[Unchecked]:
    acting: dict[object, dict[PathOperation, Site]] = defaultdict(dict)
    for operation in graph.operations:
        if _is_told_something(operation):
            act = _acts(operation, graph)
            if act is not None:
                acting[operation.router_location][operation] = act
    for place, family in acting.items():
        if len(family) > _FEWEST:
            router = [o for o in graph.operations if o.router_location == place and o.handler is not None]
            yield from _of_router(router, family, graph)


def _is_told_something(operation: PathOperation) -> bool:
    """A client says what is to be done; a command that is the same for everybody is another matter."""
    handler = operation.handler
    if operation.kind != "http" or handler is None or handler.module.kind != "source":
        return False
    return any(parameter.is_input for parameter in operation.parameters)


def _of_router(
    router: list[PathOperation], family: dict[PathOperation, Site], graph: AppGraph
) -> Iterator[Unchecked]:
    called = {o: _checks(o.handler, graph) for o in router if o.handler is not None}
    names = Counter(name for operation in family for name in called[operation])
    if not names:
        return
    check, count = max(names.items(), key=lambda pair: (pair[1], pair[0]))
    if count < _FEWEST or count < _SHARE * len(family):
        return
    beside = {name for checks in called.values() if check in checks for name in checks}
    siblings = tuple((o, called[o][check]) for o in family if check in called[o])
    for operation, act in family.items():
        # A check that no sibling calls beside this one may stand for it.
        checks = called[operation]
        if check not in checks and beside.issuperset(checks) and not graph.access(operation).authenticated:
            yield Unchecked(operation, check, siblings, act)


def _acts(operation: PathOperation, graph: AppGraph) -> Site | None:
    """The first command or code that the operation runs."""
    for function in effects(graph).of_handler(operation).functions:
        for kind in (CommandExecution, CodeExecution):
            for found in graph.within(kind, function):
                return found.site
    return None


def _checks(handler: Function, graph: AppGraph) -> dict[str, Site]:
    """Checks that the body calls in any case, by name."""
    found: dict[str, Site] = {}
    for site in handler.facts.calls:
        name = last_name(site.node.func)
        if _CHECK.search(name) and all(around.role in _ALWAYS for around in site.context):
            targets = graph.program.calls.targets(site)
            refusing = not targets or any(graph.guards.refuses(t) or _raises(t) for t in targets)
            if refusing and not isinstance(site.statement, ir.If):
                found.setdefault(name, site)
    return found


def _raises(function: Function) -> bool:
    return any(True for _ in function.facts.sites(ir.Raise))
