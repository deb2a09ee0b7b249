"""Python's own library: logging, print, tracebacks."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.logging import LogRecord, TracebackText
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.table import describe
from fastapi_architect.program.types import Instance

LEVELS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "fatal", "log")
_LOGGER = "logging.Logger"

library = Library(packages=("logging",), bases={"logging.LoggerAdapter": (_LOGGER,)})
library.calls["logging.getLogger"] = Instance(_LOGGER)
library.calls["logging.Logger.getChild"] = Instance(_LOGGER)
library.calls["celery.utils.log.get_task_logger"] = Instance(_LOGGER)


@library.recognise(
    LogRecord,
    names=[f"{owner}.{level}" for owner in ("logging", _LOGGER) for level in LEVELS],
    duck=dict.fromkeys(LEVELS, ("logger", "=log")),
)
def _log(call: RecognisedCall) -> Iterator[LogRecord]:
    level = {"warn": "warning", "fatal": "critical"}.get(call.method, call.method)
    position = 1 if level == "log" else 0
    exc_info = call.keyword("exc_info")
    yield LogRecord(
        *call.place,
        level=level,
        message=call.argument(position, "msg"),
        args=tuple(call.node.args[position + 1 :]),
        keywords=tuple(call.node.keywords),
        exc_info=exc_info,
        with_traceback=level == "exception"
        or (exc_info is not None and call.constant(exc_info) is not False),
    )


@library.recognise(LogRecord, names=["builtins.print"])
def _print(call: RecognisedCall) -> Iterator[LogRecord]:
    yield LogRecord(
        *call.place,
        level="print",
        message=call.argument(0),
        args=tuple(call.node.args[1:]),
        keywords=tuple(call.node.keywords),
    )


describe(
    library,
    TracebackText,
    "traceback.format_exc traceback.format_exception traceback.print_exc traceback.format_tb",
)
