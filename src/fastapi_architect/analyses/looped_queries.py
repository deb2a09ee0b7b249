"""Which queries are sent once for each element of a collection, by a request?

Attempts, pages, batches and loops over what is written down in the code are no collections, and a query that does not
depend on the element (a poll, a retry) is none of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.rounds import Round, may_repeat, roots, rounds, skips_round
from fastapi_architect.analyses.row_origins import origins
from fastapi_architect.analyses.row_writes import models_of, models_read_by
from fastapi_architect.analyses.waiting_elsewhere import waits_elsewhere
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    Commit,
    DocumentOperation,
    QueryStart,
    RowFetch,
    SessionGet,
    SqlExecution,
)
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: Loop variables that are no element of a collection.
_NO_ELEMENT = lazy_pattern(
    r"^_+$|(^|_)(batch(es)?|chunks?|page|pages|attempts?|retry|retries|try|tries|offset|session|db|conn|connection|cursor|"
    r"model|table|cls|klass|depth|level|ids|keys|names|values|rows|records|group|groups|perms)s?$|_ids$",
    re.IGNORECASE,
)
_NO_COLLECTION = lazy_pattern(
    r"batch|chunk|partition|pag(e|inate)|slice|window|range|count|retry|attempt|yield_per", re.IGNORECASE
)
#: Calls that hand on what they are given.
_SAME = frozenset(
    {"enumerate", "sorted", "reversed", "list", "set", "tuple", "frozenset", "iter", "filter", "islice"}
)
_VIEWS = frozenset({"items", "values", "keys", "copy"})
_COLLECTIONS = frozenset({
    "list", "set", "frozenset", "tuple", "dict", "Sequence", "Iterable", "Collection", "Mapping", "MutableMapping",
    "MutableSequence", "Set", "deque", "defaultdict", "OrderedDict", "ScalarResult", "Result", "Query", "Iterator",
})  # fmt: skip
#: Drivers of databases that run in the process itself: a statement is no round trip.
_IN_PROCESS = frozenset({"sqlite3", "aiosqlite", "duckdb"})
_CACHES = re.compile(r"(^|_)(lru_)?cached?($|_)|memoi[sz]e")


class LoopedQuery(msgspec.Struct, frozen=True, eq=False):
    """A query that runs once for each element.

    Attributes:
        call: the query.
        round: the loop.
        over: "rows" or "collection".
        writes: each round changes rows, by the statement itself or by what else is called in the loop.
        job: what is called with the element changes rows.
        sure: it is sent in every round, and what is looped over is known.
    """

    call: Concept
    round: Round
    over: str
    writes: bool
    job: bool
    sure: bool


@question
def looped_queries(graph: AppGraph) -> tuple[LoopedQuery, ...]:
    """Every such query of a request, with the nearest of the loops that repeat it."""
    found = []
    for call in _queries(graph):
        candidates = list(_of_query(graph, call))
        if candidates:
            found.append(min(candidates, key=lambda each: (not each.sure, len(each.round.hops))))
    return tuple(found)


def _queries(graph: AppGraph) -> Iterator[Concept]:
    for execution in graph.facts(SqlExecution):
        in_process = execution.driver in _IN_PROCESS
        if not execution.many and not in_process and isinstance(execution.scope, Function):
            yield execution
    yield from (get for get in graph.facts(SessionGet) if isinstance(get.scope, Function))
    for fetch in graph.facts(RowFetch):
        if fetch.executes and fetch.kind != "iterate" and isinstance(fetch.scope, Function):
            yield fetch
    for operation in graph.facts(DocumentOperation):
        if operation.operation.startswith(("find", "count")) and isinstance(operation.scope, Function):
            yield operation


def _depends_on(call: Concept) -> set[str]:
    """Names that the query is made of; the session is none of them."""
    if isinstance(call, SqlExecution):
        return roots(call.statement) | roots(call.parameters)
    if isinstance(call, SessionGet):
        return roots(call.identity)
    if isinstance(call, RowFetch):
        found = set()
        for node in walk(call.result):
            if isinstance(node, ir.Call):
                for given in (*node.args, *(k.value for k in node.keywords)):
                    found |= roots(given)
        return found
    return roots(call.query) if isinstance(call, DocumentOperation) else set()


def _of_query(graph: AppGraph, call: Concept) -> Iterator[LoopedQuery]:
    function = call.scope
    if function.module.kind != "source" or not isinstance(function, Function) or _is_cached(function):
        return
    if not may_repeat(graph, call.site):
        return
    names = _depends_on(call)
    if function.owner is None or id(function.owner) not in graph.database.model_of:
        names.discard("self")
    for each in rounds(graph, names, call.site):
        kind = _kind(graph, each)
        if not kind or not isinstance(each.scope, Function) or not graph.entries(each.scope):
            continue
        if _takes_batch(call, each) or _is_held_already(graph, call, each) or _passes_cache(graph, each):
            continue
        if _is_for_one(each) or _asks_another_table(graph, call, each):
            continue
        job = bool(each.hops) and _changes_rows(graph, each.hops[0])
        writes = job or _writes(graph, call, each)
        yield LoopedQuery(call, each, kind, writes, job, _is_sure(graph, call, each))


# ── is it a collection ──────────────────────────────────────────────────────────────────────────────────────────


def _kind(graph: AppGraph, each: Round) -> str:
    """What is looped over: rows, collection, or "" for anything else."""
    if _NO_ELEMENT.search(each.name):
        return ""
    over: Any = each.over
    while True:
        if isinstance(over, ir.Await):
            over = over.value
        elif (
            isinstance(over, ir.Call)
            and isinstance(over.func, ir.Name)
            and over.func.id in _SAME
            and over.args
        ):
            over = over.args[-1] if over.func.id == "filter" else over.args[0]
        elif isinstance(over, ir.Call) and isinstance(over.func, ir.Attribute) and over.func.attr in _VIEWS:
            over = over.func.value
        else:
            break
    if isinstance(over, ir.Call) and _NO_COLLECTION.search(last_name(over.func)):
        return ""
    if (
        _is_of_text(graph, over, each.scope)
        or _is_of_members(graph, over, each.scope)
        or _is_of_groups(graph, over, each)
    ):
        return ""
    if _is_written_down(graph, over, each.scope):
        return ""
    found = origins(graph, over, each.place)
    rows = [o for o in found if (o.kind == "query" and not o.single) or o.kind == "relationship"]
    if rows:
        few = all(o.loaded.limit is not None and o.loaded.limit <= _FEW for o in rows)
        return "" if few else "rows"
    return "collection" if _is_collection(graph, over, each.scope) else ""


def _is_of_members(graph: AppGraph, over: ir.Expr, scope: Scope) -> bool:
    """Members of an `Enum`: as few as the code names."""
    inference = graph.program.inference
    found, where = inference.expand(over, scope)
    if isinstance(found, ir.Comprehension):
        return _is_written_down(graph, found.generators[0].iter, where)
    elements = [
        of.args[-1] for of in options(inference.type_of(over, scope)) if isinstance(of, Instance) and of.args
    ]
    return bool(elements) and all(
        isinstance(each, Instance) and inference.hierarchy.is_subclass(each.cls, "enum.Enum")
        for element in elements
        for each in options(element)
    )


def _is_of_text(graph: AppGraph, over: ir.Expr, scope: Scope) -> bool:
    """`path.split("/")`, and a comprehension over it: pieces of one text are few."""
    found, _ = graph.program.inference.expand(over, scope)
    while isinstance(found, ir.Comprehension):
        found = found.generators[0].iter
    return isinstance(found, ir.Call) and last_name(found.func) in ("split", "rsplit", "splitlines", "parts")


def _is_of_groups(graph: AppGraph, over: ir.Expr, each: Round) -> bool:
    """`for table, ids in ids_by_table.items()`: what belongs together is asked for together already."""
    if not isinstance(each.loop, ir.For) or not isinstance(each.loop.target, ir.Sequence):
        return False
    return any(
        isinstance(of, Instance)
        and of.name.rpartition(".")[2] in ("dict", "defaultdict", "Mapping")
        and len(of.args) == 2
        and any(isinstance(v, Instance) and v.name.rpartition(".")[2] in _GROUPS for v in options(of.args[1]))
        for of in options(graph.program.inference.type_of(over, each.scope))
    )


_FEW = 3
_GROUPS = frozenset({"list", "set", "frozenset", "tuple", "Sequence"})


def _is_written_down(graph: AppGraph, over: ir.Expr, scope: Scope) -> bool:
    """Its elements stand in the code: a display, a constant, an `Enum`."""
    expr, where = graph.program.inference.expand(over, scope)
    if isinstance(expr, ir.Sequence | ir.Dict | ir.Constant):
        elements = expr.elts if isinstance(expr, ir.Sequence) else ()
        if not any(isinstance(e, ir.Starred) for e in elements) and (expr is over or not _is_empty(expr)):
            return True
    if graph.program.constants.value(expr, where) not in (UNKNOWN, [], {}, ()):
        return True
    return any(isinstance(of, ClassRef) for of in options(graph.program.inference.type_of(over, scope)))


def _is_empty(expr: ir.Expr) -> bool:
    """`found = []` is filled later."""
    return (isinstance(expr, ir.Sequence) and not expr.elts) or (isinstance(expr, ir.Dict) and not expr.keys)


def _is_collection(graph: AppGraph, over: ir.Expr, scope: Scope) -> bool:
    found = options(graph.program.inference.type_of(over, scope))
    return any(
        isinstance(of, Instance)
        and not isinstance(of.cls, Class)
        and of.name.rpartition(".")[2] in _COLLECTIONS
        for of in found
    )


# ── is it a query for each ──────────────────────────────────────────────────────────────────────────────────────


def _takes_batch(call: Concept, each: Round) -> bool:
    """`where(Order.id.in_(ids))`: the element is a batch itself."""
    nodes = [n for part in parts_of(call) for n in walk(part)]
    for node in nodes:
        if isinstance(node, ir.Call) and last_name(node.func) in ("in_", "any_", "not_in", "notin_"):
            names = roots(node.args[0]) if node.args else set()
            if not each.hops and each.name in names and isinstance(node.args[0], ir.Name | ir.Subscript):
                return True
            if each.hops and any(
                isinstance(given, ir.Name) and given.id == each.name for given in each.hops[0].node.args
            ):
                return True
    return False


def _is_for_one(each: Round) -> bool:
    """`for field, value in changes.items(): if field == "team": check(value)`: one element at most gets there."""
    target = each.loop.target if isinstance(each.loop, ir.For) else None
    names = {node.id for node in walk(target) if isinstance(node, ir.Name)}
    for context in each.inner.context:
        if context.node is each.loop:
            return False
        test = getattr(context.node, "test", None) if context.role == "if" else None
        parts = test.values if isinstance(test, ir.BoolOp) and test.op == "and" else [test]
        if any(_names_one(part, names) for part in parts):
            return True
    return False


def _names_one(test: Any, names: set[str]) -> bool:
    if not isinstance(test, ir.Compare) or test.ops != ["=="]:
        return False
    sides = (test.left, test.comparators[0])
    named = [s for s in sides if isinstance(s, ir.Name) and s.id in names]
    return bool(named) and any(isinstance(s, ir.Constant) or _is_member(s) for s in sides)


def _is_member(expr: ir.Expr) -> bool:
    """`Role.ADMIN`."""
    return isinstance(expr, ir.Attribute) and expr.attr.isupper()


def _asks_another_table(graph: AppGraph, call: Concept, each: Round) -> bool:
    """`select(models[kind])`: no one statement could ask all of them."""
    if each.hops:
        return False
    ours = {id(node) for part in parts_of(call) for node in walk(part)}
    entities = [
        e for start in graph.within(QueryStart, call.scope) if id(start.node) in ours for e in start.entities
    ]
    bindings = call.scope.facts.bindings
    for entity in entities:
        for name in roots(entity):
            values = [b.value for b in bindings.get(name, ()) if b.kind == "assign"]
            if name == each.name or any(each.name in roots(value) for value in values):
                return True
    return False


def parts_of(call: Concept) -> tuple[ir.Expr | None, ...]:
    """The expressions that a query is made of, the variable of its statement looked through."""
    if isinstance(call, RowFetch):
        return (call.result,)
    if not isinstance(call, SqlExecution):
        return ()
    statement = call.statement
    if isinstance(statement, ir.Name):
        return tuple(b.value for b in call.scope.facts.bindings.get(statement.id, ()) if b.value is not None)
    return (statement,)


def _is_held_already(graph: AppGraph, call: Concept, each: Round) -> bool:
    """`session.get` of rows that the body with the loop has loaded before sends nothing."""
    if (
        not isinstance(call, SessionGet)
        or not isinstance(each.scope, Function)
        or not isinstance(call.scope, Function)
    ):
        return False
    wanted = {id(m.cls) for m in models_of(call.model, call.scope, graph, cls=True)}
    if each.scope is call.scope:
        starts = [m for m in models_read_by(each.scope, graph) if id(m.cls) in wanted]
        return len(starts) > 1
    return any(id(m.cls) in wanted for m in models_read_by(each.scope, graph))


def _is_cached(function: Function) -> bool:
    return any(
        _CACHES.search(last_name(d.func if isinstance(d, ir.Call) else d)) for d in function.node.decorators
    )


def _passes_cache(graph: AppGraph, each: Round) -> bool:
    return any(_is_cached(target) for hop in each.hops for target in graph.program.calls.targets(hop))


def _writes(graph: AppGraph, call: Concept, each: Round) -> bool:
    if each.hops:
        return any(_changes_rows(graph, site) for site in each.scope.facts.calls if _is_in_loop(site, each))
    starts = {id(start.node): start.kind for start in graph.within(QueryStart, call.scope)}
    return any(
        starts.get(id(n)) in ("insert", "update", "delete") for part in parts_of(call) for n in walk(part)
    )


def _changes_rows(graph: AppGraph, site: Site) -> bool:
    targets = graph.program.calls.targets(site)
    return bool(targets) and bool(effects(graph).of_functions(targets).writes)


def _is_in_loop(site: Site, each: Round) -> bool:
    return any(c.node is each.loop and c.role in ("loop", "comprehension") for c in site.context)


def _is_sure(graph: AppGraph, call: Concept, each: Round) -> bool:
    """It is sent in every round, and the loop does nothing else that takes as long."""
    sites = (*each.hops, call.site)
    if any(_is_kept_back(site) for site in sites) or skips_round(each.inner) or _stops_at_hit(each):
        return False
    if any(len(graph.program.calls.targets(hop)) > 1 for hop in each.hops):
        return False
    if each.inner.context.inside("lambda") is not None:
        return False
    return not _does_more(graph, each)


def _is_kept_back(site: Site) -> bool:
    """`if key not in known: known[key] = query(key)`: asked for what has not been asked for yet."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if (
            context.role in ("if", "else")
            and isinstance(test, ir.Compare)
            and set(test.ops) & {"not in", "in", "is"}
        ):
            return True
        if context.role == "if" and isinstance(test, ir.UnaryOp) and test.op == "not":
            return True
    return False


def _stops_at_hit(each: Round) -> bool:
    """`if found: return found` behind the query: the loop ends with the first that fits."""
    loop = each.loop
    if not isinstance(loop, ir.For):
        return False
    for statement in loop.body:
        bodies = (
            [statement.body, *(b.body for b in statement.elifs), statement.orelse]
            if isinstance(statement, ir.If)
            else []
        )
        for body in bodies:
            last = body[-1] if body else None
            if isinstance(last, ir.Return) or (isinstance(last, ir.Jump) and last.kind == "break"):
                return True
    return False


def _does_more(graph: AppGraph, each: Round) -> bool:
    """Each round commits or waits for another host, itself or in what it calls: a job for each element, not a look-up."""
    for kind in (Commit, OutboundRequest):
        for other in graph.within(kind, each.scope):
            if _is_in_loop(other.site, each):
                return True
    return any(waits_elsewhere(graph, site) for site in each.scope.facts.calls if _is_in_loop(site, each))
