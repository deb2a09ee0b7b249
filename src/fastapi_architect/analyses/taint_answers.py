"""What do other services and language models answer, that becomes part of a program's own statements?

Their answers are second-hand: whoever controls the service, or words what a model reads, decides what stands in them. They
count where text becomes code (SQL, commands, programs, templates, unpickled objects), not where it is an address or a name,
which an answer is often meant to give.
"""

from __future__ import annotations

from fastapi_architect.analyses.taint_sinks import KINDS
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall, StrangersText
from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.taint import Sink, Source
from fastapi_architect.program.definitions import Function, Scope

#: Where a text from elsewhere becomes code.
_COUNTED = frozenset({"sql", "sql-identifier", "nosql", "command", "code", "deserialization", "template"})
_ELSEWHERE: dict[AccessPath, frozenset[str] | None] = {(): frozenset(kind.name for kind in KINDS) - _COUNTED}
#: What the other side writes into an HTTP answer, as first step from it.
_WRITTEN = frozenset(
    {
        "json",
        "text",
        "content",
        "body",
        "data",
        "read",
        "aread",
        "iter_lines",
        "aiter_lines",
        "iter_text",
        "aiter_text",
    }
)
#: What a reader calls it in front of these.
ANSWER = "answer"


#: How many calls lie at most between an answer, or a function that returns it, and where it becomes code.
_LEVELS = 2


def answers(graph: AppGraph, sinks: tuple[Sink, ...]) -> dict[int, Source]:
    """Identity of each call of the service that is answered from elsewhere to its answer, where a sink is near enough.

    What the configuration names as a source counts wherever it leads.
    """
    stated = {
        id(call.node): Source(call.scope, ANSWER, fact=call)
        for call in graph.facts(StrangersText)
        if isinstance(call.scope, Function)
    }
    near = set(_above([sink.scope for sink in sinks if sink.kind in _COUNTED], graph))
    if not near:
        return stated
    asked: list[tuple[Concept, frozenset[str] | None]] = [(c, _WRITTEN) for c in graph.facts(OutboundRequest)]
    asked += [(call, None) for call in graph.facts(PaidApiCall)]
    return stated | {
        id(call.node): Source(call.scope, ANSWER, fields, _ELSEWHERE, call)
        for call, fields in asked
        if isinstance(call.scope, Function)
        and call.scope.module.kind == "source"
        and not near.isdisjoint(_above([call.scope], graph))
    }


def _above(scopes: list[Scope], graph: AppGraph) -> dict[int, Function]:
    """Functions, and what calls them, `_LEVELS` calls up."""
    level = [scope for scope in scopes if isinstance(scope, Function)]
    found: dict[int, Function] = {}
    for _ in range(_LEVELS + 1):
        fresh = [function for function in level if id(function) not in found]
        found |= {id(function): function for function in fresh}
        sites = [site for function in fresh for site in graph.program.calls.callers(function)]
        level = [site.scope for site in sites if isinstance(site.scope, Function)]
    return found
