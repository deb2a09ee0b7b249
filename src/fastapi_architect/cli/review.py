"""`architect review [PATH]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fastapi_architect.cli.arguments import ArgumentParser, given_path, processes
from fastapi_architect.cli.errors import FAULT, UsageError, report_fault
from fastapi_architect.cli.given_files import ProjectFiles, by_project, was_committed
from fastapi_architect.cli.options import add_project_options, configuration, default_jobs
from fastapi_architect.cli.output import write_output
from fastapi_architect.cli.progress import progress_on
from fastapi_architect.cli.reports import FORMATS, Reviewed, Wanted, render, wanted
from fastapi_architect.findings import baseline as baselines
from fastapi_architect.report.wording import counted
from fastapi_architect.review.config import GATES
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.result import Review
from fastapi_architect.source.tree import printable

FINDINGS = 1


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect review",
        description="Read a backend (never import or run it) and say what is wrong, why, how it is exploited, how to fix it.",
        epilog="Exit codes: 0 clean under the gate, 1 findings at or above it, 2 usage or configuration, 3 a fault of the tool.",
    )
    add_project_options(made, several=True)
    made.add_argument(
        "--format",
        choices=FORMATS,
        default="text",
        help=f"text (default), {', '.join(FORMATS[1:-1])} or {FORMATS[-1]}",
    )
    made.add_argument(
        "--output", "-o", type=given_path, metavar="FILE", help="write to FILE instead of standard output"
    )
    made.add_argument(
        "--report",
        action="append",
        type=wanted,
        default=[],
        metavar="FORMAT=FILE",
        help="write another report of the same review to FILE; may repeat",
    )
    made.add_argument(
        "--project",
        type=given_path,
        metavar="FOLDER",
        help="the project of the files that are named (default: the nearest of each)",
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
    projects = _projects(given)
    if not projects:
        print("architect: nothing is left to review", file=sys.stderr)
        return 0
    reviews = [Reviewed(each.root, _reviewed(each, given)) for each in projects]
    if given.write_baseline is not None:
        return _write_baseline(given, reviews[0].result)
    on_terminal = given.format == "text" and given.output is None and sys.stdout.isatty()
    reports = [*given.report, *([] if on_terminal else [Wanted(given.format, given.output)])]
    texts = [(each.file, render(each.form, reviews, everything=given.all)) for each in reports]
    # All are rendered before the first is written, and standard output comes last: a mistake leaves nothing half told.
    for file, rendered in sorted(texts, key=lambda pair: pair[0] is None):
        write_output(rendered, file)
    if on_terminal:
        from fastapi_architect.report import text

        for each in reviews:
            text.show(each.result, sys.stdout, everything=given.all)
    if given.profile_rules is not None:
        write_output(
            msgspec.json.format(msgspec.json.encode(reviews[0].result.spent), indent=2).decode() + "\n",
            given.profile_rules,
        )
    faults = [fault for each in reviews for fault in each.result.faults]
    for fault in faults:
        report_fault(fault)
    if faults:
        return FAULT
    return FINDINGS if any(each.result.failed for each in reviews) else 0


def _projects(given: argparse.Namespace) -> list[ProjectFiles]:
    """What to review: one folder, or the projects of the files that were named."""
    paths = given.paths
    if len(paths) == 1 and (given.project is None or paths[0].is_dir()) and not _is_deleted(paths[0]):
        if given.project is not None:
            message = f"--project belongs to files; name files of {given.project}, or leave --project out"
            raise UsageError(message)
        return [ProjectFiles(paths[0], None)]
    if given.project is not None and not given.project.is_dir():
        message = f"there is no folder {given.project}; name the project's folder, or leave --project out"
        raise UsageError(message)
    found = by_project(paths, given.project)
    for each in found.gone:
        print(f"architect: {printable(str(each))} is deleted, and left out", file=sys.stderr)
    if len(found.projects) > 1 and (given.baseline is not None or given.write_baseline is not None):
        roots = ", ".join(str(each.root) for each in found.projects)
        message = f"a baseline is of one project, and the files lie in {len(found.projects)} ({roots}); name those of one"
        raise UsageError(message)
    return list(found.projects)


def _is_deleted(path: Path) -> bool:
    return not path.exists() and was_committed(path)


def _reviewed(project: ProjectFiles, given: argparse.Namespace) -> Review:
    """The review of one project."""
    given = argparse.Namespace(**{**vars(given), "path": project.root})
    config = configuration(given)
    baseline_file = given.baseline or config.baseline
    forms = {given.format, *(each.form for each in given.report)}
    with progress_on(sys.stderr, quiet=given.format == "github") as progress:
        return review(
            Request(
                path=given.path,
                config=replace(config, gate=given.gate) if given.gate else config,
                jobs=given.jobs or default_jobs(),
                cache=not given.no_cache,
                changed_since=given.changed_since,
                baseline=baselines.read(baseline_file) if baseline_file is not None else None,
                matrix="html" in forms,
                progress=progress,
                profile=given.profile_rules is not None,
                files=project.files,
            )
        )


def _belong_together(given: argparse.Namespace) -> None:
    """Refuse options that would be silently without effect.

    Raises:
        UsageError: naming the option to leave out or to add.
    """
    if given.replace and given.write_baseline is None:
        message = "--replace belongs to --write-baseline; add that, or leave --replace out"
        raise UsageError(message)
    if given.write_baseline is not None and (given.output is not None or given.report):
        option = "--output" if given.output is not None else "--report"
        message = (
            f"--write-baseline writes no report; leave {option} out, and run again with --baseline for one"
        )
        raise UsageError(message)
    written = [
        each.file for each in (*given.report, Wanted(given.format, given.output)) if each.file is not None
    ]
    if len(set(written)) < len(written):
        message = "two reports would be written to one file; name another file"
        raise UsageError(message)


def _write_baseline(given: argparse.Namespace, result: Review) -> int:
    import shlex

    path = given.write_baseline
    # What a former baseline lists is still there.
    known = [each.finding for each in result.suppressed if each.by == "baseline"]
    findings = (*result.findings, *known)
    baselines.write(path, baselines.baseline_of(findings, result.units), replace=given.replace)
    verb = "is" if len(findings) == 1 else "are"
    command = shlex.join(["architect", "review", *map(str, given.paths), "--baseline", str(path)])
    print(f"{counted(len(findings), 'finding')} {verb} listed in {path}; `{command}` reports what is new.")
    return 0
