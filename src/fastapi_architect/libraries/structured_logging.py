"""loguru and structlog."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi_architect.concepts.logging import LogRecord
from fastapi_architect.libraries.library import Library, RecognisedCall
from fastapi_architect.libraries.stdlib_logging import LEVELS
from fastapi_architect.libraries.table import ARGS, KEYWORDS, describe
from fastapi_architect.program.types import Instance

_LOGURU = ("loguru.logger", "loguru.Logger")
_STRUCTLOG = "structlog.BoundLogger"
_LEVELS = (*LEVELS, "success", "trace")
_ASYNC = tuple(f"a{level}" for level in LEVELS)

library = Library(
    packages=("loguru", "structlog", "pythonjsonlogger", "asgi_correlation_id"),
    aliases={
        "structlog.stdlib.get_logger": "structlog.get_logger",
        "structlog.getLogger": "structlog.get_logger",
        "structlog.stdlib.BoundLogger": _STRUCTLOG,
        "structlog.typing.FilteringBoundLogger": _STRUCTLOG,
    },
)
for _owner in _LOGURU:
    for _name in ("bind", "opt", "patch"):
        library.calls[f"{_owner}.{_name}"] = Instance("loguru.Logger")
library.calls["structlog.get_logger"] = library.calls["structlog.wrap_logger"] = Instance(_STRUCTLOG)
for _name in ("bind", "unbind", "new", "try_unbind"):
    library.calls[f"{_STRUCTLOG}.{_name}"] = Instance(_STRUCTLOG)


@library.recognise(
    LogRecord,
    names=[
        *(f"{owner}.{level}" for owner in _LOGURU for level in _LEVELS),
        *(f"{_STRUCTLOG}.{level}" for level in (*_LEVELS, *_ASYNC)),
    ],
)
def _log(call: RecognisedCall) -> Iterator[LogRecord]:
    method = call.method.removeprefix("a") if call.method in _ASYNC else call.method
    level = {"warn": "warning", "fatal": "critical", "success": "info", "trace": "debug"}.get(method, method)
    position = 1 if level == "log" else 0
    exc_info = call.keyword("exc_info") or call.keyword("exception")
    yield LogRecord(
        *call.place,
        level=level,
        message=call.argument(position, "event"),
        args=tuple(call.node.args[position + 1 :]),
        keywords=tuple(call.node.keywords),
        exc_info=exc_info,
        with_traceback=level == "exception" or exc_info is not None,
        structured=True,
    )


describe(
    library,
    LogRecord,
    [
        *(f"{owner}.bind" for owner in (*_LOGURU, _STRUCTLOG)),
        "structlog.contextvars.bind_contextvars",
        "loguru.logger.contextualize",
    ],
    level="bind",
    args=ARGS,
    keywords=KEYWORDS,
    structured=True,
)
