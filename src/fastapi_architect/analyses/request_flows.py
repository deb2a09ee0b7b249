"""How does data of a request get to a dangerous call, in a reader's words?

    for flow in flows_to(graph, "command"):
        yield rule.at(flow.fact, f"`{flow.name}` of {flow.route} ...", confidence=flow.confidence, trace=flow.trace("..."))

A `Flow` is one sink with all ways that lead to it, the shortest first. What a model's validators let through only if a list
in the code holds it is left out.
"""

from __future__ import annotations

import pathlib
import urllib.parse
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.class_schemas import schema_of
from fastapi_architect.analyses.closed_fields import is_closed
from fastapi_architect.analyses.named_checks import is_checked_by_name, takes
from fastapi_architect.analyses.taint import taint_paths
from fastapi_architect.appgraph.declarations import annotated_parts, annotation_heads
from fastapi_architect.appgraph.dependencies import Dependency
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.parameters import Parameter
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.concepts.http import OutboundRequest, PaidApiCall, StrangersText
from fastapi_architect.dataflow.access_path import AccessPath, written
from fastapi_architect.dataflow.path import TaintPath
from fastapi_architect.dataflow.taint import Sink
from fastapi_architect.findings.finding import Step
from fastapi_architect.findings.severity import Confidence
from fastapi_architect.program.call_graph import is_empty
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir, span
from fastapi_architect.syntax.walking import walk

#: What stands for a text that comes in without a request.
_FROM_ELSEWHERE = (OutboundRequest, PaidApiCall, StrangersText)
#: Hops up to which a path is one thing that a reader can check; what goes further joins many callers' values.
_FEW_HOPS = 8
#: Hops beyond which nobody can say that the value is still the one that was sent.
_MANY_HOPS = 15

#: Ways to one sink whose sureness is compared.
_MAX_COMPARED = 6
#: What is left of a danger when a check that can be got around stands on the way.
_WEAK = frozenset({"weak", "rest"})
#: Kinds of sink that take a name or an address, never what lies behind it.
_NAMES = frozenset({"path", "object-key", "url", "redirect"})
_OF_VALUES = frozenset(name for of in (dict, list) for name in dir(of))
#: Of these nobody has read a check yet.
_NOTHING_READ = frozenset({"up", "host"})
#: Words in names of functions that look something up, and raise when it is not there.
_LOOKING_UP = ("get", "find", "fetch", "require", "look", "exist", "owner", "check", "ensure", "valid")
#: What security schemes of a library give.
_OF_CREDENTIALS = frozenset(
    {"scheme", "credentials", "username", "password", "scopes", "client_id", "client_secret"}
)
#: What takes a text apart into values that it names.
_PARSERS = frozenset(
    {
        "decode",
        "load",
        "loads",
        "literal_eval",
        "model_validate_json",
        "parse",
        "parse_qs",
        "parse_raw",
        "safe_load",
    }
)
_PLAIN_TYPES = frozenset({"builtins.str", "builtins.None", "builtins.bytes"})
#: What a text has, and what paths and addresses that are made of it have.
_OF_TEXTS = frozenset(
    name for of in (str, bytes, pathlib.Path, urllib.parse.ParseResult) for name in dir(of)
) | frozenset({"hostname", "netloc", "group", "groups", "groupdict", "host", "origin"})

_PLACES = {
    "path": "path",
    "query": "query string",
    "header": "headers",
    "cookie": "cookies",
    "form": "form",
    "file": "uploaded file",
    "websocket": "messages",
}
#: What is read from a request or socket by hand, as first step from the object, and where that lies.
_READ_FROM = {
    "query_params": "query string",
    "path_params": "path",
    "url": "address",
    "headers": "headers",
    "cookies": "cookies",
    "form": "form",
    "body": "body",
    "json": "body",
    "stream": "body",
    "[path]": "path",
    "[raw_path]": "path",
    "[path_params]": "path",
    "[query_string]": "query string",
    "[headers]": "headers",
}
#: Metadata of `Annotated` that checks or changes a value.
_VALIDATORS = frozenset({"AfterValidator", "BeforeValidator", "PlainValidator", "Predicate", "WrapValidator"})
_OF_UPLOADS = {"filename": "name of the uploaded file", "content_type": "content type of the uploaded file"}


