"""Which code stands in for the real thing while somebody develops: mocks, fakes, and what only a switch that is off brings?

`MockMailer` sleeps to feel like a mail server; `if settings.mock_mode: return SampleService()` runs nowhere that nobody
has switched it on. What such code costs, no client of a deployment pays. A switch that is off by default is not enough:
`if settings.storage == "s3"` brings what deployments run.
"""

from __future__ import annotations

import re

from fastapi_architect.analyses.opt_in_operations import is_behind_switch
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_NAMED_SO = lazy_pattern(r"^_*(?:Mock|Fake|Stub|Dummy)(?:[A-Z_0-9]|$)|[a-z0-9](?:Mock|Fake|Stub|Dummy)$")
#: What a switch is called that only developers turn on.
_FOR_DEVELOPERS = lazy_pattern(
    r"(?:^|_)(?:mock|fake|stub|dummy|dev|development|debug|demo|simulat)", re.IGNORECASE
)


@question_about
def is_stand_in(graph: AppGraph, function: Function) -> bool:
    """Its class is named after what it is, or nothing but branches behind a switch that is off leads to it."""
    owner = function.owner
    if owner is not None and _NAMED_SO.search(owner.name):
        return True
    if _is_run_by_framework(function, graph):
        return False
    made = _leading_to(owner or function, graph)
    return bool(made) and all(
        _is_for_developers(site) and is_behind_switch(site.node, site.scope, graph) for site in made
    )


def _is_for_developers(site: Site) -> bool:
    """The test around it names what stands in, or who wants that."""
    return any(
        context.role == "if"
        and isinstance(context.node, ir.If)
        and any(
            isinstance(node, ir.Name | ir.Attribute) and _FOR_DEVELOPERS.search(last_name(node))
            for node in walk(context.node.test)
        )
        for context in site.context
    )


def _is_run_by_framework(function: Function, graph: AppGraph) -> bool:
    """An operation has it as handler or dependency: no call has to lead to it."""
    return any(each is function for o in graph.entries(function) for each in o.functions)


def _leading_to(definition: Class | Function, graph: AppGraph) -> list[Site]:
    """Calls of it outside the tests; none where other code names it without calling it, or where it has heirs."""
    calls = (
        graph.program.calls.callers(definition)
        if isinstance(definition, Function)
        else graph.program.call_sites_named(definition.name)
    )
    sites = [site for site in calls if site.scope.module.kind != "test"]
    calling = {site.scope.module.path for site in sites}
    others = (m for m in graph.program.mentioning(definition.name) if m.kind != "test")
    known = all(m.path in calling or m is definition.module for m in others)
    return sites if known else []
