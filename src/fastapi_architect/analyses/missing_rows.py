"""Where is a row used that may not have been found, as nobody asked whether it is None?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.client_values import ClientValue, client_value
from fastapi_architect.analyses.endings import reaches_end
from fastapi_architect.analyses.followed_values import Place, called_functions, callers
from fastapi_architect.analyses.made_of import given_for
from fastapi_architect.analyses.none_checks import dominance, implies, is_checked, is_refused_at_once
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import QueryStart, RowFetch, SessionGet, SqlExecution
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_CALLS = 3
#: Attributes that None has, too.
_OF_NONE = frozenset({"__class__", "__doc__", "__eq__", "__str__", "__repr__"})


class MissingRow(msgspec.Struct, frozen=True, eq=False):
    """A use of a row that may be None.

    Attributes:
        fetch: the query.
        given: the call that gives the row here: the query itself, or a function of the program that returns it.
        use: where None raises.
        function: the body of the use.
        name: the variable, "" when the attribute is read of the call itself.
        attribute: what is read, "[...]" for an element.
        model: what the row is, None when it is a tuple of columns.
        chosen: what decides which row is asked for, None when it is not known to be a client.
        asked_before: somebody who may refuse has been given the same value before.
    """

    fetch: Concept
    given: Site
    use: Site
    function: Function
    name: str
    attribute: str
    model: Model | None
    chosen: ClientValue | None
    asked_before: bool


@question
def missing_rows(graph: AppGraph) -> tuple[MissingRow, ...]:
    """Every such use that a request reaches, the first one of each variable."""
    return tuple(_find(graph))


def _find(graph: AppGraph) -> Iterator[MissingRow]:
    seen: set[int] = set()
    for fetch in _fetches(graph):
        if fetch.scope.module.kind != "source":
            continue
        for given in _given_by(graph, fetch.site, 0, set()):
            function = given.scope
            if id(given.node) in seen or not isinstance(function, Function):
                continue
            seen.add(id(given.node))
            found = _use(graph, given, function)
            if found is None:
                continue
            model = _model(graph, given, function)
            if (model is not None or _is_row(graph, given, function)) and graph.entries(function):
                use, name, attribute = found
                chosen = _chosen_by(graph, fetch, given)
                before = chosen is not None and _is_asked_before(graph, chosen, given)
                yield MissingRow(fetch, given, use, function, name, attribute, model, chosen, before)


def _fetches(graph: AppGraph) -> Iterator[Concept]:
    """What gives None where there is no row."""
    for fetch in graph.facts(RowFetch):
        if fetch.may_be_none and fetch.kind not in ("count", "exists"):
            yield fetch
    yield from (get for get in graph.facts(SessionGet) if not get.required)
    for execution in graph.facts(SqlExecution):
        if last_name(execution.node.func) == "scalar" and not execution.raw:
            yield execution


# ── where the row arrives ───────────────────────────────────────────────────────────────────────────────────────


def _given_by(graph: AppGraph, site: Site, depth: int, seen: set[int]) -> Iterator[Site]:
    """The query, and calls of functions that return its row, whether it was found or not."""
    yield site
    function = site.scope
    if not isinstance(function, Function) or depth >= _MAX_CALLS or id(function) in seen:
        return
    seen.add(id(function))
    if function.is_generator or not _returns_unchecked(graph, site, function):
        return
    flags = _refusing_flags(site, function)
    for call in callers(graph, function):
        if any(_is_on(graph, given_for(flag, function, call), call) for flag in flags):
            continue
        if len(graph.program.calls.targets(call)) == 1:
            yield from _given_by(graph, call, depth + 1, seen)


def _returns_unchecked(graph: AppGraph, site: Site, function: Function) -> bool:
    """Some `return` gives what a call gives, None included."""
    returns = function.facts.sites(ir.Return)
    if any(_stripped(each.node.value) is site.node for each in returns):
        return True
    name = _name_of(site, function)
    if not name:
        return False
    for each in returns:
        value = _stripped(each.node.value)
        if not isinstance(value, ir.Name) or value.id != name:
            continue
        if any(_is_none(other.node.value) and _is_because(other, name) for other in returns):
            return True
        checked = is_refused_at_once(name, site, each, function) or is_checked(graph, name, each, function)
        if not checked and not _is_bound_again(name, site, each, function):
            return True
    return False


def _refusing_flags(site: Site, function: Function) -> list[str]:
    """Parameters that make the function raise where there is no row: `if must_exist and order is None: raise`."""
    name = _name_of(site, function)
    found = []
    for each in function.facts.sites(ir.If) if name else ():
        test = each.node.test
        if not isinstance(test, ir.BoolOp) or test.op != "and" or reaches_end(each.node.body):
            continue
        asked = [v for v in test.values if implies(v, name, function, holds=False)]
        flags = [v.id for v in test.values if isinstance(v, ir.Name) and function.parameter(v.id)]
        if asked and len(flags) == 1 and len(asked) + 1 == len(test.values):
            found.append(flags[0])
    return found


def _is_on(graph: AppGraph, given: ir.Expr | None, call: Site) -> bool:
    return given is not None and graph.program.constants.value(given, call.scope) is True


def _is_none(expr: ir.Expr | None) -> bool:
    return expr is None or (isinstance(expr, ir.Constant) and expr.kind == "none")


def _is_because(site: Site, name: str) -> bool:
    """`if order is None: return None`."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role == "if" and test is not None:
            return any(isinstance(n, ir.Name) and n.id == name for n in walk(test))
    return False


