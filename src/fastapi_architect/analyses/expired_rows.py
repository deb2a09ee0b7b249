"""Which rows are read after the commit of an asyncio session that has marked them as stale?

A session forgets what it knows of its rows when it commits, unless it was made with `expire_on_commit=False`; reading one
then needs a query, which an attribute cannot await.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.caught_around import is_caught
from fastapi_architect.analyses.followed_values import Place, callers
from fastapi_architect.analyses.none_checks import dominance
from fastapi_architect.analyses.row_origins import model_of, origins
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import (
    Commit,
    SessionAdd,
    SessionCreation,
    SessionExpunge,
    SessionFactory,
    SessionGet,
    SessionRefresh,
    SqlExecution,
)
from fastapi_architect.program.definitions import Function, dotted_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_CAUGHT = frozenset({"MissingGreenlet", "InvalidRequestError", "SQLAlchemyError"})
_MAX_CALLS = 3
#: Types whose elements are rows.
_MANY = frozenset({"list", "Sequence", "tuple", "set"})
#: Calls that read every attribute of what they are given.
_READERS = ("model_validate", "from_orm", "jsonable_encoder")


class ExpiredRead(msgspec.Struct, frozen=True, eq=False):
    """A row that is read after it was marked as stale.

    Attributes:
        commit: the commit.
        factory: what makes the sessions, for the mend.
        use: where the row is read, or handed to the framework.
        function: the body of the use.
        name: the variable.
        model: what it is.
        attribute: what is read, "" when the framework reads all of it.
        calls: calls between the commit and the use, the outermost first.
        operation: whose answer it is, None when the code reads it.
        sure: the row is surely one of the session's.
    """

    commit: Commit
    factory: Concept
    use: Site
    function: Function
    name: str
    model: Model
    attribute: str
    calls: tuple[Site, ...]
    operation: PathOperation | None
    sure: bool


@question
def expiring_factory(graph: AppGraph) -> Concept | None:
    """What makes sessions of asyncio that expire; None when some are told not to, or nothing is known of them."""
    found: list[Concept] = []
    for factory in graph.facts(SessionFactory):
        if factory.is_async and not factory.scoped and factory.scope.module.kind == "source":
            if not _expires(graph, factory, factory.expire_on_commit):
                return None
            found.append(factory)
    for creation in graph.facts(SessionCreation):
        direct = creation.expire_on_commit is not None or creation.session is None
        if creation.is_async and direct and creation.scope.module.kind == "source":
            if not _expires(graph, creation, creation.expire_on_commit):
                return None
            found.append(creation)
    told = (k.arg for s in graph.program.call_sites_named("configure") for k in s.node.keywords)
    return found[0] if found and "expire_on_commit" not in told else None


def _expires(graph: AppGraph, made: Concept, given: ir.Expr | None) -> bool:
    """It is left as it is, or said to be True; `**options` may say anything."""
    if any(keyword.arg is None for keyword in made.node.keywords):
        return False
    return given is None or graph.program.constants.value(given, made.scope) is True


@question
def expired_reads(graph: AppGraph) -> tuple[ExpiredRead, ...]:
    """Every such reading, in order of files."""
    factory = expiring_factory(graph)
    return tuple(_Reader(graph, factory).read()) if factory is not None else ()


class _Reader:
    def __init__(self, graph: AppGraph, factory: Concept) -> None:
        self._graph = graph
        self._factory = factory
        self._told: set[tuple[int, str]] = set()

    def read(self) -> Iterator[ExpiredRead]:
        for commit in self._graph.facts(Commit):
            function = commit.scope
            if not commit.is_async or not isinstance(function, Function) or function.module.kind != "source":
                continue
            if not self._graph.within(SessionExpunge, function):
                yield from self._behind(commit, function)

    def _behind(self, commit: Commit, function: Function) -> Iterator[ExpiredRead]:
        names = {
            name
            for name, bindings in function.facts.bindings.items()
            if any(b.node.span < commit.node.span for b in bindings)
            and model_of(self._graph, ir.Name(0, name), function) is not None
        }
        for name in sorted(names):
            attached = self._is_attached(name, commit, function)
            if attached is not None:
                yield from self._uses(commit, commit.site, name, function, (), sure=attached)
        yield from self._among_many(commit, function)

    def _is_attached(self, name: str, commit: Commit, function: Function) -> bool | None:
        """The row belongs to the session: surely, perhaps, or (None) it does not."""
        expr = ir.Name(0, name)
        for add in self._graph.within(SessionAdd, function):
            if (
                isinstance(add.instance, ir.Name)
                and add.instance.id == name
                and add.node.span < commit.node.span
            ):
                return True
        found = origins(self._graph, expr, Place(function))
        kinds = {o.kind for o in found if o.kind in ("query", "get", "relationship") and o.is_async}
        if not kinds:
            return None
        return all(o.kind in ("query", "get", "relationship") for o in found)

    # ── many rows ───────────────────────────────────────────────────────────────────────────────────────────

    def _among_many(self, commit: Commit, function: Function) -> Iterator[ExpiredRead]:
        """`[row.id for row in rows]` and `return rows` behind the commit."""
        for name in sorted(function.facts.bindings):
            model = self._elements(name, commit, function)
            key = (id(function), name)
            if model is None or key in self._told:
                continue
            read = self._read_of_element(name, model, commit.site, function)
            if read is not None:
                self._told.add(key)
                row, site = read
                attribute = site.node.attr if isinstance(site.node, ir.Attribute) else ""
                yield ExpiredRead(
                    commit, self._factory, site, function, row, model, attribute, (), None, sure=True
                )
                continue
            for site in function.facts.sites(ir.Return):
                returned = isinstance(site.node.value, ir.Name) and site.node.value.id == name
                if returned and self._is_stale(name, commit.site, site, function):
                    self._told.add(key)
                    yield from self._returned(commit, site, "", model, function, (), sure=True)

    def _elements(self, name: str, commit: Commit, function: Function) -> Model | None:
        """The model of the rows in a list that the session knows; None for anything else."""
        bindings = function.facts.bindings[name]
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].node.span >= commit.node.span:
            return None
        model = self._element_model(ir.Name(0, name), function)
        if model is None:
            return None
        found = origins(self._graph, ir.Name(0, name), Place(function))
        if found and all(o.kind == "query" and o.is_async for o in found):
            return model
        added = (a for a in self._graph.within(SessionAdd, function) if a.node.span < commit.node.span)
        if any(isinstance(a.instance, ir.Name) and a.instance.id == name for a in added):
            return model if found and all(o.kind == "made" for o in found) else None
        return None

    def _element_model(self, expr: ir.Expr, function: Function) -> Model | None:
        """What a list, or any other sequence, holds rows of."""
        inference, model_of_class = self._graph.program.inference, self._graph.database.model_of
        elements = [
            element
            for of in options(inference.type_of(expr, function))
            if isinstance(of, Instance) and of.name.rpartition(".")[2] in _MANY
            for element in of.args[:1]
        ]
        models = {id(e.cls): model_of_class.get(id(e.cls)) for e in elements if isinstance(e, Instance)}
        return next(iter(models.values())) if len(models) == len(elements) == 1 else None

    def _read_of_element(
        self, name: str, model: Model, after: Site, function: Function
    ) -> tuple[str, Site] | None:
        """The first reading of a row in a loop or comprehension over the list, with the row's name."""
        for loop, target in _loops_over(name, function):
            if loop.node.span < after.node.span or not isinstance(target, ir.Name):
                continue
            inside = {id(node) for node in walk(loop.node)}
            for site in self._reads(target.id, model, function):
                if id(site.node) in inside and self._is_stale(name, after, site, function):
                    return target.id, site
        return None

    # ── uses ────────────────────────────────────────────────────────────────────────────────────────────────

    def _uses(
        self,
        commit: Commit,
        after: Site,
        name: str,
        function: Function,
        calls: tuple[Site, ...],
        *,
        sure: bool,
    ) -> Iterator[ExpiredRead]:
        """Readings of the variable behind a place in the function, and what happens to it when it is returned."""
        model = model_of(self._graph, ir.Name(0, name), function)
        key = (id(function), name)
        if model is None or key in self._told:
            return
        read = self._first_read(name, model, after, function)
        if read is not None:
            self._told.add(key)
            attribute = read.node.attr if isinstance(read.node, ir.Attribute) else ""
            yield ExpiredRead(
                commit, self._factory, read, function, name, model, attribute, calls, None, sure
            )
            return
        for site in function.facts.sites(ir.Return):
            returned = isinstance(site.node.value, ir.Name) and site.node.value.id == name
            if returned and self._is_stale(name, after, site, function):
                self._told.add(key)
                yield from self._returned(commit, site, name, model, function, calls, sure=sure)

    def _first_read(self, name: str, model: Model, after: Site, function: Function) -> Site | None:
        for site in self._reads(name, model, function):
            if self._is_stale(name, after, site, function):
                return site
        return None

    def _reads(self, name: str, model: Model, function: Function) -> Iterator[Site]:
        """Readings of a variable's row, in order of places; those whose failure is caught left out."""
        known = {c.attribute for c in model.columns} | set(model.relationship_by_name)
        reads = [
            s
            for s in function.facts.sites(ir.Attribute)
            if isinstance(s.node.value, ir.Name) and s.node.value.id == name and s.node.attr in known
        ]
        reads += [
            s
            for s in function.facts.calls_named(*_READERS)
            if any(isinstance(given, ir.Name) and given.id == name for given in s.node.args)
        ]
        for site in sorted(reads, key=lambda s: s.node.span):
            written = any(target is site.node for target in getattr(site.statement, "targets", ()))
            if not written and not is_caught(site, _CAUGHT):
                yield site

    def _is_stale(self, name: str, after: Site, use: Site, function: Function) -> bool:
        """The use always comes behind the commit, and nothing has read the row from the database between."""
        begin, end = after.node.span, use.node.span
        if begin >= end or not dominance(self._graph, function).dominates(after, use):
            return False
        if any(begin < b.node.span < end for b in function.facts.bindings.get(name, ())):
            return False
        for kind in (SessionRefresh, SqlExecution, SessionGet):
            if any(begin < each.node.span < end for each in self._graph.within(kind, function)):
                return False
        return not self._is_handed_on(name, begin, end, function)

    def _is_handed_on(self, name: str, begin: int, end: int, function: Function) -> bool:
        """Somebody else is given the row in between, and may read it anew: `await reload(session, order)`."""
        for call in function.facts.calls:
            if begin < call.node.span < end and call.awaited:
                given = (*call.node.args, *(k.value for k in call.node.keywords))
                if any(isinstance(each, ir.Name) and each.id == name for each in given):
                    return True
        return False

    # ── across functions ────────────────────────────────────────────────────────────────────────────────────

    def _returned(
        self,
        commit: Commit,
        site: Site,
        name: str,
        model: Model,
        function: Function,
        calls: tuple[Site, ...],
        *,
        sure: bool,
    ) -> Iterator[ExpiredRead]:
        for operation in self._graph.operations_running(function):
            if operation.handler is function and operation.response_type is not None:
                yield ExpiredRead(
                    commit, self._factory, site, function, name, model, "", calls, operation, sure
                )
                return
        if len(calls) >= _MAX_CALLS or function.is_generator:
            return
        for call in callers(self._graph, function):
            caller = call.scope
            if isinstance(caller, Function) and len(self._graph.program.calls.targets(call)) == 1:
                yield from self._received(commit, call, model, caller, (call, *calls), sure=sure)

    def _received(
        self,
        commit: Commit,
        call: Site,
        model: Model,
        caller: Function,
        calls: tuple[Site, ...],
        *,
        sure: bool,
    ) -> Iterator[ExpiredRead]:
        statement: Any = call.statement
        value = statement.value if isinstance(statement, ir.Assign | ir.AnnAssign | ir.Return) else None
        value = value.value if isinstance(value, ir.Await) else value
        if value is not call.node or self._graph.within(SessionExpunge, caller):
            return
        if isinstance(statement, ir.Return):
            site = Site(statement, call.context, statement, caller)
            yield from self._returned(commit, site, "", model, caller, calls, sure=sure)
        else:
            targets = statement.targets if isinstance(statement, ir.Assign) else [statement.target]
            if len(targets) == 1 and isinstance(targets[0], ir.Name):
                yield from self._uses(commit, call, targets[0].id, caller, calls, sure=sure)


def _loops_over(name: str, function: Function) -> Iterator[tuple[Site, ir.Expr]]:
    """Loops and comprehensions over a variable, each with the target."""
    for site in function.facts.sites(ir.For):
        if isinstance(site.node.iter, ir.Name) and site.node.iter.id == name:
            yield site, site.node.target
    for site in function.facts.sites(ir.Comprehension):
        first = site.node.generators[0]
        if isinstance(first.iter, ir.Name) and first.iter.id == name:
            yield site, first.target


def session_name(commit: Commit) -> str:
    """The session as written: `session`, `self.session`."""
    return dotted_name(commit.session) if commit.session is not None else "session"
