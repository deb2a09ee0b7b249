"""Is an operation open to nobody but the operator, who holds the one credential that the settings name?

A service that compares a password or an API key with one value of its configuration has no accounts: whoever gets in runs it.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.effects import effects
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.appgraph.security import Guard
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_DEPTH = 4
_CREDENTIAL = lazy_pattern(r"(?i)passw(or)?d|secret|api_?key|token|(^|_)key$")
#: Calls that look into what was sent: it says by itself who the caller is.
_KNOWS_CALLERS = ("decode", "get_unverified_claims", "introspect", "verify_id_token")
_UNWRAPPED = frozenset({"encode", "get_secret_value", "strip"})
_READS = frozenset({"getenv", "environ.get", "config"})


def is_for_one_operator(graph: AppGraph, operation: PathOperation) -> bool:
    """One of its guards compares what was sent with a credential of the settings, and looks nobody up."""
    return any(
        _asks_for_configured(graph, function)
        for guard in graph.access(operation).guards
        for function in _functions_of(graph, operation, guard)
    )


def _functions_of(graph: AppGraph, operation: PathOperation, guard: Guard) -> Iterator[Function]:
    if guard.dependency is not None:
        yield from _with_own(guard.dependency)
        return
    for middleware in graph.application_of(operation).middleware:
        if middleware.name == guard.name and middleware.function is not None:
            yield middleware.function


def _with_own(dependency: Dependency) -> Iterator[Function]:
    """The function that a dependency runs, and those of the dependencies below it."""
    if dependency.function is not None:
        yield dependency.function
    for own in dependency.dependencies:
        yield from _with_own(own)


@question_about
def _asks_for_configured(graph: AppGraph, function: Function) -> bool:
    if function.facts.calls_named(*_KNOWS_CALLERS) or not any(
        _is_configured(graph, side, function, 0) for pair in _compared(function) for side in pair
    ):
        return False
    does = effects(graph).of_functions([function])
    return not does.round_trips and not does.outbound


def _compared(function: Function) -> Iterator[tuple[ir.Expr, ...]]:
    for site in function.facts.sites(ir.Compare):
        if site.node.ops in (["=="], ["!="]):
            yield (site.node.left, *site.node.comparators)
    for call in function.facts.calls_named("compare_digest"):
        yield tuple(call.node.args)


def _is_configured(graph: AppGraph, expr: ir.Expr, scope: Scope, depth: int, name: str = "") -> bool:
    """A credential that a settings class or the environment holds, through names, `.encode()` and f-strings."""
    if depth > _MAX_DEPTH:
        return False
    if isinstance(expr, ir.JoinedStr):
        parts = [v.value for v in expr.values if isinstance(v, ir.FormattedValue)]
        return len(parts) == 1 and _is_configured(graph, parts[0], scope, depth + 1, name)
    if isinstance(expr, ir.Call):
        return _is_read(graph, expr, scope, depth, name)
    if not isinstance(expr, ir.Name | ir.Attribute):
        return False
    found = graph.program.inference.bindings_of(expr, scope)
    if found is None:
        return False
    owner, bindings = found
    held = last_name(expr)
    if isinstance(owner, Class) and graph.settings.of_class(owner) is not None:
        return bool(_CREDENTIAL.search(held))
    return any(
        binding.kind in ("assign", "annotated")
        and binding.value is not None
        and not binding.path
        and _is_configured(graph, binding.value, owner, depth + 1, held)
        for binding in bindings
    )


def _is_read(graph: AppGraph, call: ir.Call, scope: Scope, depth: int, name: str) -> bool:
    """`os.getenv("API_KEY")`, or the bytes of what is configured."""
    if isinstance(call.func, ir.Attribute) and last_name(call.func) in _UNWRAPPED:
        return _is_configured(graph, call.func.value, scope, depth + 1, name)
    if not call.args or not any(dotted_name(call.func).endswith(each) for each in _READS):
        return False
    variable = graph.program.constants.string(call.args[0], scope) or name
    return bool(_CREDENTIAL.search(variable))
