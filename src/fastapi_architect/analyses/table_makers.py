"""Does the project make its tables itself: by revisions of Alembic, or by `create_all` in code that runs?

Where it does neither, its tables are made elsewhere (files of SQL, another service), with indexes that nothing here shows.
"""

from __future__ import annotations

from fastapi_architect.analyses.followed_values import callers
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Module, Scope
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk


@question
def makes_its_tables(graph: AppGraph) -> bool:
    """Some revision, or a `create_all` outside of tests that something runs."""
    return bool(graph.revisions) or any(
        _runs(scope, graph)
        for module in graph.program.mentioning("create_all")
        if module.kind != "test"
        for scope in _bodies(module, graph)
        if any(site.node.attr == "create_all" for site in scope.facts.sites(ir.Attribute))
    )


def _bodies(module: Module, graph: AppGraph) -> list[Scope]:
    return [module, *(each for each in graph.program.functions if each.module is module)]


def _runs(scope: Scope, graph: AppGraph) -> bool:
    """Somebody calls it, hands it on, or decorates it: a function that nobody names makes nothing."""
    if not isinstance(scope, Function) or scope.owner is not None or scope.node.decorators:
        return True
    elsewhere = any(each is not scope.module for each in graph.program.mentioning(scope.name))
    return elsewhere or bool(callers(graph, scope)) or _is_handed_on(scope, graph)


def _is_handed_on(function: Function, graph: AppGraph) -> bool:
    """`app.add_event_handler("startup", create_tables)`, `FastAPI(on_startup=[create_tables])`."""
    return any(
        isinstance(node, ir.Name) and node.id == function.name
        for body in _bodies(function.module, graph)
        for site in body.facts.calls
        for given in (*site.node.args, *(each.value for each in site.node.keywords))
        for node in walk(given)
    )
