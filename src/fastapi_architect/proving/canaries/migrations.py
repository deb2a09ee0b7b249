"""Runs one Alembic revision file, without an `alembic.ini` and without a version table."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


def load_revision(path: Path) -> ModuleType:
    """The module of a revision file.

    Raises:
        ImportError: there is no such Python file.
    """
    spec = importlib.util.spec_from_file_location(f"revision_{path.stem}", path)
    if spec is None or spec.loader is None:
        message = f"{path} is not a Python file"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def migrated(connection: Any, path: Path, direction: str = "upgrade") -> Iterator[None]:
    """Run a revision in a transaction that ends, by a commit, with the block.

    Args:
        connection: a SQLAlchemy connection without a transaction.
        path: the revision file.
        direction: "upgrade" or "downgrade".
    """
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
    revision = load_revision(path)
    with context.begin_transaction(_per_migration=True):
        with Operations.context(context):
            getattr(revision, direction)()
        yield


def offline_sql(path: Path, dialect: str, direction: str = "upgrade") -> str:
    """The script that Alembic would print for a revision, for a database it never connects to."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    script = io.StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect, opts={"as_sql": True, "output_buffer": script, "literal_binds": True}
    )
    with Operations.context(context):
        getattr(load_revision(path), direction)()
    return script.getvalue()
