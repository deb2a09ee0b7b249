"""Which texts of exceptions that nobody wrote for a client reach one?

The text of `except Exception as exc`, and of errors of drivers, HTTP clients and the operating system, holds statements,
addresses and paths. Exceptions of the program itself and those that describe the input are written for whoever reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.http_errors import BROAD, handler_classes, http_raises, status_code
from fastapi_architect.analyses.in_memory import works_in_memory
from fastapi_architect.analyses.left_running import left_running
from fastapi_architect.analyses.made_of import Piece, pieces, site_of
from fastapi_architect.appgraph.applications import ExceptionHandler
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question, question_about
from fastapi_architect.concepts.http import HttpError, ResponseCreation, WebSocketSend
from fastapi_architect.concepts.logging import TracebackText
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir, span
from fastapi_architect.syntax.walking import walk

#: Attributes of an exception that say what its text says; others are codes and names.
_TELLING = frozenset(
    {"args", "message", "msg", "detail", "details", "orig", "reason", "text", "stderr", "stdout", "response"}
)
#: Built-in classes that programs raise themselves, with a text of their own.
_OWN_WORDS = frozenset({
    "builtins.ValueError", "builtins.TypeError", "builtins.KeyError", "builtins.IndexError", "builtins.LookupError",
    "builtins.AttributeError", "builtins.AssertionError", "builtins.NotImplementedError", "builtins.RuntimeError",
    "builtins.ArithmeticError", "builtins.ZeroDivisionError", "builtins.OverflowError", "builtins.StopIteration",
    "builtins.TimeoutError", "builtins.UnicodeError", "builtins.UnicodeDecodeError", "builtins.UnicodeEncodeError",
    "builtins.PermissionError", "builtins.NameError", "builtins.SyntaxError", "builtins.RecursionError",
})  # fmt: skip
#: Library classes that describe what the client sent, or were made to be answered.
_ABOUT_INPUT = lazy_pattern(
    r"Valid|Parse|Decode|Syntax|Format|Schema|HTTPException|Expired|Signature|JWT|Jose|^Token|Claims|Unauthori|Forbidden|"
    r"PermissionDenied|NotFound|Limit|Quota|Disconnect|Cancelled|Timeout|Unsupported|Malformed|Conversion|^OAuth|Unpack|YAML|Template|"
    r"NoResult|MultipleResults|DoesNotExist",
    re.IGNORECASE,
)
_INPUT_PACKAGES = (
    "jwt.",
    "jose.",
    "pydantic",
    "fastapi.",
    "starlette.",
    "jsonschema.",
    "email_validator.",
    "marshmallow.",
    "jmespath.",
    "jsonpath",
    "lark.",
    "pyparsing.",
)
#: Statuses of what the client did wrong.
_CLIENT_ERRORS = range(400, 500)
#: Functions that take what is secret out of a text.
_CLEANS = lazy_pattern(
    r"saniti|redact|mask|scrub|censor|^safe_|_safe$|public_|user_facing|friendly", re.IGNORECASE
)
#: Calls that fail for what the client sent only.
_PARSES = frozenset({
    "loads", "load", "json", "body", "form", "safe_load", "model_validate", "model_validate_json", "parse_obj", "parse_raw", "int",
    "float", "UUID", "fromisoformat", "strptime", "b64decode", "unquote", "decode", "encode", "split", "strip", "str", "compile",
    "validate_python", "literal_eval", "Decimal", "parse",
})  # fmt: skip
_DEBUG = lazy_pattern(r"debug|develop|verbose|is_dev|local", re.IGNORECASE)
_BODIES = frozenset({"json", "plain", "html", "raw"})
_STREAMS = frozenset({"streaming", "events"})


class ExposedText(msgspec.Struct, frozen=True, eq=False):
    """The text of an exception in an answer.

    Attributes:
        how: HTTPException, response, websocket, return or stream: what carries it.
        node: the call or statement that does.
        value: the expression that holds the text, such as `detail`.
        scope: the body of both.
        piece: the exception inside the text, and the calls between.
        caught: dotted name of the class it is known by; "traceback" for a traceback.
    """

    how: str
    node: ir.Node
    value: ir.Expr
    scope: Scope
    piece: Piece
    caught: str

    @property
    def is_broad(self) -> bool:
        """Whatever goes wrong is told."""
        return self.caught in BROAD or self.caught == "traceback"


@question
def exposed_texts(graph: AppGraph) -> tuple[ExposedText, ...]:
    """Every such text, one for each place, in order of files; what no request reaches is left out."""
    found: dict[int, ExposedText] = {}
    told: set[int] = set()
    judge = _Judge(graph)
    for how, node, value, scope in _answers(graph):
        if scope.module.kind != "source" or value.__class__ is ir.Constant or id(node) in found:
            continue
        if not _may_hold_one(graph, scope) or id(scope) in _behind_the_answer(graph):
            continue
        for piece in pieces(graph, value, scope, judge.is_told):
            # `return JSONResponse(...)` is two answers and one text.
            if id(piece.expr) in told and not piece.hops:
                break
            if _is_for_debugging(piece, node, scope) or _is_feedback(graph, node, scope, piece):
                continue
            if _is_reached(graph, scope):
                found[id(node)] = ExposedText(how, node, value, scope, piece, judge.caught(piece))
                told.add(id(piece.expr))
                break
    return tuple(sorted(found.values(), key=lambda each: each.scope.location(each.node)))


# ── where answers are made ───────────────────────────────────────────────────────────────────────────────────────


def _answers(graph: AppGraph) -> Iterator[tuple[str, ir.Node, ir.Expr, Scope]]:
    for error in graph.facts(HttpError):
        if error.detail is not None:
            yield "HTTPException", error.node, error.detail, error.scope
    yield from _own_errors(graph)
    for response in graph.facts(ResponseCreation):
        if response.content is None:
            continue
        if response.kind in _BODIES:
            yield "response", response.node, response.content, response.scope
        elif response.kind in _STREAMS:
            yield from _streamed(graph, response)
    for sent in graph.facts(WebSocketSend):
        if sent.data is not None:
            yield "websocket", sent.node, sent.data, sent.scope
    yield from _returned(graph)


def _own_errors(graph: AppGraph) -> Iterator[tuple[str, ir.Node, ir.Expr, Scope]]:
    """Arguments of own subclasses of HTTPException that are raised."""
    hierarchy = graph.program.inference.hierarchy
    for raised in http_raises(graph):
        cls = raised.cls
        if isinstance(cls, Class) and any(
            isinstance(entry.cls, str) and entry.cls.endswith("HTTPException")
            for entry in hierarchy.order(cls)
        ):
            call = raised.site.node
            for given in (*call.args, *(k.value for k in call.keywords if k.arg != "headers")):
                yield "HTTPException", call, given, raised.site.scope


def _streamed(graph: AppGraph, response: ResponseCreation) -> Iterator[tuple[str, ir.Node, ir.Expr, Scope]]:
    """What the generator behind a stream yields."""
    for call in walk(response.content):
        site = next((s for s in response.scope.facts.calls if s.node is call), None)
        for target in graph.program.calls.targets(site) if site is not None else ():
            if target.is_generator:
                for each in target.facts.sites(ir.Yield):
                    if each.node.value is not None and not each.node.is_from:
                        yield "stream", each.node, each.node.value, target


def _returned(graph: AppGraph) -> Iterator[tuple[str, ir.Node, ir.Expr, Scope]]:
    seen: set[int] = set()
    for operation in graph.operations:
        handler = operation.handler
        if handler is None or operation.kind != "http" or id(handler) in seen:
            continue
        seen.add(id(handler))
        for site in handler.facts.sites(ir.Return):
            if site.node.value is not None:
                yield "return", site.node, site.node.value, handler


def _is_reached(graph: AppGraph, scope: Scope) -> bool:
    if not isinstance(scope, Function):
        return False
    return bool(graph.entries(scope)) or id(scope) in _around_requests(graph) or _is_inside_one(graph, scope)


def _is_inside_one(graph: AppGraph, scope: Function) -> bool:
    return isinstance(scope.parent, Function) and _is_reached(graph, scope.parent)


@question
def _around_requests(graph: AppGraph) -> frozenset[int]:
    """Exception handlers and middleware."""
    found = {id(h.handler) for a in graph.applications for h in a.exception_handlers}
    found |= {id(m.function) for a in graph.applications for m in a.middleware}
    return frozenset(found)


@question
def _behind_the_answer(graph: AppGraph) -> frozenset[int]:
    """Functions that are started and left running: what they raise reaches no client."""
    type_of = graph.program.inference.type_of
    started = [
        each
        for left in left_running(graph)
        for each in options(type_of(left.handed.function, left.handed.scope))
    ]
    handlers = {id(o.handler) for o in graph.operations}
    return frozenset(id(f.function) for f in started if isinstance(f, FunctionRef)) - handlers


@question
def _handled(graph: AppGraph) -> dict[int, ExceptionHandler]:
    """Functions that answer an exception, by identity."""
    return {
        id(h.handler): h for a in graph.applications for h in a.exception_handlers if h.handler is not None
    }


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────


class _Judge:
    """Says whether a piece of a text is what an exception says."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._tracebacks = {id(each.node) for each in graph.facts(TracebackText)}
        self._models = {id(model.cls) for model in graph.models}

    def is_told(self, piece: Piece) -> bool | None:
        expr = piece.expr
        if expr.__class__ is ir.Constant:
            return False
        if expr.__class__ is ir.Name:
            return self._of_name(expr, piece.scope)
        if expr.__class__ is ir.Attribute:
            return self._of_attribute(expr, piece.scope)
        if expr.__class__ is ir.Call:
            if id(expr) in self._tracebacks:
                return True
            return False if _CLEANS.search(last_name(expr.func)) else self._of_call(expr, piece.scope)
        return None

    def _of_call(self, call: ir.Call, scope: Scope) -> bool | None:
        """Nothing when no called function may tell of an exception, and none is handed to it."""
        if self._makes_row(call, scope):
            return False
        site = site_of(call, scope)
        targets = self._graph.program.calls.targets(site) if site is not None else ()
        if not targets or any(_may_tell(self._graph, target) for target in targets):
            return None
        given = (*call.args, *(k.value for k in call.keywords))
        names = (n for each in given for n in walk(each) if n.__class__ is ir.Name)
        return None if any(self._of_name(name, scope) for name in names) else False

    def _makes_row(self, call: ir.Call, scope: Scope) -> bool:
        """A row of a table: what is stored in it is not what it is written out as."""
        types = options(self._graph.program.inference.type_of(call, scope))
        return any(isinstance(each, Instance) and id(each.cls) in self._models for each in types)

    def _of_attribute(self, expr: ir.Attribute, scope: Scope) -> bool:
        inner: ir.Expr = expr
        while inner.__class__ is ir.Attribute and inner.attr in _TELLING:
            inner = inner.value
        return inner is not expr and inner.__class__ is ir.Name and self._of_name(inner, scope) is True

    def _of_name(self, name: ir.Name, scope: Scope) -> bool | None:
        clause = clause_of(name, scope)
        if clause is not None:
            leaks = self._leaking(clause, scope) and not _only_parses(clause, scope)
            return bool(leaks) and not _is_asked_what_it_is(name, scope)
        handled = _handled(self._graph).get(id(scope))
        if handled is not None and _exception_parameter(scope) == name.id:
            return bool(self._leaking_handler(handled)) and not _is_asked_what_it_is(name, scope)
        return None

    def caught(self, piece: Piece) -> str:
        """The class that a taken piece is known by."""
        names = [each for each in walk(piece.expr) if each.__class__ is ir.Name]
        for name in names:
            clause = clause_of(name, piece.scope)
            if clause is not None:
                return self._leaking(clause, piece.scope)
        handled = _handled(self._graph).get(id(piece.scope))
        if handled is not None and piece.expr.__class__ is not ir.Call:
            return self._leaking_handler(handled)
        return "traceback"

    def _leaking(self, clause: ir.Handler, scope: Scope) -> str:
        """A class whose text was not written for clients, among those that a clause catches; "" when there is none."""
        return next(
            (
                c
                for c in handler_classes(self._graph, clause, scope)
                if self._is_foreign(c) and not _is_raised_inside(self._graph, c, clause, scope)
            ),
            "",
        )

    def _leaking_handler(self, handled: ExceptionHandler) -> str:
        if handled.exception is None:
            return ""
        if handled.exception.__class__ is ir.Constant or last_name(handled.exception).endswith(
            "500_INTERNAL_SERVER_ERROR"
        ):
            status = getattr(handled.exception, "value", 500)
            return "builtins.Exception" if status == 500 else ""
        types = options(self._graph.program.inference.type_of(handled.exception, handled.scope))
        names = [each.name for each in types if isinstance(each, ClassRef)]
        return next((name for name in names if self._is_foreign(name)), "")

    def _is_foreign(self, name: str) -> bool:
        if name in BROAD:
            return True
        if name in _OWN_WORDS or isinstance(self._graph.program.symbol(name), Class):
            return False
        return not name.startswith(_INPUT_PACKAGES) and not _ABOUT_INPUT.search(name.rpartition(".")[2])