class Flow(msgspec.Struct, frozen=True, eq=False):
    """Request data reaches a sink.

    Attributes:
        kind: of the sink.
        sink: the sink; of several that take the same variable, the one that the shortest way leads to.
        paths: every way, the shortest first.
        operations: those whose requests carry the data, in order of registration.
        routes: their names, sorted, without repeats.
        route: the first of them as a sentence names it; the function's name where no operation runs it.
        name: the value in the reader's own terms: `order.note`, `file.filename`.
        place: where in the request it comes from: query string, body, headers, name of the uploaded file, ...
        confidence: by how it was followed, and whether the sink was recognised by its type.
        is_one_segment: it is a plain path parameter, which can hold no slash.
    """

    kind: str
    sink: Sink
    paths: tuple[TaintPath, ...]
    operations: tuple[PathOperation, ...]
    routes: tuple[str, ...]
    route: str
    name: str
    place: str
    confidence: Confidence
    is_one_segment: bool = False

    @property
    def fact(self) -> Any:
        """The concept that the sink is made from: where a finding stands."""
        return self.sink.fact

    @property
    def path(self) -> TaintPath:
        """The shortest way."""
        return self.paths[0]

    @property
    def field(self) -> str:
        """Last part of the value's name: what an attacker fills in."""
        return self.path.path[-1].strip("[]")

    @property
    def others(self) -> str:
        """` (and 2 more of the requests' values)`, or nothing."""
        values = len({(id(path.source), path.path) for path in self.paths})
        return f" (and {values - 1} more of the requests' values)" if values > 1 else ""

    @property
    def through(self) -> str:
        """` through `find`, `like``: the functions it is passed to, or nothing."""
        hops = [trace.name for trace in self.path.traces if trace.kind == "passed"]
        return f" through {', '.join(f'`{hop}`' for hop in hops)}" if hops else ""

    @property
    def carrier(self) -> str:
        """What brings the value: a route, or an answer from elsewhere."""
        asked = self._asked
        return (
            self.route if asked is None else f"an answer of `{asked.name.rpartition('()')[2] or asked.name}`"
        )

    @property
    def attacker(self) -> str:
        """The same at the beginning of a sentence."""
        return self.carrier[:1].upper() + self.carrier[1:]

    @property
    def sent(self) -> str:
        """What the value is, to follow `is`."""
        if self._asked is None:
            return f"whatever the client of {self.route} sends"
        return "whatever the other side answers, or was led to answer"

    @property
    def is_answer(self) -> bool:
        """It comes from another service or a model, and from no request."""
        return self._asked is not None

    @property
    def _asked(self) -> OutboundRequest | PaidApiCall | StrangersText | None:
        fact = self.path.source.fact
        return fact if isinstance(fact, _FROM_ELSEWHERE) else None

    def trace(self, ending: str) -> tuple[Step, ...]:
        """The shortest way as evidence; `ending` says what happens at the sink."""
        begin = f"`{self.name}` comes from the {self.place} of {self.carrier}"
        source = self.path.source
        fact = source.fact
        location = (
            fact.location if isinstance(fact, (Parameter, *_FROM_ELSEWHERE)) else source.function.location()
        )
        last = Step(self.sink.scope.location(self.sink.node), ending)
        return (Step(location, begin), *self.path.steps(), last)


@question_about
def flows_to(graph: AppGraph, kind: str) -> tuple[Flow, ...]:
    """Sinks of a kind that request data reaches, in order of files and places.

    Args:
        graph: the backend.
        kind: name of one of `taint_sinks.KINDS`.

    Raises:
        KeyError: there is no such kind.
    """
    by_argument: dict[tuple[int, str | int, str], list[TaintPath]] = {}
    for path in taint_paths(graph, kind):
        if not (_is_far(path) or _is_closed(path, graph) or _is_content(path) or _is_of_another_object(path)):
            by_argument.setdefault(_key(path.sink), []).append(path)
    return tuple(_flow(kind, _ranked(paths, graph), graph) for paths in by_argument.values())


