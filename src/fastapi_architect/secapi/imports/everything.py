"""An imported file from its bytes to what each source found. This runs in the sandboxed child."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fastapi_architect.secapi.imports import own_report, sarif
from fastapi_architect.secapi.imports.document import Everything
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused, Refusal
from fastapi_architect.secapi.imports.log import Log
from fastapi_architect.secapi.imports.options import ImportKind, ImportOptions
from fastapi_architect.secapi.imports.reading import decoded, text_of
from fastapi_architect.source.tree import readable_size


def read_import(file: Path, kind: ImportKind, options: ImportOptions, limits: ImportLimits) -> Everything:
    """Read a file.

    Args:
        file: as it was uploaded.
        kind: what it claims to be.
        options: of the submission.
        limits: how much is taken.

    Raises:
        ImportRefused: it is not that, or breaks a limit.
    """
    data = text_of(file, limits)
    if kind is ImportKind.REPORT:
        return Everything([own_report.source_in(data, limits)])
    return Everything(sarif.sources_in(decoded(data, Log), options, limits))


def encoded(everything: Everything, most: int) -> bytes:
    """What was read, for the service.

    Args:
        everything: that was read.
        most: bytes that the service takes.

    Raises:
        ImportRefused: it is more than that.
    """
    made = msgspec.json.encode(everything)
    if len(made) > most:
        raise ImportRefused(
            Refusal.TOO_MUCH_READ,
            f"What was read from the file has {readable_size(len(made))}, and {readable_size(most)} are the most. Send its runs "
            "one by one, or have the tool report less.",
        )
    return made
