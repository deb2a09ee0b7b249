"""What a service tells its operators."""

from __future__ import annotations

from fastapi_architect.concepts.concept import Concept
from fastapi_architect.syntax import ir


class LogRecord(Concept, frozen=True, eq=False):
    """Something is logged.

    Attributes:
        level: debug, info, warning, error, exception, critical, log (given as an argument), bind or print.
        message: the message or event.
        args: further positional arguments.
        keywords: keyword arguments, structured values among them.
        exc_info: the argument that adds the traceback.
        with_traceback: the traceback is in the record (`exception`, or `exc_info` given and not False).
        structured: keyword arguments become fields.
    """

    level: str = "info"
    message: ir.Expr | None = None
    args: tuple[ir.Expr, ...] = ()
    keywords: tuple[ir.Keyword, ...] = ()
    exc_info: ir.Expr | None = None
    with_traceback: bool = False
    structured: bool = False


class ErrorReport(Concept, frozen=True, eq=False):
    """An error is sent to a service that collects them."""

    error: ir.Expr | None = None


class TracebackText(Concept, frozen=True, eq=False):
    """A traceback becomes text."""