def _ranked(paths: list[TaintPath], graph: AppGraph) -> list[TaintPath]:
    """What can be told best first: a whole path before one part of it, the sure ways before guessed ones, the short before the long."""
    if len(paths) == 1:
        return paths
    found = sorted(paths, key=lambda path: (_is_cramped(path, graph), len(path.traces)))
    first = found[: bisect_right([_is_cramped(path, graph) for path in found], _is_cramped(found[0], graph))]
    sure = (path for path in first[:_MAX_COMPARED] if _confidence(path, graph) is not Confidence.TENTATIVE)
    best = next(sure, found[0])
    return [best, *(path for path in found if path is not best)]


def _is_answer(path: TaintPath) -> bool:
    return isinstance(path.source.fact, _FROM_ELSEWHERE)


def _is_far(path: TaintPath) -> bool:
    """What another service answers is followed as far as a reader can check it."""
    return _is_answer(path) and len(path.traces) > _FEW_HOPS


def _is_cramped(path: TaintPath, graph: AppGraph) -> tuple[bool, bool, bool]:
    """What little the value can do: an answer instead of a request; one part of a path alone; what a weak check has left."""
    running = graph.operations_running(path.source.function)
    return (
        _is_answer(path),
        path.sink.kind == "path" and _is_one_segment(path, running),
        bool(path.aspects) and path.aspects <= _WEAK,
    )


def _key(sink: Sink) -> tuple[int, str | int, str]:
    """One variable may be used on several branches; what is done with it tells them apart."""
    argument = sink.argument
    name = argument.id if argument.__class__ is ir.Name else id(sink)
    return id(sink.scope), name, getattr(sink.fact, "mode", "")


def _flow(kind: str, paths: list[TaintPath], graph: AppGraph) -> Flow:
    first = paths[0]
    found = {id(o): o for path in paths for o in graph.operations_running(path.source.function)}
    running = graph.operations_running(first.source.function)
    return Flow(
        kind,
        first.sink,
        tuple(paths),
        tuple(found.values()),
        tuple(sorted({name for operation in found.values() for name in operation.names})),
        running[0].names[0] if running else _without_route(first.source.function),
        written(first.path),
        _place(first),
        _confidence(first, graph),
        _is_one_segment(first, running),
    )


def _without_route(function: Function) -> str:
    """What runs for requests of any route: the middleware, by the name of its class."""
    owner = function.owner
    return f"requests to {owner.name}" if owner is not None else function.name


# ── what is no flow ──────────────────────────────────────────────────────────────────────────────────────────


def _is_content(path: TaintPath) -> bool:
    """What lies in an uploaded file, or the file itself, where a name or an address is asked for."""
    fact = path.source.fact
    if path.sink.kind not in _NAMES or not isinstance(fact, Parameter) or fact.kind != "file":
        return False
    return not any(step in path.path[1:] for step in (*_OF_UPLOADS, "headers"))


def _is_of_another_object(path: TaintPath) -> bool:
    """`load(name).host`: no text has a `host`, so it is a field of something that was looked up by the text."""
    fact = path.source.fact
    steps = path.path[1:]
    if len(steps) == 2 and steps[0].startswith("[") and not _is_of_value(steps[1]):
        return True
    if isinstance(fact, Dependency) and fact.instance_of.startswith("fastapi.security."):
        return any(step not in _OF_CREDENTIALS and not _is_of_value(step) for step in steps)
    if not steps or _is_of_value(steps[0]) or _is_parsed(path):
        return False
    if not isinstance(fact, Parameter) or not fact.is_input or fact.name != path.path[0]:
        return False
    types = list(options(fact.type))
    return bool(types) and all(isinstance(o, Instance) and o.name in _PLAIN_TYPES for o in types)


def _is_of_value(step: str) -> bool:
    """A step into a JSON value, or to something that texts have."""
    return step.startswith("[") or step in _OF_TEXTS or step in _OF_VALUES


def _is_parsed(path: TaintPath) -> bool:
    """`json.loads(text)["host"]`: the text held it."""
    values: list[Any] = [getattr(trace.node, "value", trace.node) for trace in path.traces]
    return any(
        node.__class__ is ir.Call and last_name(node.func) in _PARSERS
        for value in (*values, path.sink.argument)
        for node in walk(value)
    )


# ── where it comes from ──────────────────────────────────────────────────────────────────────────────────────


