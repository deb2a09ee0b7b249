"""`architect add COMPONENT...`: the plan, the question, the copies, and what the review says then."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from fastapi_architect.builder.adding import plan_addition
from fastapi_architect.builder.apply import apply, check, refuse_dirty
from fastapi_architect.builder.catalog import Catalog, load_catalog
from fastapi_architect.builder.lock import FOLDER
from fastapi_architect.builder.plan import Plan, as_diff, as_json, as_text
from fastapi_architect.builder.project import read_project
from fastapi_architect.builder.wanted import Wanted
from fastapi_architect.cli.arguments import ArgumentParser, given_path, processes
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.cli.options import configuration, default_jobs
from fastapi_architect.cli.progress import progress_on
from fastapi_architect.findings.finding import Finding
from fastapi_architect.records.comparison import Comparison, standing_of
from fastapi_architect.records.errors import RecordError
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.records.prompt import PromptRecord, write
from fastapi_architect.records.suggestion import suggest
from fastapi_architect.report.wording import counted
from fastapi_architect.review.config import Config
from fastapi_architect.review.difference import difference
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.result import Review

REFUSED = 1
#: The lock and its base copies: no file that somebody reads.
OWN = f"{FOLDER}/"


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect add",
        description="Copy components into a project and wire them: the plan first, then all of it or nothing.",
        epilog="Exit codes: 0 done (or shown, with --dry-run), 1 answered with no, 2 it cannot be done here; the message names "
        "the next step, 3 a fault of the tool.",
    )
    made.add_argument("components", nargs="+", metavar="COMPONENT", help="`architect components` lists them")
    made.add_argument(
        "--path",
        type=given_path,
        default=Path(),
        metavar="PATH",
        help="folder of the project (default: here)",
    )
    made.add_argument("--dry-run", action="store_true", help="print the plan and write nothing")
    made.add_argument("--diff", action="store_true", help="print every change as a patch, too")
    made.add_argument("--yes", "-y", action="store_true", help="do not ask")
    made.add_argument(
        "--allow-dirty", action="store_true", help="write although git has changes that are not committed"
    )
    made.add_argument(
        "--app", metavar="FILE:NAME", help="the application to wire, where there are several: app/main.py:app"
    )
    made.add_argument(
        "--migrations", metavar="FOLDER", help="the folder of the migrations, where there are several"
    )
    made.add_argument(
        "--tests",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="copy their tests and the servers these run on, too (default: where the project has them)",
    )
    made.add_argument(
        "--beside", action="store_true", help="add it although the project has something of its kind already"
    )
    made.add_argument(
        "--review",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="review before and after, and say what is resolved (default: yes)",
    )
    made.add_argument("--format", choices=("text", "json"), default="text")
    made.add_argument(
        "--config",
        type=given_path,
        metavar="FILE",
        help="configuration (default: the nearest pyproject.toml)",
    )
    made.add_argument(
        "--exclude", action="append", metavar="PATTERN", help="leave out files, as in .gitignore; may repeat"
    )
    made.add_argument(
        "--jobs", "-j", type=processes, default=None, metavar="N", help="processes that parse (default: 2)"
    )
    return made


def run(arguments: list[str]) -> int:
    """Plan, ask, apply, review."""
    given = parser().parse_args(arguments)
    catalog = load_catalog()
    for name in given.components:
        catalog[name]  # an unknown name is said before anything is read
    config = configuration(given)
    jobs = given.jobs or default_jobs()
    with progress_on(sys.stderr, quiet=given.format == "json"):
        project = read_project(given.path, config, jobs=jobs)
        plan = _with_suggestion(plan_addition(project, _wanted(given), catalog))
    as_data = given.format == "json"
    if not as_data:
        print(as_text(plan))
        if given.diff:
            print(as_diff(plan))
    if given.dry_run:
        check(plan, project.root)
        if as_data:
            _print_json(plan, given.diff)
        return 0
    if not given.allow_dirty:
        refuse_dirty(project.root)
    check(plan, project.root)
    if not given.yes and not _agreed(as_data):
        print("Nothing was changed.", file=sys.stderr)
        return REFUSED
    before = _reviewed(given.path, config, jobs) if given.review else None
    apply(plan, project.root)
    after = _reviewed(given.path, config, jobs) if given.review else None
    record = _recorded(given, config, plan, before, after) if config.records.automatic else None
    if as_data:
        _print_json(plan, given.diff, applied=True, before=before, after=after, record=record)
        return 0
    for line in _told(plan, catalog, before, after):
        print(line)
    if record:
        print(f"Recorded in {record}.")
    return 0


def _with_suggestion(plan: Plan) -> Plan:
    """The plan with a decision record suggested where it takes a decision of that weight."""
    suggested = suggest(plan)
    if suggested is None:
        return plan
    return msgspec.structs.replace(plan, considerations=(*plan.considerations, suggested.sentence))


def _recorded(
    given: argparse.Namespace, config: Config, plan: Plan, before: Review | None, after: Review | None
) -> str | None:
    """Write the prompt record; that it could not be written undoes nothing of what was added, and is said.

    Returns:
        the file, relative to the project.
    """
    compared = Comparison(standing_of(before), standing_of(after)) if before and after else None
    written = (*(file.path for file in plan.files), *(edit.path for edit in plan.edits))
    record = PromptRecord(
        asked=f"architect add {' '.join(given.components)}",
        at=datetime.now().astimezone(),
        command="add",
        title=plan.title,
        done=(*plan.approach, *(f"{edit.path}: {edit.what}" for edit in plan.edits)),
        files=tuple(sorted(path for path in written if not path.startswith(OWN))),
        comparison=compared,
    )
    try:
        folder = prompts_folder(given.path, config.records.prompts)
        return f"{folder.shown}/{write(folder, record).name}"
    except RecordError as error:
        print(f"architect: no prompt record was written: {error}", file=sys.stderr)
        return None


def _wanted(given: argparse.Namespace) -> Wanted:
    return Wanted(
        names=tuple(given.components),
        application=given.app,
        migrations=given.migrations,
        tests=given.tests,
        beside=given.beside,
        now=datetime.now(UTC),
    )


def _agreed(as_data: bool) -> bool:
    """The answer of the person at the terminal.

    Raises:
        UsageError: there is nobody to ask.
    """
    if as_data or not sys.stdin.isatty():
        message = "nobody can be asked here; add --yes to write, or --dry-run to see the plan alone"
        raise UsageError(message)
    try:
        return input("Write these changes? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _reviewed(path: Path, config: Config, jobs: int) -> Review:
    return review(Request(path, config, jobs=jobs))


def _told(plan: Plan, catalog: Catalog, before: Review | None, after: Review | None) -> Iterator[str]:
    yield f"Added {', '.join(plan.components)}: {counted(len(plan.files), 'new file')}, {counted(len(plan.edits), 'edit')}."
    if before is None or after is None:
        return
    yield f"Score {before.score.value} -> {after.score.value}."
    resolved, new = difference(before, after)
    answers = {rule for name in plan.components for rule in catalog[name].resolves}
    if resolved:
        yield f"Resolved: {counted(len(resolved), 'finding')}."
        yield from (f"  {finding.location} {finding.rule.name}" for finding in resolved)
    if new:
        yield f"New: {counted(len(new), 'finding')}; `architect review` explains."
        yield from (f"  {finding.location} {finding.rule.name}" for finding in new)
    left = sorted({f.rule.name for f in after.findings if f.rule.name in answers})
    if left:
        yield f"Still found, to be mended where they stand: {', '.join(left)}."


def _print_json(
    plan: Plan,
    diff: bool,
    *,
    applied: bool = False,
    before: Review | None = None,
    after: Review | None = None,
    record: str | None = None,
) -> None:
    data: dict[str, Any] = {"applied": applied, "plan": as_json(plan)}
    if diff:
        data["diff"] = as_diff(plan)
    if before is not None and after is not None:
        resolved, new = difference(before, after)
        data["review"] = {
            "score_before": before.score.value,
            "score_after": after.score.value,
            "resolved": [_row(finding) for finding in resolved],
            "new": [_row(finding) for finding in new],
        }
    if record is not None:
        data["record"] = record
    sys.stdout.buffer.write(msgspec.json.format(json.dumps(data).encode(), indent=2) + b"\n")
    sys.stdout.flush()


def _row(finding: Finding) -> dict[str, Any]:
    return {"rule": finding.rule.name, "file": finding.location.path, "line": finding.location.line}
