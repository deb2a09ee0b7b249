"""`architect fix [PATH]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from fastapi_architect.cli.arguments import ArgumentParser, processes
from fastapi_architect.cli.errors import FAULT, UsageError, report_fault
from fastapi_architect.cli.options import add_project_options, configuration, default_jobs
from fastapi_architect.cli.progress import progress_on
from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import patch
from fastapi_architect.report.wording import counted
from fastapi_architect.review.autofix import Fixes, Wanted, fix
from fastapi_architect.review.changes import uncommitted
from fastapi_architect.review.config import unknown
from fastapi_architect.review.pipeline import Request
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.source.replace_files import CannotReplace, replace_files

FINDINGS = 1
_SHOWN_DIRTY = 5


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect fix",
        description="Fix what a review finds, by the smallest edits; what they touch is reviewed again, and a fix that does not "
        "help is undone.",
        epilog="Exit codes: 0 what is left is clean under the gate, 1 findings at or above it are left, 2 usage or configuration, "
        "3 a fault of the tool.",
    )
    add_project_options(made)
    made.add_argument(
        "--rule", action="append", metavar="NAME", help="fix findings of this rule only; may repeat"
    )
    made.add_argument(
        "--unsafe",
        action="store_true",
        help="make fixes that want a look afterwards, too, and those of tentative findings",
    )
    made.add_argument(
        "--allow-contract-change",
        action="store_true",
        help="make fixes after which clients see another interface, too (paths, parameters, statuses)",
    )
    made.add_argument("--dry-run", action="store_true", help="print a patch and write nothing")
    made.add_argument(
        "--allow-dirty", action="store_true", help="write although git has changes that are not committed"
    )
    made.add_argument(
        "--jobs",
        "-j",
        type=processes,
        default=None,
        metavar="N",
        help="processes that parse (default: 2 where possible)",
    )
    made.add_argument("--no-cache", action="store_true", help="parse every file anew")
    return made


def run(arguments: list[str]) -> int:
    """Fix, and say what was done."""
    given = parser().parse_args(arguments)
    request = _request(given)
    if not (given.dry_run or given.allow_dirty):
        _refuse_dirty(given.path)
    with progress_on(sys.stderr, quiet=False) as progress:
        fixes = fix(
            replace(request, progress=progress),
            Wanted(unsafe=given.unsafe, contract=given.allow_contract_change),
        )
    if given.dry_run:
        sys.stdout.buffer.write(patch.render(fixes.files))
        sys.stdout.flush()
    else:
        try:
            replace_files(fixes.root, fixes.files)
        except CannotReplace as error:
            raise UsageError(str(error)) from error
    for line in _told(fixes, dry=given.dry_run):
        print(line, file=sys.stderr if given.dry_run else sys.stdout)
    for fault in fixes.faults:
        report_fault(fault)
    if fixes.faults:
        return FAULT
    return FINDINGS if fixes.failed else 0


def _request(given: argparse.Namespace) -> Request:
    """What to review.

    Raises:
        UsageError: no rule has a name that was given.
    """
    config = configuration(given)
    rules = all_rules()
    for name in given.rule or ():
        if name not in rules:
            message = f"--rule: {unknown('rule', name, rules)}"
            raise UsageError(message)
    if given.rule:
        config = replace(config, select=tuple(given.rule))
    return Request(given.path, config, jobs=given.jobs or default_jobs(), cache=not given.no_cache)


def _refuse_dirty(path: Path) -> None:
    """Refuse to write where git could not tell the fixes from other work.

    Raises:
        UsageError: files are changed or new.
    """
    changed = uncommitted(path)
    if not changed:
        return
    shown = ", ".join(changed[:_SHOWN_DIRTY]) + (", ..." if changed[_SHOWN_DIRTY:] else "")
    message = (
        f"git has changes that are not committed ({shown}); commit them, or add --allow-dirty or --dry-run"
    )
    raise UsageError(message)


def _told(fixes: Fixes, *, dry: bool) -> Iterator[str]:
    """What was done, what was undone and why, and what would do more."""
    verb = "Would fix" if dry else "Fixed"
    yield f"{verb} {counted(len(fixes.made), 'finding')} in {counted(len(fixes.files), 'file')}."
    for finding in fixes.made:
        assert finding.fix is not None
        yield f"  {_named(finding)}: {finding.fix.title}"
    if fixes.undone:
        yield f"Undone: {counted(len(fixes.undone), 'fix')}."
        for each in fixes.undone:
            yield f"  {_named(each.finding)}: {each.reason}"
    if fixes.left:
        yield f"Left: {counted(len(fixes.left), 'finding')}; `architect review` tells them."
    for option, number in fixes.lacking.items():
        if option.startswith("--"):
            verb = "is" if number == 1 else "are"
            yield f"  {number} more {verb} fixed with {option}."


def _named(finding: Finding) -> str:
    return f"{finding.location} {finding.rule.name}"
