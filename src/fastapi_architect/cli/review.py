"""`architect review [PATH]`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fastapi_architect.cli.arguments import ArgumentParser, given_path, processes
from fastapi_architect.cli.errors import FAULT, UsageError, report_fault
from fastapi_architect.cli.options import add_project_options, configuration, default_jobs
from fastapi_architect.cli.output import write_output
from fastapi_architect.cli.progress import progress_on
from fastapi_architect.findings import baseline as baselines
from fastapi_architect.report.wording import counted
from fastapi_architect.review.config import GATES
from fastapi_architect.review.pipeline import Request, project_of, review
from fastapi_architect.review.result import Review

FORMATS = ("text", "json", "sarif", "github", "html")
FINDINGS = 1


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect review",
        description="Read a backend (never import or run it) and say what is wrong, why, how it is exploited, how to fix it.",
        epilog="Exit codes: 0 clean under the gate, 1 findings at or above it, 2 usage or configuration, 3 a fault of the tool.",
    )
    add_project_options(made)
    made.add_argument(
        "--format", choices=FORMATS, default="text", help="text (default), json, sarif, github or html"
    )
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument("--all", action="store_true", help="show every finding (text)")
    made.add_argument(
        "--select", action="append", metavar="NAME", help="run only this category, topic or rule; may repeat"
    )
    made.add_argument(
        "--ignore", action="append", metavar="NAME", help="leave out this category, topic or rule; may repeat"
    )
    made.add_argument("--gate", choices=GATES, help="lowest severity that fails the run (default: important)")
    made.add_argument(
        "--changed-since", metavar="REV", help="report findings on lines changed since REV only"
    )
    made.add_argument(
        "--baseline", type=given_path, metavar="FILE", help="leave out the findings listed in FILE"
    )
    made.add_argument(
        "--write-baseline",
        type=given_path,
        metavar="FILE",
        help="list today's findings in FILE (a new file)",
    )
    made.add_argument("--replace", action="store_true", help="let --write-baseline replace FILE")
    made.add_argument(
        "--jobs",
        "-j",
        type=processes,
        default=None,
        metavar="N",
        help="processes that parse (default: 2 where possible)",
    )
    made.add_argument("--no-cache", action="store_true", help="parse every file anew")
    made.add_argument(
        "--profile-rules",
        type=given_path,
        metavar="FILE",
        help="write CPU seconds by rule, and by question that rules share, to FILE as JSON",
    )
    return made


def run(arguments: list[str]) -> int:
    """Review and report."""
    given = parser().parse_args(arguments)
    _belong_together(given)
    if given.write_baseline is not None and given.write_baseline.exists() and not given.replace:
        message = f"{given.write_baseline} exists already; name another file, or add --replace"
        raise UsageError(message)
    config = configuration(given)
    baseline_file = given.baseline or config.baseline
    with progress_on(sys.stderr, quiet=given.format == "github") as progress:
        result = review(
            Request(
                path=given.path,
                config=replace(config, gate=given.gate) if given.gate else config,
                jobs=given.jobs or default_jobs(),
                cache=not given.no_cache,
                changed_since=given.changed_since,
                baseline=baselines.read(baseline_file) if baseline_file is not None else None,
                matrix=given.format == "html",
                progress=progress,
                profile=given.profile_rules is not None,
            )
        )
    if given.write_baseline is not None:
        return _write_baseline(given, result)
    if given.format == "text" and given.output is None and sys.stdout.isatty():
        from fastapi_architect.report import text

        text.show(result, sys.stdout, everything=given.all)
    else:
        write_output(_renderer(given.format, given)(result), given.output)
    if given.profile_rules is not None:
        write_output(
            msgspec.json.format(msgspec.json.encode(result.spent), indent=2).decode() + "\n",
            given.profile_rules,
        )
    for fault in result.faults:
        report_fault(fault)
    if result.faults:
        return FAULT
    return FINDINGS if result.failed else 0


def _belong_together(given: argparse.Namespace) -> None:
    """Refuse options that would be silently without effect.

    Raises:
        UsageError: naming the option to leave out or to add.
    """
    if given.replace and given.write_baseline is None:
        message = "--replace belongs to --write-baseline; add that, or leave --replace out"
        raise UsageError(message)
    if given.write_baseline is not None and given.output is not None:
        message = (
            "--write-baseline writes no report; leave --output out, and run again with --baseline for one"
        )
        raise UsageError(message)


def _write_baseline(given: argparse.Namespace, result: Review) -> int:
    import shlex

    path = given.write_baseline
    # What a former baseline lists is still there.
    known = [each.finding for each in result.suppressed if each.by == "baseline"]
    findings = (*result.findings, *known)
    baselines.write(path, baselines.baseline_of(findings, result.units), replace=given.replace)
    verb = "is" if len(findings) == 1 else "are"
    command = shlex.join(["architect", "review", str(given.path), "--baseline", str(path)])
    print(f"{counted(len(findings), 'finding')} {verb} listed in {path}; `{command}` reports what is new.")
    return 0


def _renderer(name: str, given: argparse.Namespace) -> Callable[[Review], str]:
    """The renderer of a format, loaded only when it is used."""
    if name == "json":
        from fastapi_architect.report import json as json_report

        return json_report.render
    if name == "sarif":
        from fastapi_architect.report import sarif

        return lambda result: sarif.render(result, prefix=_prefix(given.path))
    if name == "github":
        from fastapi_architect.report import github

        return lambda result: github.render(result, prefix=_prefix(given.path))
    if name == "html":
        from fastapi_architect.report import html

        return html.render
    from fastapi_architect.report import text

    return lambda result: text.render(result, everything=given.all)


def _prefix(path: Path) -> str:
    """Path from the repository's root to the reviewed folder: what GitHub calls a file."""
    root, _ = project_of(path)
    absolute = root.absolute()
    repository = next((f for f in (absolute, *absolute.parents) if (f / ".git").exists()), absolute)
    prefix = os.path.relpath(absolute, repository).replace(os.sep, "/")
    return "" if prefix == "." else prefix
