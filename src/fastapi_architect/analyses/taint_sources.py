"""What does whoever sends a request decide, and where does it enter the program?

Parameters as FastAPI classifies them, with what validation makes harmless taken out; requests and sockets that are read by
hand; dependencies, which fill parameters without a call.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.taint_sinks import KINDS
from fastapi_architect.appgraph.asgi_callables import asgi_callables, dispatching_functions
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.schemas import SchemaField
from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.dataflow.patterns import is_anchored, is_harmless
from fastapi_architect.dataflow.taint import Provision, Sending, Source
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.types import Instance, Type, options

#: What a client decides about a request or a socket, as first step from the object.
REQUEST_FIELDS = frozenset(
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
#: Methods by which Pydantic makes an object of what was sent.
_READ_BY_PYDANTIC = frozenset({"__get_pydantic_core_schema__", "__get_validators__"})
_PLAIN_BASES = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})

#: What a client decides in the scope of a connection, by itself or through a request that is made from it. (A body is read
#: from a channel of its own; what has a `body` and was made with the scope is an answer.)
SCOPE_FIELDS = frozenset(
    {"[path]", "[raw_path]", "[query_string]", "[headers]", "[path_params]"}
    | {"query_params", "path_params", "headers", "cookies", "url"}
)


class Entries:
    """Sources and provisions of all operations, each once.

    Attributes:
        sources: parameters that a client decides. Their `fact` is the `Parameter`, the model (`Class`) whose fields
            are spread over the query, or the `Dependency` of a library that gives the value.
        provisions: parameters that a dependency fills.
    """

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
        for application in graph.mapped:
            for middleware in application.middleware:
                self._middleware(middleware.function)
        for function, request in dispatching_functions(graph.program):
            self._add(Source(function, request.name, REQUEST_FIELDS))
        for function, scope in asgi_callables(graph.program):
            self._add(Source(function, scope.name, SCOPE_FIELDS))

    def _operation(self, operation: PathOperation) -> None:
        handler = operation.handler
        for dependency in operation.all_dependencies():
            if dependency.function is not None:
                self._reads(dependency.function, dependency.parameters, dependency.dependencies)
        if handler is None:
            return
        self._reads(handler, operation.parameters, operation.dependencies)

    def _middleware(self, function: Function | None) -> None:
        """`dispatch(self, request, following)`, whatever its parameters are called."""
        names = [p.name for p in function.parameters[function.is_method :]] if function is not None else []
        if function is not None and len(names) == 2:
            self._add(Source(function, names[0], REQUEST_FIELDS))

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
            self._add(Source(function, parameter.name, REQUEST_FIELDS, fact=parameter))
        elif parameter.is_input and not self._is_no_value(parameter.type):
            clean = dict(self._clean_fields(parameter.type, (), 0))
            safe = _safe_kinds(self._pattern(parameter))
            if safe:
                clean[()] = safe
            self._add(Source(function, parameter.name, None, clean, parameter))

    def _is_no_value(self, of: Type | None) -> bool:
        """Numbers and the like; and an object of a plain class, which FastAPI makes of no request: something else does."""
        found = list(options(of))
        return self._clean_types.is_clean(of) or (bool(found) and all(map(self._is_plain, found)))

    def _is_plain(self, of: Type) -> bool:
        """A class of the program without decorators that inherits from nothing that a request could be read into."""
        if not isinstance(of, Instance) or not isinstance(of.cls, Class) or of.cls.node.decorators:
            return False
        order = [entry.cls for entry in self._program.inference.hierarchy.order(of.cls)]
        methods = {name for cls in order if isinstance(cls, Class) for name in cls.methods}
        return not methods & _READ_BY_PYDANTIC and all(
            (not cls.node.decorators) if isinstance(cls, Class) else cls in _PLAIN_BASES for cls in order
        )

    def _spread(self, function: Function, model: Class) -> None:
        """A model that is filled from the query: the parameter that holds it."""
        inference = self._program.inference
        for param in function.parameters:
            of = inference.parameter_type(param, function)
            if any(isinstance(option, Instance) and option.cls is model for option in options(of)):
                clean = dict(self._clean_fields(of, (), 0))
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

    def _clean_fields(
        self, of: Type | None, above: AccessPath, depth: int
    ) -> Iterator[tuple[AccessPath, frozenset[str] | None]]:
        """Paths below a model that cannot be dangerous, with the kinds for which that holds; two steps deep."""
        if depth == 2:
            return
        for option in options(of):
            if not isinstance(option, Instance) or not isinstance(option.cls, Class):
                continue
            schema = schema_of(option.cls, self._graph)
            for field in schema.fields if schema is not None else ():
                path = (*above, field.name)
                if self._clean_types.is_clean(field.type):
                    yield path, None
                    continue
                safe = _safe_kinds(_field_pattern(field))
                if safe:
                    yield path, safe
                yield from self._clean_fields(field.type, path, depth + 1)

    def _pattern(self, parameter: Parameter) -> str | None:
        """The pattern that a parameter's value must match, or None."""
        if parameter.marker is None:
            return None
        for keyword in parameter.marker.keywords:
            if keyword.arg in ("pattern", "regex"):
                return self._program.constants.string(keyword.value, parameter.scope)
        return None


def _safe_kinds(pattern: str | None) -> frozenset[str]:
    """Kinds for which a text that matches is harmless."""
    if pattern is None or not is_anchored(pattern):
        return frozenset()
    return frozenset(k.name for k in KINDS if k.dangerous and is_harmless(pattern, k.dangerous))


def _field_pattern(field: SchemaField) -> str | None:
    pattern = field.constraints.get("pattern")
    return pattern if isinstance(pattern, str) else None


# ── what runs elsewhere ──────────────────────────────────────────────────────────────────────────────────────


def sendings(graph: AppGraph) -> Iterator[Sending]:
    """Tasks with what they are sent. (FastAPI's own background tasks are handed over like any function.)"""
    for sent in graph.background.enqueues:
        function = sent.function
        if function is None or sent.caller is None or sent.kind == "background":
            continue
        parameters = sent.task.parameters if sent.task is not None else function.parameters
        names = [p.name for p in parameters if p.kind in ("posonly", "normal")]
        given = dict(zip(names, sent.args, strict=False))
        given |= {name: expr for name, expr in sent.keywords.items() if function.parameter(name) is not None}
        if given:
            yield Sending(function, sent.caller, sent.site.node, tuple(given.items()))
