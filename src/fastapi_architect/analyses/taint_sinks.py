"""Where must no request data arrive unchecked? Occurrences of concepts, as kinds of sink.

A new kind is a line in `KINDS` and a line in `_PARTS` (or a small function below, where more than a field decides).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec

from fastapi_architect.analyses.chosen_callables import chosen_callables
from fastapi_architect.analyses.command_lines import command_parts, file_arguments
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.concepts.database import DocumentOperation, QueryStep, SqlExecution, SqlText
from fastapi_architect.concepts.filesystem import ArchiveExtraction, FileAccess, ObjectStorageCall
from fastapi_architect.concepts.http import ClientCreation, OutboundRequest, ResponseCreation
from fastapi_architect.concepts.messaging import EmailSend
from fastapi_architect.concepts.process import CodeExecution, CommandExecution
from fastapi_architect.concepts.serialization import Deserialization
from fastapi_architect.concepts.template import SafeMarkup, TemplateSource, TextFormatting
from fastapi_architect.dataflow.guards_hosts import HOST_ASPECTS
from fastapi_architect.dataflow.guards_paths import PATH_ASPECTS
from fastapi_architect.dataflow.interprocedural import names_read
from fastapi_architect.dataflow.taint import Sink, SinkKind
from fastapi_architect.program.definitions import Class, Function, Scope, last_name
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, Type, options
from fastapi_architect.syntax import ir

#: Kinds of sink, with the characters of which an attack needs at least one ("": no pattern of characters helps).
KINDS = (
    SinkKind("sql", "'\"; ()\\"),
    SinkKind("sql-identifier", "'\"; ()\\"),
    SinkKind("nosql", "${"),
    SinkKind("command", " ;|&$`<>(){}[]'\"\\\n*?~"),
    SinkKind("command-option", "-"),
    SinkKind("code", ".()[]'\"=:;@\n "),
    SinkKind("deserialization"),
    SinkKind("template", "{%$"),
    SinkKind("path", "/\\", PATH_ASPECTS),
    SinkKind("object-key", "/\\"),
    SinkKind("url", ".:/@\\?#", HOST_ASPECTS),
    SinkKind("redirect", "/:\\", HOST_ASPECTS),
    SinkKind("html", "<>\"'&"),
    SinkKind("archive"),
    SinkKind("mail"),
    SinkKind("callable"),
)
_BY_NAME = {kind.name: kind for kind in KINDS}

#: Kinds of modules that no request reaches.
_NEVER_REQUESTED = frozenset({"test", "migration", "vendored"})
_TEXTS = ("builtins.str", "builtins.bytes", "typing.LiteralString")
#: What a mapping gives is named after its method, and may be anything.
_LOOKED_UP = (".get()", ".pop()", ".setdefault()", ".popitem()")
#: What a path or an address is given as. An open file or a stream is none, though many functions take both.
_ADDRESSES = (
    *_TEXTS,
    "pathlib.",
    "anyio.",
    "pydantic.",
    "starlette.datastructures.URL",
    "httpx.URL",
    "yarl.URL",
    "typing.",
    "builtins.tuple",
    "os.PathLike",
)
_PATHS = ("pathlib.", "anyio.")
_ADDRESSED = frozenset({"path", "url"})
_PAGE = "starlette.responses.HTMLResponse"
_ORDERING = frozenset({"order_by", "group_by"})


class _Part(msgspec.Struct, frozen=True):
    """A field of a concept that is a sink; `when` says for which occurrences."""

    kind: str
    concept: type[Concept]
    field: str
    when: Callable[[Any], bool] | None = None


#: One line for each field that is a sink wherever the concept occurs.
_PARTS = (
    _Part("nosql", DocumentOperation, "query"),
    _Part("code", CodeExecution, "code", lambda code: code.kind != "compile"),
    _Part("deserialization", Deserialization, "data", lambda read: not read.safe and read.format != "xml"),
    _Part("template", TemplateSource, "source"),
    _Part("path", FileAccess, "path", lambda access: access.mode != "make"),
    _Part("path", FileAccess, "target"),
    _Part("path", ArchiveExtraction, "target"),
    _Part("archive", ArchiveExtraction, "archive", lambda unpacked: unpacked.format != "zip"),
    _Part("path", ResponseCreation, "path"),
    _Part("object-key", ObjectStorageCall, "key"),
    _Part("url", OutboundRequest, "url"),
    _Part(
        "url", ClientCreation, "url", lambda client: client.kind in ("http", "object-storage", "model-api")
    ),
    _Part("redirect", ResponseCreation, "url"),
    _Part("html", ResponseCreation, "content", lambda response: response.kind == "html"),
    _Part("html", SafeMarkup, "text"),
    _Part("mail", EmailSend, "message"),
)


def kind_named(name: str) -> SinkKind:
    """A kind by its name.

    Raises:
        KeyError: there is none; a rule asks for what `KINDS` does not list.
    """
    return _BY_NAME[name]


def find_sinks(graph: AppGraph) -> tuple[Sink, ...]:
    """All sinks that a request may reach and whose argument is not constant, by kinds."""
    found = (
        *_parts(graph),
        *_sql(graph),
        *_commands(graph),
        *_callables(graph),
        *_formats(graph),
        *_pages(graph),
    )
    return tuple(s for s in found if s.scope.module.kind not in _NEVER_REQUESTED and _may_vary(s))


def _parts(graph: AppGraph) -> Iterator[Sink]:
    for part in _PARTS:
        for occurrence in graph.facts(part.concept):
            argument = getattr(occurrence, part.field)
            if argument is None or (part.when is not None and not part.when(occurrence)):
                continue
            if part.kind not in _ADDRESSED or _may_be_address(graph, argument, occurrence.scope):
                yield Sink(part.kind, occurrence.scope, occurrence.node, argument, occurrence, part.field)


def _may_be_address(graph: AppGraph, argument: ir.Expr, scope: Scope) -> bool:
    found = list(options(graph.program.inference.type_of(argument, scope)))
    return not found or any(
        not isinstance(o, Instance) or o.name.startswith(_ADDRESSES) or o.name.endswith(_LOOKED_UP)
        for o in found
    )


def _pages(graph: AppGraph) -> Iterator[Sink]:
    """What an operation with `response_class=HTMLResponse` returns: FastAPI makes the page of it."""
    for operation in graph.operations:
        handler = operation.handler
        given = operation.keywords.get("response_class") or operation.router_keywords.get(
            "default_response_class"
        )
        if handler is None or given is None or not _is_page_class(graph, given, operation.registration[1]):
            continue
        for site in handler.facts.sites(ir.Return):
            if site.node.value is not None and not _is_response(graph, site.node.value, handler):
                made = ResponseCreation(site, _PAGE, True, "html", site.node.value)
                yield Sink("html", handler, site.node, site.node.value, made, "content")


def _is_page_class(graph: AppGraph, given: ir.Expr, scope: Scope) -> bool:
    inference = graph.program.inference
    return any(
        isinstance(of, ClassRef) and inference.hierarchy.is_subclass(of.cls, _PAGE)
        for of in options(inference.type_of(given, scope))
    )


def _is_response(graph: AppGraph, value: ir.Expr, scope: Scope) -> bool:
    """A response made by hand is sent as it is; `state.templates.TemplateResponse(...)` is one by its name."""
    inference = graph.program.inference
    made = [value]
    if isinstance(value, ir.Name):
        made += [b.value for b in scope.facts.bindings.get(value.id, ()) if b.value is not None]
    if any(isinstance(each, ir.Call) and last_name(each.func).endswith("Response") for each in made):
        return True
    return any(
        isinstance(of, Instance) and inference.hierarchy.is_subclass(of.cls, "starlette.responses.Response")
        for of in options(inference.type_of(value, scope))
    )


# ── statements ───────────────────────────────────────────────────────────────────────────────────────────────


def _sql(graph: AppGraph) -> Iterator[Sink]:
    ordering = {
        id(argument) for step in graph.facts(QueryStep) if step.kind in _ORDERING for argument in step.args
    }
    for text in graph.facts(SqlText):
        if text.text is not None and text.kind != "identifier":  # SQLAlchemy quotes `column(name)`
            kind = "sql" if text.kind == "text" and id(text.node) not in ordering else "sql-identifier"
            yield Sink(kind, text.scope, text.node, text.text, text, "text")
    texts = {id(text.node) for text in graph.facts(SqlText)}
    for execution in graph.facts(SqlExecution):
        if (
            execution.statement is not None
            and id(execution.node) not in texts
            and _sends_text(graph, execution)
        ):
            yield Sink("sql", execution.scope, execution.node, execution.statement, execution, "statement")


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


# ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────


def _commands(graph: AppGraph) -> Iterator[Sink]:
    for started in graph.facts(CommandExecution):
        for part in command_parts(started):
            kind = "command-option" if part.role == "option" else "command"
            yield Sink(kind, started.scope, started.node, part.value, started, part.role)
        for path in file_arguments(started, partial(_is_path, graph, started.scope)):
            yield Sink("path", started.scope, started.node, path, started, "file")


def _is_path(graph: AppGraph, scope: Scope, expr: ir.Expr) -> bool:
    found = list(options(graph.program.inference.type_of(expr, scope)))
    return any(isinstance(o, Instance) and o.name.startswith(_PATHS) for o in found)


def _callables(graph: AppGraph) -> Iterator[Sink]:
    for chosen in chosen_callables(graph):
        yield Sink("callable", chosen.scope, chosen.node, chosen.choice, chosen, chosen.kind)


def _formats(graph: AppGraph) -> Iterator[Sink]:
    """Texts that are filled in with objects of the program, whose attributes lead to its globals."""
    inference = graph.program.inference
    for formatting in graph.facts(TextFormatting):
        template, scope = formatting.template, formatting.scope
        given = (*formatting.args, *(keyword.value for keyword in formatting.keywords))
        if template is None or any(o for o in options(inference.type_of(template, scope)) if not _is_text(o)):
            continue
        if any(_is_own(option) for each in given for option in options(inference.type_of(each, scope))):
            yield Sink("template", scope, formatting.node, template, formatting, "format")


def _is_text(of: Type) -> bool:
    return isinstance(of, Instance) and of.name in _TEXTS


def _is_own(of: Type) -> bool:
    """An instance of a class of the program, or a class or function of it."""
    return (isinstance(of, Instance | ClassRef) and isinstance(of.cls, Class)) or isinstance(of, FunctionRef)


# ── what needs no look ───────────────────────────────────────────────────────────────────────────────────────


def _may_vary(sink: Sink) -> bool:
    """Something in the argument comes from outside the function; a literal, or a name for one, does not.

    What leads to a sink is executed, so that most of what sinks cost is saved here.
    """
    return any(_carries(name, sink.scope) for name in names_read([sink.argument]))


def _carries(name: str, scope: Scope) -> bool:
    bindings = scope.facts.bindings.get(name)
    if bindings is None:
        return isinstance(scope.parent, Function)
    if len(bindings) > 1 or bindings[0].kind not in ("assign", "annotated") or bindings[0].path:
        return True
    return bindings[0].value.__class__ is not ir.Constant