def clause_of(name: ir.Name, scope: Scope) -> ir.Handler | None:
    """The `except ... as name` around a name."""
    for binding in scope.facts.bindings.get(name.id, ()):
        if binding.kind == "except" and isinstance(binding.node, ir.Handler) and _spans(binding.node, name):
            return binding.node
    return None


def _is_feedback(graph: AppGraph, node: ir.Node, scope: Scope, piece: Piece) -> bool:
    """A 4xx that says why something could not be built in memory from what the client sent."""
    return is_client_error(graph, node, scope) and fails_in_memory(graph, piece)


def is_client_error(graph: AppGraph, node: ir.Node, scope: Scope) -> bool:
    """The answer has a 4xx status: it tells the client what was wrong with the request."""
    made = node.value if isinstance(node, ir.Return) else node
    if not isinstance(made, ir.Call):
        return False
    status = graph.guards.status_of(made, scope)
    if status is None:
        status = status_code(graph, argument(made, None, "status_code"), scope)
    return status in _CLIENT_ERRORS


def fails_in_memory(graph: AppGraph, piece: Piece) -> bool:
    """What the clause is for only builds something in memory: its failure tells little of anything else."""
    names = [each for each in walk(piece.expr) if each.__class__ is ir.Name]
    clause = next((c for name in names if (c := clause_of(name, piece.scope)) is not None), None)
    statement = next((s.node for s in piece.scope.facts.sites(ir.Try) if clause in s.node.handlers), None)
    return statement is not None and works_in_memory(graph, statement.body, piece.scope)


