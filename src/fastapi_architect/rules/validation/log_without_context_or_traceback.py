"""An error is caught and logged without its traceback, or printed.

`except Exception: logger.error("it failed")` says that something failed and keeps to itself what, where and why: the error is
caught, so nobody else will log it. `print` in a request goes past level, time, format and request id.

Known limits: only handlers that catch everything are looked at; one that names the error it expects needs no traceback. Where
the error is raised on, reported to a collector or logged a second time in full, nothing is said. The first place in a file is
reported and the others are counted; prints are reported once for the project.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from fastapi_architect.concepts.logging import ErrorReport, LogRecord, TracebackText
from fastapi_architect.rules.kit import (
    AppGraph,
    Confidence,
    Edit,
    Finding,
    Fix,
    Function,
    Location,
    Proof,
    Rule,
    Severity,
    Site,
    dotted_name,
    ir,
    last_name,
    names_in,
    routes_of,
    steps,
)

rule = Rule(
    __name__,
    "An error is logged without its traceback",
    severity=Severity.MINOR,
    cwe=778,
    references=(
        "https://docs.python.org/3/library/logging.html#logging.Logger.exception",
        "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html",
    ),
)

_SHOWN = 5
_LEVELS = frozenset({"error", "critical"})
_EVERYTHING = frozenset({"Exception", "BaseException"})
_ANSWERS = frozenset({"HTTPException", "RequestValidationError", "WebSocketException"})


@rule.check(per=AppGraph)
def caught_and_logged_without_traceback(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    by_file: dict[str, list[LogRecord]] = defaultdict(list)
    for record in graph.facts(LogRecord):
        if (
            record.level in _LEVELS
            and record.scope.module.kind == "source"
            and _loses_the_traceback(record, graph)
        ):
            by_file[record.scope.module.path].append(record)
    for records in by_file.values():
        first = records[0]
        where = first.function.name if first.function is not None else first.scope.module.name
        logger = dotted_name(first.node.func).rpartition(".")[0] or "logger"
        more = f" ({len(records)} such places in this file)" if records[1:] else ""
        yield rule.at(
            first,
            f"`{where}` catches every error and logs it without the traceback{more}: what failed, and where, is lost.",
            f"Log it with its traceback:\n```python\ntry:\n    ...\nexcept Exception:\n"
            f'    {logger}.exception("{where} failed")\n```',
            reasoning="The error ends here: nothing else will say where it came from.",
            exploit=f"`{where}` fails, and no record says in which line, or why.",
            confidence=Confidence.FIRM if first.sure else Confidence.TENTATIVE,
            trace=steps(*((each, "likewise") for each in records[1 : 1 + _SHOWN])),
            fix=_fix(records),
        )


def _loses_the_traceback(record: LogRecord, graph: AppGraph) -> bool:
    context = record.site.context.inside("handler")
    handler = context.node if context is not None else None
    if record.with_traceback or not isinstance(handler, ir.Handler) or not _catches_everything(handler):
        return False
    if isinstance(record.node.func, ir.Attribute) and isinstance(record.node.func.value, ir.Call):
        return False  # `logger.opt(exception=True).error(...)`, `logger.bind(...).error(...)`
    others = [*graph.within(ErrorReport, record.scope), *graph.within(TracebackText, record.scope)]
    others += [r for r in graph.within(LogRecord, record.scope) if r.with_traceback]
    if any(_inside(other.site, handler) for other in others):
        return False
    return not any(_goes_on(site) for site in record.scope.facts.sites(ir.Raise) if _inside(site, handler))


def _catches_everything(handler: ir.Handler) -> bool:
    if handler.type is None:
        return True
    named = handler.type.elts if isinstance(handler.type, ir.Sequence) else [handler.type]
    return any(last_name(each) in _EVERYTHING for each in named)


def _inside(site: Site, handler: ir.Handler) -> bool:
    return any(context.node is handler for context in site.context)


def _goes_on(site: Site) -> bool:
    """The error, or another one that somebody logs, is raised; an `HTTPException` is answered and never logged."""
    return site.node.exc is None or not _ANSWERS & set(names_in(site.node.exc))


def _fix(records: list[LogRecord]) -> Fix | None:
    """`error` becomes `exception`; only where that is what every place of the file needs."""
    edits = []
    for record in records:
        func = record.node.func
        if record.level != "error" or not isinstance(func, ir.Attribute) or func.attr != "error":
            return None
        end = record.scope.location(func)
        stretch = Location(
            end.path, end.end_line, end.end_column - len("error"), end.end_line, end.end_column
        )
        edits.append(Edit(stretch, "exception"))
    return Fix("Log the traceback with `exception`", tuple(edits), safe=True)


@rule.check(per=AppGraph)
def printed_in_a_request(graph: AppGraph, _: AppGraph) -> Iterator[Finding]:
    records = [r for r in graph.facts(LogRecord) if r.scope.module.kind == "source"]
    printed = [r for r in records if r.level == "print" and _is_for_standard_output(r)]
    found = [r for r in printed if isinstance(r.function, Function) and graph.entries(r.function)]
    if not found:
        return
    first = found[0]
    function = first.function
    assert function is not None
    more = f", as {len(found)} places of the request code do" if found[1:] else ""
    yield rule.at(
        first,
        f"`{function.name}` prints while it answers a request{more}.",
        'Log it:\n```python\nlogger = logging.getLogger(__name__)\n\nlogger.info("...")\n```',
        reasoning="What is printed has no level, time or request id, cannot be switched off, and may be buffered until the "
        "process ends.",
        exploit=f"What `{function.name}` prints has no level, no time and no request; no search by them finds it.",
        confidence=Confidence.FIRM,
        trace=steps(*((each, "prints, too") for each in found[1 : 1 + _SHOWN])),
        routes=routes_of(graph.entries(function)),
    )


def _is_for_standard_output(record: LogRecord) -> bool:
    return all(keyword.arg != "file" for keyword in record.node.keywords)


rule.bad = """
    import logging

    from fastapi import FastAPI

    logger = logging.getLogger(__name__)
    app = FastAPI()


    def rate(currency: str) -> float:
        return {"EUR": 1.0}[currency]


    @app.get("/rates/{currency}")
    def read_rate(currency: str) -> float | None:
        try:
            return rate(currency)
        except Exception:
            logger.error("no rate")  # finding: log-without-context-or-traceback
            return None
"""

rule.good = """
    import logging

    from fastapi import FastAPI

    logger = logging.getLogger(__name__)
    app = FastAPI()


    def rate(currency: str) -> float:
        return {"EUR": 1.0}[currency]


    @app.get("/rates/{currency}")
    def read_rate(currency: str) -> float | None:
        try:
            return rate(currency)
        except Exception:
            logger.exception("no rate for a currency")
            return None
"""


@rule.symptom
def the_log_does_not_say_where_it_failed(proof: Proof) -> None:
    """The error is logged, and no record holds its traceback."""
    assert proof.client.get("/rates/CHF").json() is None
    assert any("no rate" in line for line in proof.logs)
    assert not any(record.exc_info for record in proof.log_records)