def _stripped(expr: Any) -> Any:
    while isinstance(expr, ir.Await):
        expr = expr.value
    return expr


def _name_of(site: Site, function: Function) -> str:
    """The one variable that takes what a call gives, "" when none does."""
    statement = site.statement
    if isinstance(statement, ir.Assign | ir.AnnAssign) and _stripped(statement.value) is site.node:
        targets = statement.targets if isinstance(statement, ir.Assign) else [statement.target]
        return targets[0].id if len(targets) == 1 and isinstance(targets[0], ir.Name) else ""
    for each in function.facts.sites(ir.NamedExpr):
        if _stripped(each.node.value) is site.node and isinstance(each.node.target, ir.Name):
            return each.node.target.id
    return ""


# ── where it is used ────────────────────────────────────────────────────────────────────────────────────────────


def _use(graph: AppGraph, given: Site, function: Function) -> tuple[Site, str, str] | None:
    """The first place where None raises, with the variable and what is read of it."""
    attributes = function.facts.sites(ir.Attribute)
    for site in attributes:
        if _stripped(site.node.value) is given.node and site.node.attr not in _OF_NONE:
            return None if is_checked(graph, "", site, function) else (site, "", site.node.attr)
    name = _name_of(given, function)
    if not name or (function.functions and _is_shared(name, function)):
        return None
    uses = [s for s in attributes if _is_of(s, name) and s.node.attr not in _OF_NONE]
    uses = sorted((s for s in uses if s.node.span > given.node.span), key=lambda s: s.node.span)
    if not uses or is_refused_at_once(name, given, uses[0], function):
        return None
    for use in uses:
        if not _reaches(graph, name, given, use, function):
            continue
        if use.context.inside("lambda") is not None:
            return None
        if is_checked(graph, name, use, function):
            return None
        return use, name, use.node.attr
    return None


def _is_of(site: Site, name: str) -> bool:
    return isinstance(site.node.value, ir.Name) and site.node.value.id == name


def _is_shared(name: str, function: Function) -> bool:
    """An inner function binds the name, too."""
    return any(name in inner.facts.is_global for inner in function.functions)


def _reaches(graph: AppGraph, name: str, given: Site, use: Site, function: Function) -> bool:
    """The use always sees what was assigned there: it comes behind, and nothing was assigned between."""
    return dominance(graph, function).dominates(given, use) and not _is_bound_again(
        name, given, use, function
    )


def _is_bound_again(name: str, given: Site, use: Site, function: Function) -> bool:
    return any(
        binding.node is not given.statement and given.statement.span < binding.node.span < use.node.span
        for binding in function.facts.bindings.get(name, ())
        if binding.kind != "parameter"
    )


# ── what is asked for ───────────────────────────────────────────────────────────────────────────────────────────


def _given_type(graph: AppGraph, site: Site, function: Function) -> Type | None:
    """What a call gives, awaited where it is."""
    inference = graph.program.inference
    of = inference.type_of(site.node, function)
    return inference.awaited(of) if site.awaited else of


def _model(graph: AppGraph, site: Site, function: Function) -> Model | None:
    for of in options(_given_type(graph, site, function)):
        if isinstance(of, Instance) and id(of.cls) in graph.database.model_of:
            return graph.database.model_of[id(of.cls)]
    return None