def _is_raised_inside(graph: AppGraph, name: str, clause: ir.Handler, scope: Scope) -> bool:
    """A built-in class that the called code raises itself, with words of its own: `raise FileExistsError(f"{name} is there")`."""
    if name in BROAD or not name.startswith("builtins."):
        return False
    statement = next((s.node for s in scope.facts.sites(ir.Try) if clause in s.node.handlers), None)
    tried = [
        site
        for site in scope.facts.calls
        if statement is not None and any(_spans(each, site.node) for each in statement.body)
    ]
    called = {id(f): f for site in tried for f in graph.program.calls.targets(site)}
    called |= {id(f): f for each in tuple(called.values()) for f in graph.program.calls.callees(each)}
    raised = name.rpartition(".")[2]
    return any(_raises_with_words(function, raised) for function in called.values())


def _raises_with_words(function: Function, name: str) -> bool:
    return any(
        isinstance(site.node.exc, ir.Call)
        and last_name(site.node.exc.func) == name
        and bool(site.node.exc.args)
        for site in function.facts.sites(ir.Raise)
    )


def _only_parses(clause: ir.Handler, scope: Scope) -> bool:
    """What the clause is for takes the input apart, and does nothing else."""
    statement = next((s.node for s in scope.facts.sites(ir.Try) if clause in s.node.handlers), None)
    body = statement.body if statement is not None else []
    tried = [s for s in scope.facts.calls if any(_spans(each, s.node) for each in body)]
    names = [last_name(site.node.func) for site in tried]
    return bool(names) and all(name in _PARSES or name[:1].isupper() for name in names)


