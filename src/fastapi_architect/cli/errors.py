"""What went wrong, said to a person: mistakes in usage by the next step, faults of this tool as such."""

from __future__ import annotations

import os
import sys

from fastapi_architect import __version__
from fastapi_architect.appgraph.named_routes import NoSuchRoute
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.client.errors import ScanRefused
from fastapi_architect.findings.baseline import BaselineError
from fastapi_architect.persona.clients.errors import ClientError
from fastapi_architect.persona.definition.errors import NoSuchAgent
from fastapi_architect.records.errors import RecordError
from fastapi_architect.review.changes import ChangesError
from fastapi_architect.review.config import ConfigError
from fastapi_architect.source.tree import NoSuchPath

FAULT = 3


class UsageError(Exception):
    """The command was called in a way that has no meaning; the message names the next step."""


def usage_errors() -> tuple[type[Exception], ...]:
    """Exceptions that are the caller's to mend; their messages say how."""
    return (
        UsageError,
        BuildError,
        ConfigError,
        BaselineError,
        ChangesError,
        NoSuchPath,
        NoSuchRoute,
        RecordError,
        ClientError,
        NoSuchAgent,
        ScanRefused,
    )


def report_fault(error: Exception) -> int:
    """Say that this tool failed, with what a maintainer needs; the traceback on ARCHITECT_TRACEBACK=1."""
    import platform
    import traceback

    cause = error.__cause__ or error
    place = traceback.extract_tb(cause.__traceback__)[-1:] if cause.__traceback__ is not None else []
    where = f" at {os.path.basename(place[0].filename)}:{place[0].lineno}" if place else ""  # noqa: PTH119
    print(
        f"architect: this is a fault of fastapi-architect, not of your code: {error}\n"
        f"  {type(cause).__name__}: {cause}{where}\n"
        f"  fastapi-architect {__version__}, Python {platform.python_version()} on {sys.platform}\n"
        "  Run again with ARCHITECT_TRACEBACK=1 and report what it prints.",
        file=sys.stderr,
    )
    if os.environ.get("ARCHITECT_TRACEBACK"):
        traceback.print_exception(error)
    return FAULT
