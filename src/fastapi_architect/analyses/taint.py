"""Which request data reaches which dangerous calls.

Binds `dataflow` to a backend: parameters as FastAPI classifies them are sources, dependencies fill parameters, concepts
are sinks. All kinds of sink are solved in one run, on first use.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.concepts.database import DatabaseCall, QueryStart, QueryStep, SqlExecution, SqlText
from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.dataflow.interprocedural import TaintSolver, names_read
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.dataflow.patterns import is_anchored, is_harmless
from fastapi_architect.dataflow.taint import Provision, Sink, SinkKind, Source, TaintQuery
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.types import Instance, Type, options
from fastapi_architect.syntax import ir

#: Kinds of sink, with the characters of which an attack needs at least one.
KINDS = (
    SinkKind("sql", "'\"; ()\\"),
    SinkKind("sql-identifier", "'\"; ()\\"),
)

_MODELS = ("pydantic.BaseModel", "sqlmodel.SQLModel")
#: Kinds of modules that no request reaches.
_NEVER_REQUESTED = frozenset({"test", "migration", "vendored"})
_TEXTS = ("builtins.str", "builtins.bytes", "typing.LiteralString")
#: What a client decides about a request or a socket, as first step from the object.
_REQUEST_FIELDS = frozenset(
    {
        "query_params",
        "path_params",
        "headers",
        "cookies",
        "url",
        "body",
        "json",
        "form",
        "stream",
        "receive_text",
        "receive_bytes",
        "receive_json",
        "iter_text",
        "iter_bytes",
        "iter_json",
        "receive",
    }
)
_ORDERING = frozenset({"order_by", "group_by"})
_SANITIZERS: dict[str, frozenset[str] | None] = {
    "psycopg.sql.Identifier": frozenset({"sql", "sql-identifier"}),
    "psycopg.sql.Literal": frozenset({"sql"}),
    "psycopg2.sql.Identifier": frozenset({"sql", "sql-identifier"}),
    "psycopg2.sql.Literal": frozenset({"sql"}),
    "psycopg2.extensions.quote_ident": frozenset({"sql", "sql-identifier"}),
    "sqlalchemy.TextClause.bindparams": None,
    "sqlalchemy.bindparam": None,
    # Hexadecimal digits; and what reaches a database through its address is no text of a statement.
    "hashlib.HASH.hexdigest": None,
    "hmac.HMAC.hexdigest": None,
    "sqlalchemy.create_engine": None,
    "sqlalchemy.engine.create_engine": None,
    "sqlalchemy.ext.asyncio.create_async_engine": None,
}


def taint_paths(graph: AppGraph, kind: str) -> tuple[TaintPath, ...]:
    """Ways from request data to sinks of one kind, one for each pair of source and sink, in order of sinks.

    Args:
        graph: the backend.
        kind: name of one of `KINDS`.

    A source's `fact` is its `Parameter` (or the `Dependency` of a library that gives it); a sink's is its concept.
    """
    return tuple(path for path in _solve(graph)[0] if path.sink.kind == kind)


def not_fully_followed(graph: AppGraph) -> tuple[Function, ...]:
    """Functions for which a bound of the analysis was hit: flows through them may be missing.

    Nothing when no rule has asked for flows.
    """
    known = _solve.known(graph)
    return known[1] if known is not None else ()


@question
def _solve(graph: AppGraph) -> tuple[tuple[TaintPath, ...], tuple[Function, ...]]:
    sinks = tuple(
        s for s in _sql_sinks(graph) if s.scope.module.kind not in _NEVER_REQUESTED and _may_vary(s)
    )
    if not sinks:
        return (), ()
    solver = TaintSolver(graph.program, _query(graph, sinks))
    return solver.solve(), tuple(solver.cut)


def _query(graph: AppGraph, sinks: tuple[Sink, ...]) -> TaintQuery:
    entries = _Entries(graph)
    sanitizers = dict(_SANITIZERS)
    for name, kinds in graph.project.sanitizers.items():
        sanitizers[name] = frozenset(kinds) or None
    # A database answers with rows, and an expression binds the values that it is made of.
    made = (*graph.facts(DatabaseCall), *graph.facts(QueryStart), *graph.facts(QueryStep))
    opaque = frozenset(id(call.node) for call in made)
    return TaintQuery(
        KINDS,
        sinks,
        tuple(entries.sources),
        tuple(entries.provisions),
        sanitizers,
        opaque,
        records=frozenset(f"{model}.{method}" for model in _MODELS for method in ("model_dump", "dict")),
        copies=frozenset(f"{model}.{method}" for model in _MODELS for method in ("model_copy", "copy")),
    )


# ── sinks ────────────────────────────────────────────────────────────────────────────────────────────────────


def _sql_sinks(graph: AppGraph) -> Iterator[Sink]:
    ordering = {
        id(argument) for step in graph.facts(QueryStep) if step.kind in _ORDERING for argument in step.args
    }
    for text in graph.facts(SqlText):
        if text.text is not None:
            kind = "sql" if text.kind == "text" and id(text.node) not in ordering else "sql-identifier"
            yield Sink(kind, text.scope, text.node, text.text, text)
    texts = {id(text.node) for text in graph.facts(SqlText)}
    for execution in graph.facts(SqlExecution):
        if (
            execution.statement is not None
            and id(execution.node) not in texts
            and _sends_text(graph, execution)
        ):
            yield Sink("sql", execution.scope, execution.node, execution.statement, execution)


def _may_vary(sink: Sink) -> bool:
    """Something in the argument comes from outside the function; a literal, or a name for one, does not.

    What leads to a sink is executed, so that most of what statements cost is saved here.
    """
    return any(_carries(name, sink.scope) for name in names_read([sink.argument]))


def _carries(name: str, scope: Scope) -> bool:
    bindings = scope.facts.bindings.get(name)
    if bindings is None:
        return isinstance(scope.parent, Function)
    if len(bindings) > 1 or bindings[0].kind not in ("assign", "annotated") or bindings[0].path:
        return True
    return bindings[0].value.__class__ is not ir.Constant


def _sends_text(graph: AppGraph, execution: SqlExecution) -> bool:
    """The statement is a plain string that the driver takes as it is.

    SQLAlchemy refuses plain strings but for `exec_driver_sql`; a `text(...)` is a sink of its own where it is made.
    """
    if not execution.raw:
        return False
    of = graph.program.inference.type_of(execution.statement, execution.scope)
    if of is not None and not any(isinstance(o, Instance) and o.name in _TEXTS for o in options(of)):
        return False
    if execution.driver != "sqlalchemy":
        return True
    if execution.name.endswith("exec_driver_sql"):
        return True
    receiver = last_name(execution.session).lower() if execution.session is not None else ""
    return not execution.sure and "session" not in receiver


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────


class _Entries:
    """Sources and provisions of all operations, each once."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._program = graph.program
        self._clean_types = CleanTypes(graph.program.inference.hierarchy)
        self._seen: set[tuple[int, str, object]] = set()
        self._read: set[tuple[int, int, int]] = set()
        self.sources: list[Source] = []
        self.provisions: list[Provision] = []
        for operation in graph.operations:
            self._operation(operation)

    def _operation(self, operation: PathOperation) -> None:
        handler = operation.handler
        for dependency in operation.all_dependencies():
            if dependency.function is not None:
                self._reads(dependency.function, dependency.parameters, dependency.dependencies)
        if handler is None:
            return
        if operation.kind == "plain" and not operation.parameters and handler.parameters:
            position = 1 if handler.is_method else 0
            if position < len(handler.parameters):
                self._add(Source(handler, handler.parameters[position].name, _REQUEST_FIELDS))
        self._reads(handler, operation.parameters, operation.dependencies)

    def _reads(
        self, function: Function, parameters: tuple[Parameter, ...], dependencies: tuple[Dependency, ...]
    ) -> None:
        """What one function receives, as FastAPI passes it in."""
        key = (id(function), id(parameters), id(dependencies))
        if key in self._read:
            return
        self._read.add(key)
        for parameter in parameters:
            if parameter.model is not None:
                self._spread(function, parameter.model)
            else:
                self._parameter(function, parameter)
        names = {param.name for param in function.parameters}
        for dependency in dependencies:
            if dependency.parameter_name in names:
                self._dependency(function, dependency)

    def _parameter(self, function: Function, parameter: Parameter) -> None:
        if parameter.kind in ("request", "websocket"):
            self._add(Source(function, parameter.name, _REQUEST_FIELDS, fact=parameter))
        elif parameter.is_input and not self._clean_types.is_clean(parameter.type):
            clean = frozenset(self._clean_fields(parameter.type, (), 0))
            safe = self._safe_kinds(self._pattern(parameter))
            self._add(Source(function, parameter.name, None, clean, safe, parameter))

    def _spread(self, function: Function, model: Class) -> None:
        """A model that is filled from the query: the parameter that holds it."""
        inference = self._program.inference
        for param in function.parameters:
            of = inference.parameter_type(param, function)
            if any(isinstance(option, Instance) and option.cls is model for option in options(of)):
                clean = frozenset(self._clean_fields(of, (), 0))
                self._add(Source(function, param.name, None, clean, fact=model))

    def _dependency(self, function: Function, dependency: Dependency) -> None:
        name = dependency.parameter_name
        provider = dependency.function
        if provider is not None:
            constructs = dependency.cls is not None and provider.name == "__init__"
            self._provide(Provision(function, name, provider, constructs))
        elif dependency.cls is not None:
            tainted = [
                p for p in dependency.parameters if p.is_input and not self._clean_types.is_clean(p.type)
            ]
            if tainted:
                fields = frozenset(parameter.name for parameter in tainted)
                self._add(Source(function, name, fields, fact=tainted[0]))
        elif dependency.parameters or dependency.instance_of.startswith("fastapi.security."):
            self._add(Source(function, name, fact=dependency))

    def _add(self, source: Source) -> None:
        key = (id(source.function), source.parameter, source.fields)
        if key not in self._seen:
            self._seen.add(key)
            self.sources.append(source)

    def _provide(self, provision: Provision) -> None:
        key = (id(provision.function), provision.parameter, id(provision.provider))
        if key not in self._seen:
            self._seen.add(key)
            self.provisions.append(provision)

    # ── what validation makes clean ──────────────────────────────────────────────────────────────────────────

    def _clean_fields(self, of: Type | None, above: AccessPath, depth: int) -> Iterator[AccessPath]:
        """Paths below a model that cannot be dangerous, two steps deep."""
        if depth == 2:
            return
        for option in options(of):
            if not isinstance(option, Instance) or not isinstance(option.cls, Class):
                continue
            schema = schema_of(option.cls, self._graph)
            for field in schema.fields if schema is not None else ():
                path = (*above, field.name)
                if self._clean_types.is_clean(field.type) or len(
                    self._safe_kinds(_field_pattern(field))
                ) == len(KINDS):
                    yield path
                else:
                    yield from self._clean_fields(field.type, path, depth + 1)

    def _pattern(self, parameter: Parameter) -> str | None:
        """The pattern that a parameter's value must match, or None."""
        if parameter.marker is None:
            return None
        for keyword in parameter.marker.keywords:
            if keyword.arg in ("pattern", "regex"):
                return self._program.constants.string(keyword.value, parameter.scope)
        return None

    def _safe_kinds(self, pattern: str | None) -> frozenset[str]:
        if pattern is None or not is_anchored(pattern):
            return frozenset()
        return frozenset(k.name for k in KINDS if is_harmless(pattern, k.dangerous))


def _field_pattern(field: SchemaField) -> str | None:
    pattern = field.constraints.get("pattern")
    return pattern if isinstance(pattern, str) else None
