"""Which operations exist only where somebody switches them on?

`if not settings.debug_routes: return` above a registration, `if ADD_DEBUG: app.include_router(debug.router)`: where the setting is off
by default, and no file of the deployment switches it on, strangers do not find the operation.
"""

from __future__ import annotations

from fastapi_architect.analyses.endings import reaches_end
from fastapi_architect.analyses.switch_defaults import holds_by_default
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Functions between the application and a registration that are looked at.
_DEPTH = 2
#: What a test mentions beside the name of a setting.
_NO_SETTINGS = frozenset(
    {"TRUE", "FALSE", "YES", "ENABLED", "LOWER", "GETENV", "ENVIRON", "GET", "SETTINGS", "CONFIG", "BOOL"}
)
_TESTED = (ir.If, ir.Branch)


def is_opt_in(operation: PathOperation, graph: AppGraph) -> bool:
    """It is registered, or its router included, only under a switch that is off by default."""
    known = _opt_in(graph)
    key = id(operation)
    if key not in known:
        calls = [operation.registration, *((i.call, i.scope) for i in operation.inclusions)]
        known[key] = any(is_behind_switch(call, scope, graph) for call, scope in calls)
    return known[key]


def is_behind_switch(call: ir.Call, scope: Scope, graph: AppGraph) -> bool:
    """A call is made only where somebody has switched it on: by a test around or above it, or around all that lead to it."""
    return _is_behind_switch(call, scope, graph, 0)


@question
def _opt_in(graph: AppGraph) -> dict[int, bool]:
    """What is known by now, by identity of the operation: the graph keeps its operations."""
    del graph
    return {}


def _is_behind_switch(call: ir.Call, scope: Scope, graph: AppGraph, depth: int) -> bool:
    site = next((s for s in scope.facts.calls if s.node is call), None)
    if site is not None and any(_is_off(test, scope, graph, holds) for test, holds in _tests(site)):
        return True
    if not isinstance(scope, Function):
        return False
    if any(_is_off(guard.node.test, scope, graph, False) for guard in _guards(call, site, scope)):
        return True
    callers = graph.program.calls.callers(scope) if depth < _DEPTH else ()
    return bool(callers) and all(_is_behind_switch(s.node, s.scope, graph, depth + 1) for s in callers)


def _tests(site: Site) -> list[tuple[ir.Expr, bool]]:
    """Tests around a place, each with what it has to come to."""
    return [
        (context.node.test, context.role == "if")
        for context in site.context
        if context.role in ("if", "else") and isinstance(context.node, _TESTED)
    ]


def _guards(call: ir.Call, at: Site | None, scope: Function) -> list[Site]:
    """`if not ON: return` above a call, on every way to it; what stands around the call is asked elsewhere."""
    around = [context.node for context in at.context] if at is not None else []
    return [
        site
        for site in scope.facts.sites(ir.If)
        if site.node.span < call.span
        and not any(site.node is node for node in around)
        and not (site.node.orelse or site.node.elifs)
        and not reaches_end(site.node.body)
        and site.context.inside("if", "else", "except", "for", "while") is None
    ]


def _is_off(test: ir.Expr, scope: Scope, graph: AppGraph, holds: bool) -> bool:
    """Where nobody has set anything the test comes to something else, and no deployment sets what it reads."""
    return holds_by_default(graph, test, scope) is (not holds) and not _is_set(test, scope, graph)


def _is_set(test: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """A file of the deployment gives a variable that the test reads; what it gives is not known here."""
    names = {name for name in _read(test, scope, graph) if len(name) > 2}
    return any(v.name.upper().endswith(name) for v in graph.deployment.variables for name in names)


def _read(test: ir.Expr, scope: Scope, graph: AppGraph) -> set[str]:
    """Names of what a test reads, and of the variables of the environment behind them."""
    found = set()
    for node in walk(test):
        if isinstance(node, ir.Name):
            made, _ = graph.program.inference.expand(node, scope)
            found |= {
                str(n.value).upper() for n in walk(made) if isinstance(n, ir.Constant) and n.kind == "str"
            }
        if isinstance(node, ir.Name | ir.Attribute):
            found.add(last_name(node).upper())
        elif isinstance(node, ir.Constant) and node.kind == "str":
            found.add(str(node.value).upper())
    return found - _NO_SETTINGS