def _is_row(graph: AppGraph, site: Site, function: Function) -> bool:
    """A tuple of columns; what aggregates is never without a row."""
    tuples = any(
        isinstance(of, Instance) and of.name == "builtins.tuple"
        for of in options(_given_type(graph, site, function))
    )
    return tuples and not _aggregates(graph, function)


@question_about
def _aggregates(graph: AppGraph, function: Function) -> bool:
    return any(isinstance(e, ir.Call) for start in graph.within(QueryStart, function) for e in start.entities)


def _is_asked_before(graph: AppGraph, chosen: ClientValue, given: Site) -> bool:
    """`check_access(user, book_id)`, or another query with the same key whose answer was tested."""
    if _refuses_before(graph, chosen.function, {chosen.name}, given):
        return True
    if isinstance(given.scope, Function) and given.scope is not chosen.function:
        values = (*given.node.args, *(k.value for k in given.node.keywords))
        keys = {n.id for value in values for n in walk(value) if isinstance(n, ir.Name)}
        if _refuses_before(graph, given.scope, keys & {p.name for p in given.scope.parameters}, given):
            return True
    return any(
        other is not chosen.function and any(p.name == chosen.name for p in other.parameters)
        for operation in graph.operations_running(chosen.function)
        for other in operation.functions
    )


def _refuses_before(graph: AppGraph, function: Function, names: set[str], given: Site) -> bool:
    """A call with one of the names, before the row is asked for, raises or gives what is then tested."""
    tests = [
        n for site in function.facts.sites(ir.If) for n in walk(site.node.test) if isinstance(n, ir.Name)
    ]
    for call in function.facts.calls:
        if function is given.scope and call.node.span >= given.node.span:
            continue
        values = (*call.node.args, *(k.value for k in call.node.keywords))
        if not any(isinstance(n, ir.Name) and n.id in names for value in values for n in walk(value)):
            continue
        targets = graph.program.calls.targets(call)
        if given.scope not in targets and any(target.facts.sites(ir.Raise) for target in targets):
            return True
        result = _name_of(call, function)
        if result and any(
            n.id == result and (function is not given.scope or n.span < given.node.span) for n in tests
        ):
            return True
    return False


def _chosen_by(graph: AppGraph, fetch: Concept, given: Site) -> ClientValue | None:
    """The operation's parameter that the query depends on, as called from `given`."""
    place = Place(fetch.scope, _way(graph, fetch, given))
    for part in _conditions(graph, fetch):
        found = client_value(graph, part, place)
        if found is not None:
            return found
    return None


def _way(graph: AppGraph, fetch: Concept, given: Site) -> tuple[Site, ...]:
    """Calls from the place where the row arrives to the query."""
    if given.node is fetch.node:
        return ()
    way, place = [given], Place(given.scope)
    for _ in range(_MAX_CALLS):
        inside = called_functions(graph, way[-1].node, place)
        if not inside or inside[0][0] is fetch.scope:
            break
        function, place = inside[0]
        following = next(
            (s for s in function.facts.calls if fetch.scope in graph.program.calls.targets(s)), None
        )
        if following is None:
            break
        way.append(following)
    return tuple(way)


def _conditions(graph: AppGraph, fetch: Concept) -> list[ir.Expr]:
    """The key, or what the statement compares with."""
    if isinstance(fetch, SessionGet):
        return [fetch.identity] if fetch.identity is not None else []
    found: list[ir.Expr] = []
    start: Any = fetch.result if isinstance(fetch, RowFetch) else getattr(fetch, "statement", None)
    for node in _statement_nodes(graph, start, fetch):
        if isinstance(node, ir.Call) and last_name(node.func) in ("where", "filter", "filter_by", "get"):
            found += [*node.args, *(k.value for k in node.keywords)]
    return found


def _statement_nodes(graph: AppGraph, start: Any, fetch: Concept) -> Iterator[Any]:
    """Nodes of an expression, and of those that the variables in it were assigned."""
    del graph
    seen: set[str] = set()
    stack = [start]
    while stack:
        for node in walk(stack.pop()):
            yield node
            if isinstance(node, ir.Name) and node.id not in seen:
                seen.add(node.id)
                stack += [
                    b.value
                    for b in fetch.scope.facts.bindings.get(node.id, ())
                    if b.kind in ("assign", "annotated") and b.value is not None
                ]
