"""Which operations exist on developers' machines only? Those that are registered under a test of the environment.

`if settings.ENVIRONMENT == "local": api.include_router(private.router)` leaves the router out of production, as long as
somebody has to say "local". Where the setting is local by default, a variable that was forgotten opens it.
"""

from __future__ import annotations

import re

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.program.definitions import Class, Scope, last_name
from fastapi_architect.program.facts import Context
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Names of environments in which developers work; staging is reached by others.
_LOCAL = lazy_pattern(
    r"local|localhost|dev|devel|develop|development|tests?|testing|ci|unittest", re.IGNORECASE
)
_ENVIRONMENT = lazy_pattern(r"(^|_)(env|environment|stage|app_?mode|run_?mode|profile)($|_)", re.IGNORECASE)
_READS = frozenset({"getenv", "get"})


def is_local_only(operation: PathOperation, graph: AppGraph) -> bool:
    """It is registered, or its router included, only where a setting names a local environment, which it does not by
    default.
    """
    if not operation.conditional:
        return False
    calls = [operation.registration, *((i.call, i.scope) for i in operation.inclusions)]
    return any(_is_under_test(call, scope, graph) for call, scope in calls)


def _is_under_test(call: ir.Call, scope: Scope, graph: AppGraph) -> bool:
    site = next((s for s in scope.facts.calls if s.node is call), None)
    return site is not None and any(_says_local(context, scope, graph) for context in site.context)


def _says_local(context: Context, scope: Scope, graph: AppGraph) -> bool:
    node = context.node
    return context.role == "if" and isinstance(node, ir.If | ir.Branch) and _asks(node.test, scope, graph)


def _asks(test: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """The test holds in local environments only."""
    if isinstance(test, ir.BoolOp):
        held = [_asks(value, scope, graph) for value in test.values]
        return any(held) if test.op == "and" else all(held)
    if not isinstance(test, ir.Compare) or len(test.ops) != 1 or test.ops[0] not in ("==", "in"):
        return False
    asked, wanted = test.left, test.comparators[0]
    if test.ops[0] == "==" and _is_local(asked):
        asked, wanted = wanted, asked
    named = wanted.elts if isinstance(wanted, ir.Sequence) else [wanted]
    if not named or not all(_is_local(each) for each in named):
        return False
    return _names_environment(asked) and not _is_local_by_default(asked, scope, graph)


def _is_local(expr: ir.Expr | None) -> bool:
    """`"local"`, `Environment.LOCAL`, `Environment.LOCAL.value`."""
    if isinstance(expr, ir.Constant):
        return expr.kind == "str" and _LOCAL.fullmatch(str(expr.value)) is not None
    if isinstance(expr, ir.Attribute) and expr.attr == "value":
        expr = expr.value
    return isinstance(expr, ir.Attribute) and _LOCAL.fullmatch(expr.attr) is not None


def _names_environment(expr: ir.Expr) -> bool:
    """A name in it, or the variable that it reads, is that of an environment."""
    for node in walk(expr):
        text = str(node.value) if isinstance(node, ir.Constant) and node.kind == "str" else last_name(node)
        if _ENVIRONMENT.search(text):
            return True
    return False


def _is_local_by_default(expr: ir.Expr, scope: Scope, graph: AppGraph) -> bool:
    """Nothing has to be set for it to be local."""
    value = graph.program.constants.value(expr, scope)
    if isinstance(value, str):
        return _LOCAL.fullmatch(value) is not None
    where = scope
    if isinstance(expr, ir.Name):  # not an attribute: its text would be read as an annotation
        expr, where = graph.program.inference.expand(expr, scope)
    for node in walk(expr):
        if isinstance(node, ir.Call) and last_name(node.func) in _READS:
            return any(_is_local(given) for given in (*node.args[1:], *(k.value for k in node.keywords)))
        if isinstance(node, ir.Attribute):
            for of in options(graph.program.inference.type_of(node.value, where)):
                settings = (
                    graph.settings.of_class(of.cls)
                    if isinstance(of, Instance) and isinstance(of.cls, Class)
                    else None
                )
                if settings is not None and node.attr in settings.by_name:
                    return _is_local(settings.by_name[node.attr].field.default)
    return False
