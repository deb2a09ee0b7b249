"""Does a call wait for another host than the database, itself or in what it runs?

An HTTP request, a mail, a call of a paid service; and an awaited call into a library that nothing is known of, which has
little else to wait for: bots, brokers, clients of services.
"""

from __future__ import annotations

import sys

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import External, options

#: Libraries that wait for a database, a thread or a file.
_OF_THIS_HOST = frozenset({
    "builtins", "databases", "tortoise", "beanie", "odmantic", "ormar", "piccolo", "gino", "prisma", "fastcrud",
    "async_lru", "aiocache", "fastapi_cache", "cashews", "aiofiles", "asyncer", "asgiref", "trio", "tenacity",
})  # fmt: skip

#: Calls from the one asked about to the one that waits.
_MAX_DEPTH = 2


def waits_elsewhere(graph: AppGraph, site: Site) -> bool:
    """The call waits for another host, whatever it is given.

    Args:
        graph: the backend.
        site: the call.
    """
    return _is_foreign(graph, site) or any(
        _waits(graph, (target, _MAX_DEPTH)) for target in graph.program.calls.targets(site)
    )


@question_about
def _waits(graph: AppGraph, function_and_depth: tuple[Function, int]) -> bool:
    """Something of the body that no condition keeps back does."""
    function, depth = function_and_depth
    for concept in (OutboundRequest, PaidApiCall, EmailSend):
        if any(not _is_conditional(found.site) for found in graph.within(concept, function)):
            return True
    for site in function.facts.calls:
        if _is_conditional(site):
            continue
        if _is_foreign(graph, site):
            return True
        if depth and any(_waits(graph, (t, depth - 1)) for t in graph.program.calls.targets(site)):
            return True
    return False


def _is_conditional(site: Site) -> bool:
    return site.context.inside("if", "else", "case", "handler", "lambda") is not None


def _is_foreign(graph: AppGraph, site: Site) -> bool:
    """An awaited call into a library that is neither Python's own nor described."""
    if not site.awaited or graph.program.calls.targets(site):
        return False
    of = graph.program.inference.type_of(site.node.func, site.scope)
    names = {each.name.partition(".")[0] for each in options(of) if isinstance(each, External)}
    return any(
        name not in sys.stdlib_module_names
        and name not in _OF_THIS_HOST
        and not graph.program.library.is_known_package(name)
        for name in names
    )
