"""Which database the application runs on: every file that says so, the strongest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from fastapi_architect.appgraph.database import Database
from fastapi_architect.appgraph.database_urls import parse_url, split_scheme
from fastapi_architect.appgraph.deployment import Deployment
from fastapi_architect.appgraph.migrations import MigrationHistory
from fastapi_architect.appgraph.settings import Settings
from fastapi_architect.program.program import Program
from fastapi_architect.source.location import Location

#: Packages that serve one database only.
_DRIVERS = {
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "psycopg2-binary": "postgresql",
    "psycopg-binary": "postgresql",
    "asyncpg": "postgresql",
    "pg8000": "postgresql",
    "pymysql": "mysql",
    "mysqlclient": "mysql",
    "aiomysql": "mysql",
    "asyncmy": "mysql",
    "mysql-connector-python": "mysql",
    "aiosqlite": "sqlite",
}
_IMAGES = (
    ("postgres", "postgresql"),
    ("postgis", "postgresql"),
    ("timescale", "postgresql"),
    ("mysql", "mysql"),
    ("mariadb", "mysql"),
)
#: Where somebody says it, the most telling first. SQLite in a test or example says little about production.
_ORDER = ("engine", "settings", "alembic", "environment", "types", "compose", "package")
_WEIGHTS = {
    "engine": 4,
    "settings": 4,
    "alembic": 4,
    "environment": 3,
    "types": 4,
    "compose": 2,
    "package": 2,
}
_DIALECT_MODULES = ("postgresql", "mysql", "sqlite", "mssql", "oracle")


class DialectEvidence(msgspec.Struct, frozen=True):
    """One place that names a database.

    Attributes:
        dialect: postgresql, mysql, sqlite, mssql or oracle.
        source: engine, settings, alembic, environment, types (imported from `sqlalchemy.dialects`), compose
            or package.
        location: where.
    """

    dialect: str
    source: str
    location: Location


def find_dialects(
    database: Database,
    settings: Settings,
    deployment: Deployment,
    migrations: Iterable[MigrationHistory] = (),
    program: Program | None = None,
) -> tuple[DialectEvidence, ...]:
    """Everything that names a database, strongest first; tests left out."""
    found = [
        *_evidence(database, settings, deployment, migrations),
        *(_imported_types(program) if program is not None else ()),
    ]
    return tuple(
        sorted(
            dict.fromkeys(found), key=lambda e: (_ORDER.index(e.source), e.dialect == "sqlite", e.location)
        )
    )


def main_dialect(evidence: Iterable[DialectEvidence]) -> str:
    """The dialect that rules go by: a server's before SQLite's, which is what people develop and test
    with.
    """
    listed = list(evidence)
    only_sqlite = all(each.dialect == "sqlite" for each in listed)
    votes: dict[str, set[str]] = {}
    for each in listed:
        if each.dialect != "sqlite" or only_sqlite:
            votes.setdefault(each.dialect, set()).add(each.source)
    # A connector to somebody's MSSQL is one engine; the application's own database is named in many kinds of
    # places.
    counts = Counter(each.dialect for each in listed)
    weights = {
        name: (sum(_WEIGHTS[source] for source in sources), counts[name]) for name, sources in votes.items()
    }
    return max(weights, key=lambda name: weights[name], default="unknown")


def _evidence(
    database: Database, settings: Settings, deployment: Deployment, migrations: Iterable[MigrationHistory]
) -> Iterator[DialectEvidence]:
    for engine in database.engines:
        if engine.url.dialect != "unknown" and engine.site.scope.module.kind != "test":
            yield DialectEvidence(engine.url.dialect, "engine", engine.location)
    for each in settings.classes:
        for setting in each.settings:
            if isinstance(setting.value, str):
                yield from _of_text(setting.value, "settings", setting.location)
    for variable in settings.variables:
        if isinstance(variable.value, str):
            yield from _of_text(variable.value, "settings", variable.location)
    for history in migrations:
        environment = history.environment
        if environment is not None and environment.url and environment.url_location is not None:
            yield from _of_text(environment.url, "alembic", environment.url_location)
    for declared in deployment.variables:
        if declared.dialect:
            yield DialectEvidence(declared.dialect, "environment", declared.location)
    for compose in deployment.compose_files:
        for service in compose.services:
            for word, dialect in _IMAGES:
                if word in service.image.rpartition("/")[2] or word in service.image:
                    yield DialectEvidence(dialect, "compose", service.location)
                    break
    for requirement in deployment.packages.requirements:
        served = _DRIVERS.get(requirement.package)
        if served is not None and requirement.group == "":
            yield DialectEvidence(served, "package", requirement.location)


def _imported_types(program: Program) -> Iterator[DialectEvidence]:
    """`from sqlalchemy.dialects.postgresql import JSONB`: models and migrations that only one database
    understands.
    """
    for module in program.mentioning(*_DIALECT_MODULES):
        if module.kind == "test":
            continue
        for bindings in module.facts.bindings.values():
            last = bindings[-1]
            if last.kind not in ("from", "import") or not last.target.startswith("sqlalchemy.dialects"):
                continue
            name = (
                last.target.removeprefix("sqlalchemy.dialects").strip(".").partition(".")[0] or last.attribute
            )
            if name in _DIALECT_MODULES:
                yield DialectEvidence(name, "types", module.location(last.node))


def _of_text(text: str, source: str, location: Location) -> Iterator[DialectEvidence]:
    dialect = (
        parse_url(text).dialect if "://" in text else split_scheme(text)[0] if "+" in text else "unknown"
    )
    if dialect != "unknown":
        yield DialectEvidence(dialect, source, location)
