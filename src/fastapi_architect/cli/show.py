"""`architect show ROUTE [PATH]`: one operation from the request to the answer."""

from __future__ import annotations

import argparse
import json
import sys

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.cli.options import add_project_options, configuration, default_jobs
from fastapi_architect.cli.output import write_output
from fastapi_architect.cli.progress import progress_on
from fastapi_architect.report import route, route_text
from fastapi_architect.review.pipeline import Request

FORMATS = ("text", "json")


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect show",
        description="One operation from the request to the answer: middleware, dependencies as they are resolved, inputs with "
        "their limits, guards, queries, effects, answer, and the findings that touch it.",
        epilog="A route is `GET /orders/{id}`, a path alone (all its methods), a path that a client asks for (/orders/17), or "
        "the name of a handler.",
    )
    made.add_argument("route", metavar="ROUTE", help='such as "GET /orders/{id}"')
    add_project_options(made)
    made.add_argument(
        "--app", metavar="NAME", default="", help="only of this application, as `architect map` names it"
    )
    made.add_argument("--no-findings", action="store_true", help="leave the rules out, which is quicker")
    made.add_argument("--format", choices=FORMATS, default="text", help="text (default) or json")
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument("--no-cache", action="store_true", help="parse every file anew")
    return made


def run(arguments: list[str]) -> int:
    """Print all about the route."""
    given = parser().parse_args(arguments)
    if not given.route.strip():
        message = 'the route is empty; name one, such as "GET /orders/{id}"; `architect map` lists them'
        raise UsageError(message)
    if given.route.isalpha() and given.route.isupper() and not given.path.exists():
        message = (
            f"{given.route!r} alone is no route; quote the route: architect show '{given.route} {given.path}'"
        )
        raise UsageError(message)
    config = configuration(given)
    with progress_on(sys.stderr) as progress:
        request = Request(
            given.path, config, jobs=default_jobs(), cache=not given.no_cache, progress=progress
        )
        shown = route.show(request, given.route, application=given.app, findings=not given.no_findings)
    if given.format == "json":
        document = {"routes": list(shown.routes), "notes": list(shown.notes)}
        write_output(json.dumps(document, indent=2, ensure_ascii=False) + "\n", given.output)
    else:
        write_output(route_text.render(shown), given.output)
    return 0
