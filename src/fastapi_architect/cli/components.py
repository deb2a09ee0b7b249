"""`architect components [NAME]`: the components there are, and what each needs, provides and resolves."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from fastapi_architect.builder.catalog import Catalog, ComponentSpec, Group, load_catalog
from fastapi_architect.builder.lock import read_lock
from fastapi_architect.cli.arguments import ArgumentParser, given_path


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect components",
        description="The components there are; with a name, everything about one. `architect add NAME` copies it into a project.",
    )
    made.add_argument("name", nargs="?", metavar="NAME", help="a component")
    made.add_argument(
        "--path",
        type=given_path,
        default=Path(),
        metavar="PATH",
        help="the project whose components are marked (default: here)",
    )
    made.add_argument("--format", choices=("text", "json"), default="text")
    return made


def run(arguments: list[str]) -> int:
    """List them, or show one."""
    given = parser().parse_args(arguments)
    catalog = load_catalog()
    lock = read_lock(given.path)
    there = lock.names if lock else frozenset[str]()
    if given.name is not None:
        spec = catalog[given.name]
        if given.format == "json":
            json.dump(_row(spec, catalog, there), sys.stdout, indent=2)
            print()
        else:
            print("\n".join(_page(spec, catalog, there)))
        return 0
    if given.format == "json":
        json.dump([_row(spec, catalog, there) for spec in catalog], sys.stdout, indent=2)
        print()
        return 0
    print("\n".join(_list(catalog, there)))
    return 0


def _list(catalog: Catalog, there: frozenset[str]) -> Iterator[str]:
    order = get_args(Group)
    for group, specs in groupby(
        sorted(catalog, key=lambda s: (order.index(s.group), s.order)), key=lambda s: s.group
    ):
        yield group.capitalize()
        for spec in specs:
            mark = "*" if spec.name in there else " "
            yield f" {mark} {spec.name:<20} {spec.summary}"
            if spec.resolves:
                yield f"   {'':<20} resolves {', '.join(spec.resolves)}"
        yield ""
    if there:
        yield "* in this project already."
    yield "`architect components NAME` tells all about one; `architect add NAME --dry-run` shows what adding it would change."


def _page(spec: ComponentSpec, catalog: Catalog, there: frozenset[str]) -> Iterator[str]:
    yield f"{spec.title} ({spec.name} {spec.version})" + (
        ", in this project already" if spec.name in there else ""
    )
    yield spec.summary
    yield ""
    comes = [each.name for each in catalog.reachable(spec.name) if each is not spec]
    for label, said in (
        ("provides", "; ".join(spec.provides)),
        ("resolves", ", ".join(spec.resolves)),
        ("brings", ", ".join(comes)),
        ("packages", ", ".join(spec.packages)),
        ("servers", ", ".join(spec.servers)),
        ("tables", ", ".join(table for each in spec.migrations for table in each.tables)),
        ("installs", spec.registry.expression if spec.registry else "nothing by itself"),
        ("tested with", ", ".join(spec.tested)),
    ):
        if said:
            yield f"  {label:<12} {said}"
    if spec.settings:
        yield ""
        yield "  settings"
        for each in spec.settings:
            notes = [note for note, holds in (("required", each.required), ("secret", each.secret)) if holds]
            yield f"    {each.variable:<36} {each.help}" + (f" ({', '.join(notes)})" if notes else "")
    yield ""
    yield f"architect add {spec.name} --dry-run shows what it would change here."


def _row(spec: ComponentSpec, catalog: Catalog, there: frozenset[str]) -> dict[str, Any]:
    return {
        "name": spec.name,
        "title": spec.title,
        "summary": spec.summary,
        "group": spec.group,
        "version": spec.version,
        "installed": spec.name in there,
        "needs": list(spec.needs),
        "brings": [each.name for each in catalog.reachable(spec.name) if each is not spec],
        "packages": list(spec.packages),
        "servers": list(spec.servers),
        "provides": list(spec.provides),
        "resolves": list(spec.resolves),
        "tested": list(spec.tested),
        "settings": [
            {"variable": each.variable, "example": each.example, "help": each.help, "required": each.required,
             "secret": each.secret}
            for each in spec.settings
        ],
        "tables": [table for each in spec.migrations for table in each.tables],
    }  # fmt: skip