def _exception_parameter(scope: Scope) -> str:
    """The second parameter of an exception handler."""
    if not isinstance(scope, Function):
        return ""
    names = [p.name for p in scope.parameters][1 if scope.is_method else 0 :]
    return names[1] if len(names) > 1 else ""


def _is_asked_what_it_is(name: ir.Name, scope: Scope) -> bool:
    """Under `isinstance(exc, ...)`: only some exceptions get there."""
    return any(_asks(test, name.id) for test in _tests_around(name, scope))


@question_about
def _may_hold_one(graph: AppGraph, scope: Scope) -> bool:
    """Some exception has a name in the body, or comes in by a parameter or as the result of a call."""
    if not isinstance(scope, Function) or _names_exceptions(scope) or isinstance(scope.parent, Function):
        return isinstance(scope, Function)
    if scope.parameters and not graph.operations_running(scope):
        return True
    targets = graph.program.calls.targets
    return any(_may_tell(graph, target) for site in scope.facts.calls for target in targets(site))


@question_about
def _may_tell(graph: AppGraph, function: Function) -> bool:
    """The function, or one whose result it returns at once, has a clause that gives its exception a name."""
    if _names_exceptions(function):
        return True
    values = [site.node.value for site in function.facts.sites(ir.Return)]
    returned = {id(value.value if value.__class__ is ir.Await else value) for value in values}
    return any(
        _names_exceptions(target)
        for site in function.facts.calls
        if id(site.node) in returned
        for target in graph.program.calls.targets(site)
    )


