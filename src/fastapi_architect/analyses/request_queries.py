"""Which queries does one request send, how often, and what do they search by?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.analyses.effects import effects
from fastapi_architect.analyses.lazy_responses import lazy_response
from fastapi_architect.analyses.lazy_rounds import LazyRound, lazy_rounds
from fastapi_architect.analyses.looped_queries import LoopedQuery, looped_queries, parts_of
from fastapi_architect.analyses.query_counts import Rows, page_of, per_row
from fastapi_architect.analyses.query_predicates import Predicate, statements_of
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.analyses.search_indexes import covers, is_known, leads
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model, Relationship
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    BulkWrite,
    Commit,
    DatabaseCall,
    DocumentOperation,
    QueryStart,
    RowFetch,
    SessionFlush,
    SessionGet,
    SessionRefresh,
    SqlExecution,
)
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_KINDS: tuple[tuple[type[Concept], str], ...] = (
    (Commit, "commit"), (SessionFlush, "flush"), (SessionRefresh, "refresh"), (SessionGet, "select"),
    (BulkWrite, "bulk write"), (DocumentOperation, "document"), (RowFetch, "select"), (SqlExecution, "statement"),
)  # fmt: skip
#: How an index is used by the leading column that it begins with.
_BY_INDEX = frozenset({"==", "in", "<", "<=", ">", ">=", "between", "startswith", "is", "join"})


class Search(msgspec.Struct, frozen=True, eq=False):
    """A column that a query searches or sorts by.

    Attributes:
        table: the table, by its model's name where it has none.
        column: the column.
        operator: as `Predicate.operator`.
        index: "leading": an index, key or constraint begins with the column; "part": one holds it at a later place; "none";
            "unknown" where something may hide one.
        location: the condition.
    """

    table: str
    column: str
    operator: str
    index: str
    location: Location


class RequestQuery(msgspec.Struct, frozen=True, eq=False):
    """A place from which a request waits for the database.

    Attributes:
        kind: select, insert, update, delete, statement, commit, flush, refresh, bulk write, document or lazy load.
        function: full name of the function it stands in.
        location: where.
        tables: tables it names, sorted.
        loops: loops around it, those around the calls that lead to it included.
        each: what it is sent once for ("order" of `for order in orders`); "" when it is sent once.
        searches: columns it searches by.
        sure: it is sent in every round; True for what is sent once.
    """

    kind: str
    function: str
    location: Location
    tables: tuple[str, ...]
    loops: int
    each: str
    searches: tuple[Search, ...]
    sure: bool

    @property
    def index(self) -> str:
        """How the database finds the rows: by the best of what it searches by; "" when it searches by nothing known."""
        found = {search.index for search in self.searches if search.operator in _BY_INDEX}
        return next((each for each in ("leading", "unknown", "part", "none") if each in found), "")


class RequestQueries(msgspec.Struct, frozen=True, eq=False):
    """All of them.

    Attributes:
        queries: in order of the functions that a request reaches.
        others: searches of statements that could not be led to the place which sends them.
        rows: how many elements `n` stands for.
        complete: False when not every function was looked into.
    """

    queries: tuple[RequestQuery, ...]
    others: tuple[Search, ...]
    rows: Rows
    complete: bool

    @property
    def once(self) -> int:
        """Queries that are sent once at most."""
        return sum(not each.each for each in self.queries)

    @property
    def repeated(self) -> int:
        """Queries that are sent once for each element of something."""
        return sum(bool(each.each) for each in self.queries)

    @property
    def count(self) -> str:
        """`2`, `1 + n`, `2 + 3n`: at most, since branches exclude each other."""
        if not self.repeated:
            return str(self.once)
        if self.once == 1:
            return per_row(self.repeated)
        return f"{self.once} + {'' if self.repeated == 1 else self.repeated}n"

    @property
    def most(self) -> int:
        """The same with the rows of a page."""
        return self.once + self.repeated * self.rows.number


def request_queries(operation: PathOperation, graph: AppGraph) -> RequestQueries:
    """What an operation asks of the database, its dependencies included."""
    does = effects(graph).of_operation(operation)
    reached = {id(function) for function in does.functions}
    looped = {id(each.call.node): each for each in looped_queries(graph) if id(each.round.scope) in reached}
    linked: set[int] = set()
    searches = list(_searches(does.functions, graph))
    queries = [_query(call, looped.get(id(call.node)), searches, linked, graph) for call in does.round_trips]
    queries += [
        _of_round(each, graph)
        for each in lazy_rounds(graph)
        if id(each.read.function) in reached and id(each.round.scope) in reached
    ]
    queries += _of_response(operation, graph)
    others = tuple(search for node, search in searches if node not in linked)
    return RequestQueries(tuple(queries), others, page_of([operation]), does.complete)


def _query(
    call: DatabaseCall,
    looped: LoopedQuery | None,
    searches: list[tuple[int, Search]],
    linked: set[int],
    graph: AppGraph,
) -> RequestQuery:
    nodes = {id(node) for part in parts_of(call) for node in walk(part)}
    own = tuple(search for node, search in searches if node in nodes)
    linked |= nodes
    starts = [start for start in graph.within(QueryStart, call.scope) if id(start.node) in nodes]
    models = [model for start in starts for model in _models(start, graph)]
    if isinstance(call, SessionGet):
        models = models_of(call.model, call.scope, graph, cls=True)
        own = tuple(
            Search(_table(m), key, "==", index="leading", location=call.location)
            for m in models
            for key in m.table.primary_key
        )
    if isinstance(call, SessionRefresh):
        models = models_of(call.instance, call.scope, graph)
    if isinstance(call, BulkWrite):
        models = models_of(call.model, call.scope, graph, cls=True)
    hops = looped.round.hops if looped is not None else ()
    return RequestQuery(
        _kind(call, starts),
        call.scope.full_name,
        call.location,
        tuple(sorted({*map(_table, models), *(search.table for search in own)})),
        call.site.loops + sum(hop.loops for hop in hops),
        looped.round.name if looped is not None else "",
        own,
        looped is None or looped.sure,
    )


def _kind(call: DatabaseCall, starts: list[QueryStart]) -> str:
    written = next((s.kind for s in starts if s.kind in ("insert", "update", "delete")), "")
    if written or starts:
        return written or "select"
    return next((name for kind, name in _KINDS if isinstance(call, kind)), last_name(call.node.func))


def _models(start: QueryStart, graph: AppGraph) -> Iterator[Model]:
    for entity in (*start.entities, *start.node.args):
        of = entity.value if isinstance(entity, ir.Attribute) else entity
        yield from models_of(of, start.scope, graph, cls=True)


def _of_round(each: LazyRound, graph: AppGraph) -> RequestQuery:
    name = f"{each.read.model.name}.{'.'.join(each.read.path)}"
    return RequestQuery(
        f"lazy load of {name}",
        each.read.function.full_name,
        each.read.function.location(each.read.site.node),
        _target(each.read.relationship, graph),
        each.read.site.loops + sum(hop.loops for hop in each.round.hops),
        each.round.name,
        (),
        each.sure,
    )


def _of_response(operation: PathOperation, graph: AppGraph) -> list[RequestQuery]:
    """What FastAPI itself reads of the rows that it fills the response model from."""
    found = lazy_response(operation, graph)
    if found is None:
        return []
    relationship = found.field.relationship
    name = f"{relationship.owner.name}.{relationship.attribute}"
    field = found.field.field
    return [
        RequestQuery(
            f"lazy load of {name}",
            f"{field.owner.full_name}.{field.name}",
            field.location,
            _target(relationship, graph),
            1,
            "row",
            (),
            found.sure,
        )
    ]


def _searches(functions: Iterable[Function], graph: AppGraph) -> Iterator[tuple[int, Search]]:
    """Conditions, each with the identity of the step that it belongs to."""
    for statement in statements_of(functions, graph):
        for predicate in statement.predicates:
            yield id(predicate.step.node), _search(predicate, graph)


def _search(predicate: Predicate, graph: AppGraph) -> Search:
    model, column = predicate.model, predicate.column
    index = (
        "leading"
        if leads(model, column.name, graph)
        else "part"
        if covers(model, column.name, graph)
        else "none"
    )
    if index == "leading" and (predicate.function or predicate.operator not in _BY_INDEX):
        index = (
            "unknown"  # a function of the column needs an index of its own; patterns may or may not use one
        )
    if index == "none" and not is_known(model, graph):
        index = "unknown"
    operator = f"{predicate.function}() {predicate.operator}" if predicate.function else predicate.operator
    return Search(_table(model), column.name, operator, index, predicate.location)


def _target(relationship: Relationship, graph: AppGraph) -> tuple[str, ...]:
    model = graph.database.model_of.get(id(relationship.target))
    return (_table(model),) if model is not None else ()


def _table(model: Model) -> str:
    return model.table.name or model.name