def _place(path: TaintPath) -> str:
    fact = path.source.fact
    step = path.path[1] if len(path.path) > 1 else ""
    if _is_answer(path):
        return "text"
    if not isinstance(fact, Parameter):
        return _READ_FROM.get(step, "request")
    if fact.kind == "file":
        return _OF_UPLOADS.get(step, _PLACES["file"])
    if fact.is_input:
        return _PLACES.get(fact.kind, "body")
    return _READ_FROM.get(step, _PLACES.get(fact.kind, "request"))


def _is_one_segment(path: TaintPath, running: tuple[PathOperation, ...]) -> bool:
    """Starlette's `{name}` matches no slash, `{name:path}` does."""
    fact = path.source.fact
    if not isinstance(fact, Parameter) or fact.kind != "path":
        return False
    return not any(f"{{{fact.alias}:path}}" in operation.path for operation in running)


# ── how sure it is ───────────────────────────────────────────────────────────────────────────────────────────


def _confidence(path: TaintPath, graph: AppGraph) -> Confidence:
    """By what the path is made of. What a model's validators refuse is not known.

    What another service answers is one step less sure than what a client sends.
    """
    if (
        (bool(path.aspects) and path.aspects <= _WEAK)
        or len(path.traces) > _MANY_HOPS
        or any(trace.kind == "mixed" for trace in path.traces)
        or _is_extracted(path)
        or _is_validated(path, graph)
        or _is_checked(path, graph)
        or _is_given_by_one_of_several(path, graph)
    ):
        return Confidence.TENTATIVE
    sure = getattr(path.sink.fact, "sure", True) and len(path.traces) <= _FEW_HOPS
    if _is_answer(path):
        return Confidence.FIRM if sure else Confidence.TENTATIVE
    return Confidence.CERTAIN if sure else Confidence.FIRM


def _is_given_by_one_of_several(path: TaintPath, graph: AppGraph) -> bool:
    """`verifier.verify(token)`: what one of the classes that might run returns, another may have checked."""
    for trace in path.traces:
        if trace.kind != "returned" or trace.node.__class__ is not ir.Call:
            continue
        targets = [
            target
            for site in trace.scope.facts.calls
            if site.node is trace.node
            for target in graph.program.calls.targets(site)
            if not is_empty(target)
        ]
        if len(targets) > 1:
            return True
    return False


def _is_extracted(path: TaintPath) -> bool:
    """A regular expression's group: what the pattern lets through is not known here."""
    return any(part.strip(".[]") in ("group", "groups", "groupdict") for part in path.path[1:])


def _is_validated(path: TaintPath, graph: AppGraph) -> bool:
    """A validator of the model sees the field that the value comes from."""
    received = path.source.function.parameter(path.path[0])
    if received is not None and _has_validator(received.annotation, path.source.function, graph):
        return True
    schemas = [schema_of(cls, graph) for cls in _models(path, graph)]
    return any(
        schema.validators_of(field) for schema in schemas if schema is not None for field in _fields(path)
    )


def _has_validator(annotation: ir.Expr | None, scope: Scope, graph: AppGraph) -> bool:
    """`Annotated[str, AfterValidator(check)]`, itself or as what a list holds."""
    program = graph.program
    parts = list(annotated_parts(program, annotation, scope))
    for head, where in annotation_heads(program, annotation, scope):
        if isinstance(head, ir.Subscript):
            parts += annotated_parts(program, head.slice, where)
    return any(isinstance(part, ir.Call) and last_name(part.func) in _VALIDATORS for part, _ in parts)


def _is_closed(path: TaintPath, graph: AppGraph) -> bool:
    """A validator of the model lets only values of a list in the code through."""
    models = _models(path, graph)
    return bool(models) and any(
        all(is_closed(cls, field, graph) for cls in models) for field in _fields(path)
    )


def _fields(path: TaintPath) -> list[str]:
    return [part.strip("[].") for part in path.path[1:2]]


def _models(path: TaintPath, graph: AppGraph) -> list[Class]:
    """Classes of the parameter that the value comes from."""
    fact = path.source.fact
    if not isinstance(fact, Parameter):
        return []
    types = [fact.type]
    received = path.source.function.parameter(path.path[0])
    if received is not None:  # `params: ListParams = Depends()`
        types.append(graph.program.inference.parameter_type(received, path.source.function))
    found = [o.cls for t in types for o in options(t) if isinstance(o, Instance)]
    return list(dict.fromkeys(cls for cls in found if isinstance(cls, Class)))