def _names_exceptions(function: Function) -> bool:
    return any(site.node.name for site in function.facts.sites(ir.Handler)) or bool(
        function.facts.calls_named("format_exc")
    )


def _asks(test: ir.Expr, name: str) -> bool:
    return any(
        call.__class__ is ir.Call
        and last_name(call.func) in ("isinstance", "hasattr")
        and call.args
        and call.args[0].__class__ is ir.Name
        and call.args[0].id == name
        for call in walk(test)
    )


def _is_for_debugging(piece: Piece, node: ir.Node, scope: Scope) -> bool:
    """Under a switch for development, at the answer or where the text is made."""
    tests = [*_tests_around(node, scope), *_tests_around(piece.expr, piece.scope)]
    tests += [each.test for each in piece.around if isinstance(each, ir.IfExp)]
    return any(_DEBUG.search(last_name(each)) for test in tests for each in walk(test))


def _tests_around(node: ir.Node, scope: Scope) -> Iterator[ir.Expr]:
    """Tests of the branches that a node stands in."""
    for site in scope.facts.sites(ir.If):
        blocks = [(site.node.test, site.node.body), *((b.test, b.body) for b in site.node.elifs)]
        for test, body in blocks:
            if any(_spans(statement, node) for statement in body):
                yield test
    for site in scope.facts.sites(ir.IfExp):
        if _spans(site.node.body, node):
            yield site.node.test


def _spans(outer: ir.Node, inner: ir.Node) -> bool:
    begin, end = span.unpack(outer.span), span.unpack(inner.span)
    return begin[:2] <= end[:2] and end[2:] <= begin[2:]


def raised_at(text: ExposedText) -> Site | None:
    """The call that makes the answer, in its surroundings."""
    return next((site for site in text.scope.facts.calls if site.node is text.node), None)
