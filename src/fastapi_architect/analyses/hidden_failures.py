"""Which broad `except` ends a failed write as if it had been done?

A clause that raises nothing, returns no answer of its own and leaves no mark, around a commit: what is behind it, and whoever
called, go on as after a success. Clauses that record the failure, use another way or say in a comment why nothing is to be done
are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.effects import writes_document
from fastapi_architect.analyses.http_errors import swallowed
from fastapi_architect.analyses.reaching import ways
from fastapi_architect.analyses.source_text import lines_of, text_at
from fastapi_architect.analyses.surroundings import nodes_in, nodes_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import Commit, DocumentOperation
from fastapi_architect.concepts.logging import LogRecord
from fastapi_architect.program.definitions import Function, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_BROAD = frozenset({"Exception", "BaseException"})
#: Calls in a clause that tell nobody who could act on it.
_TELLS_NOBODY = lazy_pattern(
    r"^(rollback|expunge_all|close|expire_all|print|print_exc|capture_exception|record_exception|set_status)$"
)
#: What may fail without harm: nobody has asked for it.
_ASIDE = lazy_pattern(
    r"(?i)audit|metric|track|(?<!pr)event|stat(s|istic)|usage|last_|touch|cache|notif|telemetry|histor|view|clean|(?<!ac)(?<!is)count|activit|seen"
    r"|heartbeat|analytic|record_|report|expire|migrat|seed|rollback|revoke|_log$|^log_|(?<![a-z])(init|ping)(?![a-z])|health|optional|safe|try_"
    r"|failed|teardown|best.effort|prune|(?<!a)sync|refresh|monitor|trace"
)
_EXPLAINED = lazy_pattern(
    r"(?i)#(?!\s*(noqa|nosec|pragma|pylint|type:|finding))|best.effort|non.?(fatal|critical|blocking)"
)
_QUIET = frozenset({"debug", "info", "warning"})


class HiddenFailure(msgspec.Struct, frozen=True, eq=False):
    """A clause that hides a failed write.

    Attributes:
        handler: the clause.
        function: whose it is.
        write: the commit, document operation or call that always leads to a commit.
        answers: an operation's own function holds the clause, so that the client is told of success.
        is_sure: an operation's own function, and no loop and no second commit says that the rest may count without it.
    """

    handler: ir.Handler
    function: Function
    write: Site
    answers: bool
    is_sure: bool


@question
def hidden_failures(graph: AppGraph) -> tuple[HiddenFailure, ...]:
    """Every such clause in code that requests run, in order of files and places."""
    return tuple(_find(graph))


def _find(graph: AppGraph) -> Iterator[HiddenFailure]:
    others = {id(each.catch.handler) for each in swallowed(graph) if not each.hops}
    for function in graph.program.functions:
        if function.module.kind != "source":
            continue
        for site in function.facts.sites(ir.Handler):
            if id(site.node) not in others and _is_broad(site.node) and isinstance(site.statement, ir.Try):
                found = _hidden(site, site.statement, function, graph)
                if found is not None:
                    yield found


def _is_broad(handler: ir.Handler) -> bool:
    if handler.type is None:
        return True
    named = handler.type.elts if isinstance(handler.type, ir.Sequence) else [handler.type]
    return any(last_name(each) in _BROAD for each in named)


def _hidden(site: Site, statement: ir.Try, function: Function, graph: AppGraph) -> HiddenFailure | None:
    handler = site.node
    if statement.orelse or not all(_leaves_no_mark(each, function, graph) for each in handler.body):
        return None
    if _ASIDE.search(function.name) or not _looks_like_success(statement, handler, function):
        return None
    write = _write(statement, function, graph)
    if write is None or any(_ASIDE.search(dotted_name(s.node.func)) for s in _calls_in(statement, function)):
        return None
    answers = bool(graph.operations_running(function))
    if not graph.entries(function) or not (answers or _gives_nothing(function)):
        return None
    if _only_warns(handler, function, graph) or _EXPLAINED.search(_text_of(handler, function, graph)):
        return None
    direct = any(s.node is write.node for s in _writes_of(function, graph))
    if not direct and not answers:
        return None
    return HiddenFailure(
        handler, function, write, answers, answers and _is_sure(site, statement, function, graph)
    )


def _text_of(handler: ir.Handler, function: Function, graph: AppGraph) -> str:
    """A clause with the comments that end it: they stand behind its last statement, further in than its `except`."""
    place = function.location(handler)
    lines = lines_of(graph, place.path)
    text = [text_at(graph, place), lines[place.end_line - 1][place.end_column :] if lines else ""]
    for line in lines[place.end_line :]:
        inner = line.lstrip()
        if inner and (not inner.startswith("#") or len(line) - len(inner) <= place.column):
            break
        text.append(line)
    return "\n".join(text)


# ── what the clause does ─────────────────────────────────────────────────────────────────────────────────────


def _leaves_no_mark(statement: Any, function: Function, graph: AppGraph) -> bool:
    """`pass`, a log record, a rollback, or a return without an answer of its own."""
    if isinstance(statement, ir.Jump):
        return statement.kind in ("pass", "continue")
    if isinstance(statement, ir.Return):
        value = statement.value
        return value is None or (isinstance(value, ir.Constant) and value.value in (None, True))
    if not isinstance(statement, ir.ExprStmt):
        return False
    value = statement.value.value if isinstance(statement.value, ir.Await) else statement.value
    if isinstance(value, ir.Constant):
        return True
    if not isinstance(value, ir.Call):
        return False
    return bool(_TELLS_NOBODY.search(last_name(value.func))) or any(
        record.node is value for record in graph.within(LogRecord, function)
    )


def _looks_like_success(statement: ir.Try, handler: ir.Handler, function: Function) -> bool:
    """What is behind the clause does not depend on what the `try` has made, and refuses nothing."""
    inside = list(nodes_in(statement.body))
    if any(
        (isinstance(node, ir.Return) and node.value is not None)
        or (isinstance(node, ir.Jump) and node.kind == "break")
        for node in inside
    ):
        return _says_yes(handler) and any(
            isinstance(n, ir.Return) and isinstance(n.value, ir.Constant) and n.value.value is True
            for n in inside
        )
    behind = [s for s in function.facts.sites(ir.Raise) if s.node.span > statement.span]
    if any(all(c.node is not statement for c in s.context) for s in behind):
        return False
    bound = {t.id for n in inside if isinstance(n, ir.Assign) for t in n.targets if isinstance(t, ir.Name)}
    return not bound or not _is_read_outside(bound, inside, function)


def _says_yes(handler: ir.Handler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ir.Return) and isinstance(last.value, ir.Constant) and last.value.value is True


def _is_read_outside(names: set[str], inside: list[Any], function: Function) -> bool:
    """A name that the `try` binds is read elsewhere in the function: without it the rest goes another way."""
    known = {id(node) for node in inside}
    return any(isinstance(n, ir.Name) and n.id in names and id(n) not in known for n in nodes_of(function))


def _gives_nothing(function: Function) -> bool:
    """No caller can tell from what it returns whether it has worked."""
    return all(
        site.node.value is None
        or (isinstance(site.node.value, ir.Constant) and site.node.value.value in (None, True))
        for site in function.facts.sites(ir.Return)
    ) and not function.facts.sites(ir.Yield)


# ── what fails ───────────────────────────────────────────────────────────────────────────────────────────────


def _calls_in(statement: ir.Try, function: Function) -> list[Site]:
    return [
        s for s in function.facts.calls if any(c.node is statement and c.role == "try" for c in s.context)
    ]


def _writes_of(function: Function, graph: AppGraph) -> Iterator[Site]:
    for commit in graph.within(Commit, function):
        yield commit.site
    for operation in graph.within(DocumentOperation, function):
        if writes_document(operation):
            yield operation.site


def _write(statement: ir.Try, function: Function, graph: AppGraph) -> Site | None:
    """A write in the body of a `try`, or a call there that always comes to a commit."""
    inside = _calls_in(statement, function)
    nodes = {id(site.node) for site in inside}
    for site in _writes_of(function, graph):
        if id(site.node) in nodes:
            return site
    committing = set(graph.scopes_with(Commit))
    for site in inside:
        for target in graph.program.calls.targets(site):
            if any(
                way.always and not way.ambiguous
                for key, way in ways(graph, target).items()
                if key in committing
            ):
                return site
    return None


def _is_sure(site: Site, statement: ir.Try, function: Function, graph: AppGraph) -> bool:
    if site.context.inside("loop") is not None:
        return False
    return all(any(c.node is statement for c in s.context) for s in _writes_of(function, graph))


def _only_warns(handler: ir.Handler, function: Function, graph: AppGraph) -> bool:
    """A warning, or less: whoever wrote it has decided that the rest counts without it."""
    inside = (r for r in graph.within(LogRecord, function) if any(c.node is handler for c in r.site.context))
    return any(record.level in _QUIET for record in inside)