def _is_checked(path: TaintPath, graph: AppGraph) -> bool:
    """On the way the value lies in a model with validators, or somebody looked it up and refused what is unknown."""
    calls = [
        (t.scope, t.node, t.kind)
        for t in path.traces
        if t.kind in ("passed", "returned") and t.node.__class__ is ir.Call
    ]
    values = _values(path)
    for scope, call, kind in (*calls, (path.sink.scope, path.sink.node, "")):
        if _is_looked_up(call, scope, values, graph):
            return True
        sites = (s for s in scope.facts.calls if s.node is call and kind == "returned")
        owners = [target.owner for site in sites for target in graph.program.calls.targets(site)]
        schemas = [schema_of(owner, graph) for owner in owners if owner is not None]
        if any(schema is not None and schema.validators for schema in schemas):
            return True
    return bool(path.aspects & _NOTHING_READ) and is_checked_by_name(path, values, graph)


def _values(path: TaintPath) -> set[AccessPath]:
    """The value, and the variables that hold it on the way."""
    return {
        path.path,
        *((trace.detail,) for trace in path.traces if trace.kind in ("passed", "provided")),
        *((trace.name,) for trace in path.traces if trace.kind == "assigned"),
    }


def _is_looked_up(call: Any, scope: Scope, values: set[AccessPath], graph: AppGraph) -> bool:
    """`row = fetch(name)` and `if not row: raise`, before the call that uses `name`: only known names get there.

    Or a function that does this is called with it.
    """
    for taken in _required(scope, call):
        if takes(taken, values):
            return True
    if any(takes(taken, values) for taken in _found_around(scope, call, values)):
        return True
    return any(
        site.node.span < call.span
        and any(word in last_name(site.node.func).lower() for word in _LOOKING_UP)
        and takes(site.node, values)
        and any(_requires(target) for target in graph.program.calls.targets(site))
        for site in scope.facts.calls
    )


def _found_around(scope: Scope, call: Any, values: set[AccessPath]) -> Iterator[Any]:
    """`known = plugins.get(name)` and `if known.removable:` around a call: lookups whose result decides about it.

    What still holds the value (`path = get_path(name)`) was not looked up.
    """
    line = span.line_of(call.span)
    for site in scope.facts.sites(ir.If):
        node = site.node
        if not node.body or not span.line_of(node.body[0].span) <= line <= span.end_line_of(
            node.body[-1].span
        ):
            continue
        if node.test.__class__ is ir.UnaryOp:
            continue
        names = (
            each.id for each in walk(node.test) if each.__class__ is ir.Name and (each.id,) not in values
        )
        for binding in (b for name in names for b in scope.facts.bindings.get(name, ())):
            value = getattr(binding, "value", None)
            if value.__class__ is ir.Call and any(w in last_name(value.func).lower() for w in _LOOKING_UP):
                yield value


def _requires(function: Function) -> bool:
    """The function looks up what it is given and raises when it is not there."""
    parameters: set[AccessPath] = {(param.name,) for param in function.parameters[function.is_method :]}
    return any(takes(taken, parameters) for taken in _required(function, None))


def _required(scope: Scope, before: Any) -> Iterator[Any]:
    """Calls whose result has to be there, or the body is left; those above `before`."""
    for site in scope.facts.sites(ir.If):
        body = site.node.body
        if not body or body[-1].__class__ not in (ir.Raise, ir.Return):
            continue
        if before is None and body[-1].__class__ is not ir.Raise:
            continue
        if before is not None and site.node.span > before.span:
            continue
        name = _missing(site.node.test)
        for binding in scope.facts.bindings.get(name, ()) if name else ():
            yield from (each for each in walk(getattr(binding, "value", None)) if each.__class__ is ir.Call)


def _missing(test: Any) -> str:
    """`x` of `not x` and `x is None`."""
    if test.__class__ is ir.UnaryOp and test.op == "not":
        test = test.operand
    elif test.__class__ is ir.Compare and test.ops == ["is"]:
        test = test.left
    else:
        return ""
    return test.id if test.__class__ is ir.Name else ""
