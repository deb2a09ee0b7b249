"""What a plan says beside its changes: how, how to see that it works, what to know, what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fastapi_architect.builder.catalog import Catalog, ComponentSpec
from fastapi_architect.builder.plan import MAX_FOLLOW_UPS
from fastapi_architect.builder.site import Site
from fastapi_architect.builder.wiring import Entry
from fastapi_architect.report.wording import counted


def there_already(site: Site, requested: Sequence[ComponentSpec]) -> list[str]:
    """Context: what was asked for, and is left as it is."""
    there = [spec.name for spec in requested if spec.name in site.lock.serving]
    return [f"There already, and left as it is: {', '.join(there)}."] if there else []


def settings_to_set(specs: Iterable[ComponentSpec]) -> list[str]:
    """By hand: variables that the service does not start without."""
    return [
        f"Set {each.variable} where the service and its tests run, which do not start without: "
        f"{each.help[:1].lower()}{each.help[1:]}"
        for spec in specs
        for each in spec.settings
        if each.required
    ]


def approach(site: Site, missing: Sequence[ComponentSpec], entries: Sequence[Entry]) -> list[str]:
    """How it is done."""
    made = []
    if missing:
        made.append(
            f"Copy {counted(len(missing), 'component')} to {site.package.folder}/"
            + (f" and their tests to {site.tests.folder}/" if site.tests else "")
            + ". They are yours from then on."
        )
    if entries:
        listed = ", ".join(entry.expression for entry in entries)
        made.append(
            f"Put {listed} into the list in {site.registry}, in the order in which middleware has to stand."
        )
    return made


def validation(site: Site, missing: Sequence[ComponentSpec]) -> list[str]:
    """How to see that it works."""
    made = []
    if site.tests:
        made.append(f"python -m pytest {' '.join(f'{site.tests.folder}/{spec.name}' for spec in missing)}")
    made.append("architect review: runs by itself afterwards, and says what is resolved")
    return made


def considerations(missing: Sequence[ComponentSpec], requested: Sequence[ComponentSpec]) -> list[str]:
    """What to know before saying yes."""
    made = []
    servers = sorted({server for spec in missing for server in spec.servers})
    names = {"postgresql": "PostgreSQL", "redis": "Redis", "worker": "a Celery worker"}
    if servers:
        made.append(f"Needs beside it: {', '.join(names[server] for server in servers)}.")
    tables = [table for spec in missing for each in spec.migrations for table in each.tables]
    if tables:
        made.append(f"Brings tables: {', '.join(tables)}.")
    made += [f"{spec.title}: {'; '.join(spec.provides)}." for spec in requested if spec.provides]
    return made


def follow_ups(
    catalog: Catalog, site: Site, missing: Sequence[ComponentSpec], requested: Sequence[ComponentSpec]
) -> list[str]:
    """What to do next, the nearest first."""
    made = [
        spec.next_step.format(folder=f"{site.package.folder}/{spec.name}")
        or f"Read {site.package.folder}/{spec.name}/README.md: its threat model and what it does not do."
        for spec in requested
        if spec in missing
    ][:MAX_FOLLOW_UPS]
    there = site.lock.names | {spec.name for spec in missing}
    near = [
        spec
        for spec in catalog
        if spec.name not in there and spec.registry and any(need.name in spec.needs for need in requested)
    ]
    made += [f"architect add {spec.name}: {spec.summary}" for spec in near[:2]]
    return made[:MAX_FOLLOW_UPS]
