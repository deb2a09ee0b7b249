"""`architect map [PATH]`: routes x guards x inputs x tables x queries x outbound calls."""

from __future__ import annotations

import argparse

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.options import add_project_options, configuration, default_jobs
from fastapi_architect.cli.output import write_output
from fastapi_architect.report import map as report
from fastapi_architect.review import reading
from fastapi_architect.review.pipeline import project_of
from fastapi_architect.source.tree import SourceTree

FORMATS = ("table", "json", "mermaid", "html")


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect map",
        description="Every route with its guards, trusted inputs, tables, queries and outbound calls, and what happens "
        "when the database or Redis is down.",
    )
    add_project_options(made)
    made.add_argument(
        "--format", choices=FORMATS, default="table", help="table (default), json, mermaid or html"
    )
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument("--no-cache", action="store_true", help="parse every file anew")
    return made


def run(arguments: list[str]) -> int:
    """Print the map."""
    given = parser().parse_args(arguments)
    config = configuration(given)
    root, _ = project_of(given.path)
    with reading.without_garbage_collection():
        read = reading.read(
            SourceTree.open(root, config.exclude), config, jobs=default_jobs(), cache=not given.no_cache
        )
        write_output(report.render(read.graph, given.format), given.output)
    return 0
