"""Every library description, found by walking this folder."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from fastapi_architect.libraries.library import Libraries, Library
from fastapi_architect.libraries.table import read_tables

_NOT_LIBRARIES = frozenset({"library", "origin", "recognition", "registry", "results", "table", "taught"})


@cache
def all_libraries() -> Libraries:
    """The descriptions in this folder and in `tables/`, in order of file names."""
    found: list[Library] = []
    for info in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda info: info.name):
        if info.name not in _NOT_LIBRARIES and not info.ispkg:
            module = importlib.import_module(f"{__package__}.{info.name}")
            found.append(module.library)
    found += read_tables()
    return Libraries(found)
