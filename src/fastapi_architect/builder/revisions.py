"""Fresh Alembic revisions on the project's own head. A revision calls the functions that a component ships."""

from __future__ import annotations

import configparser
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.migrations import (
    MigrationEnvironment,
    MigrationHistory,
    find_environments,
)
from fastapi_architect.builder.catalog import ComponentSpec, Migration
from fastapi_architect.builder.copying import NewFile
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.placing import Place

_FILE_TEMPLATE = "%(rev)s_%(slug)s"
_MAX_SLUG = 40


class Migrations(msgspec.Struct, frozen=True):
    """Where new revisions go.

    Attributes:
        folder: of the revision files, relative to the project.
        head: identifier of the revision that the next one follows, None when it is the first.
        file_template: Alembic's, such as "%(rev)s_%(slug)s".
        env: path of `env.py`, "" when it was not found.
    """

    folder: str
    head: str | None
    file_template: str = _FILE_TEMPLATE
    env: str = ""


def find_head(graph: AppGraph, folder: str | None = None) -> Migrations:
    """Where the next revision goes.

    Args:
        graph: the project.
        folder: of the migrations, where there are several.

    Raises:
        BuildError: there are no migrations, several histories, or several heads; the message names the command.
    """
    texts = graph.files.texts
    histories = [
        history
        for history in graph.migrations
        if history.revisions[0].module.kind not in ("test", "example", "vendored")
        and (folder is None or history.folder.startswith(folder.rstrip("/")))
    ]
    if len(histories) > 1:
        names = ", ".join(history.folder for history in histories)
        message = f"there are several folders of migrations ({names}); name one: --migrations FOLDER"
        raise BuildError(message)
    if histories:
        return _after(histories[0], texts)
    environments = [
        each
        for each in find_environments(graph.program, texts)
        if folder is None or each.script_location == folder
    ]
    if len(environments) != 1:
        message = (
            "the project has no Alembic migrations, and these components bring tables; "
            "set it up first: alembic init migrations"
        )
        raise BuildError(message)
    return Migrations(
        environments[0].version_locations[0], None, _template(environments[0], texts), _env(environments[0])
    )


def revisions_for(
    specs: Iterable[ComponentSpec], migrations: Migrations, package: Place, now: datetime
) -> tuple[list[NewFile], str | None]:
    """The revisions of these components, each on the one before it, and the identifier of the last one.

    Args:
        specs: components in registry order.
        migrations: where they go.
        package: the package that holds the components.
        now: for file names by a template with a date.
    """
    made: list[NewFile] = []
    head = migrations.head
    for spec in specs:
        for each in spec.migrations:
            revision = hashlib.sha256(f"{head}:{spec.name}:{each.slug}".encode()).hexdigest()[:12]
            name = _file_name(migrations.file_template, revision, each.slug, now)
            text = _revision_text(spec, each, package, revision, head)
            made.append(NewFile(f"{migrations.folder}/{name}.py", text.encode()))
            head = revision
    return made, head


def _after(history: MigrationHistory, texts: Mapping[str, str]) -> Migrations:
    if history.missing:
        revision, parent = history.missing[0]
        message = f"{revision.path} follows {parent!r}, which does not exist; mend the history first"
        raise BuildError(message)
    if history.duplicates or history.cycles:
        identifier = [name for name, _ in history.duplicates] + list(history.cycles)
        message = (
            f"the migrations in {history.folder} have no order ({identifier[0]!r}); mend the history first"
        )
        raise BuildError(message)
    if len(history.heads) > 1:
        config = history.environment.config_path if history.environment else None
        option = f" -c {config}" if config and config != "alembic.ini" else ""
        message = (
            f"the migrations in {history.folder} have {len(history.heads)} heads ({', '.join(sorted(history.heads))}); "
            f'merge them first: alembic{option} merge heads -m "merge heads"'
        )
        raise BuildError(message)
    head = history.by_id[history.heads[0]]
    folder = str(PurePosixPath(head.path).parent)
    environment = history.environment
    return Migrations(
        folder,
        head.id,
        _template(environment, texts) if environment else _FILE_TEMPLATE,
        _env(environment) if environment else "",
    )


def _env(environment: MigrationEnvironment) -> str:
    return environment.env.path if environment.env is not None else ""


def _template(environment: MigrationEnvironment, texts: Mapping[str, str]) -> str:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(texts.get(environment.config_path or "", ""))
    except configparser.Error:
        return _FILE_TEMPLATE
    written: Sequence[str | None] = [parser.get(s, "file_template", fallback=None) for s in parser.sections()]
    return next((each.replace("%%", "%") for each in written if each), _FILE_TEMPLATE)


def _file_name(template: str, revision: str, slug: str, now: datetime) -> str:
    values = {
        "rev": revision,
        "slug": slug[:_MAX_SLUG],
        "epoch": int(now.timestamp()),
        **{unit: getattr(now, unit) for unit in ("year", "month", "day", "hour", "minute", "second")},
    }
    try:
        name = template % values
    except (KeyError, ValueError, TypeError):
        name = _FILE_TEMPLATE % values
    return re.sub(r"[^\w./-]", "_", name)


def _revision_text(
    spec: ComponentSpec, each: Migration, package: Place, revision: str, head: str | None
) -> str:
    title = each.slug.replace("_", " ").capitalize()
    names = ", ".join(sorted((each.upgrade, each.downgrade)))
    tables = ", ".join(each.tables)
    before = f'"{head}"' if head else "None"
    return f'''"""{title}.

Revision ID: {revision}
Revises: {head or ""}
"""

from alembic import op

from {package.name}.{spec.name}.migrations import {names}

revision: str = "{revision}"
down_revision: str | None = {before}
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Make {tables}."""
    {each.upgrade}(op)


def downgrade() -> None:
    """Drop {tables}."""
    {each.downgrade}(op)
'''.replace("Revises: \n", "Revises:\n")
