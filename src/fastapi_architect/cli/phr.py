"""`architect phr list|show|new`: prompt history records, what was asked and what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.cli.options import project_configuration
from fastapi_architect.records import prompt
from fastapi_architect.records.comparison import Comparison, Standing, standing_of_report
from fastapi_architect.records.listing import found, listed, read_page
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.records.writing import next_number

_LARGEST_REPORT = 256 * 1024 * 1024


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect phr",
        description="Prompt history records (PHR): what was asked, what was done, in which files, and what the review said before "
        "and after. `add` and `ask` write them by themselves where the project says [tool.fastapi-architect] records = true. "
        "Secrets are taken out, and no record is ever overwritten.",
        epilog="Exit codes: 0 done, 2 it cannot be done; the message names the next step, 3 a fault of the tool.",
    )
    commands = made.add_subparsers(dest="command", metavar="new|list|show", required=True)
    new = commands.add_parser(
        "new", help="write a record", description="Write a prompt record under the next number."
    )
    new.add_argument("asked", metavar="ASKED", help="the request, in the words of whoever asked; in quotes")
    new.add_argument(
        "--title", default="", metavar="TEXT", help="a few words (default: the request's first ones)"
    )
    new.add_argument("--done", action="append", default=[], metavar="TEXT", help="what was done; may repeat")
    new.add_argument(
        "--file", action="append", default=[], metavar="FILE", help="a file that was written; may repeat"
    )
    new.add_argument(
        "--before",
        type=given_path,
        metavar="REPORT",
        help="`architect review --format json` of before the work",
    )
    new.add_argument("--after", type=given_path, metavar="REPORT", help="the same of after it")
    new.add_argument("--dry-run", action="store_true", help="print the record and write nothing")
    show = commands.add_parser("show", help="print a record", description="Print a prompt record.")
    show.add_argument("record", metavar="RECORD", help="its number, or a part of its name")
    every = commands.add_parser("list", help="list them", description="List the prompt records.")
    every.add_argument("--format", choices=("text", "json"), default="text")
    for each in (new, show, every):
        each.add_argument(
            "--path",
            type=given_path,
            default=Path(),
            metavar="PATH",
            help="folder of the project (default: here)",
        )
    return made


def run(arguments: list[str]) -> int:
    """Write, show or list."""
    given = parser().parse_args(arguments)
    folder = prompts_folder(given.path, project_configuration(given.path).records.prompts)
    if given.command == "new":
        record = _record(given)
        prompt.check(record)
        if given.dry_run:
            print(prompt.render(record, next_number(folder)), end="")
            return 0
        file = prompt.write(folder, record)
        print(f"{folder.shown}/{file.name} is written.")
        return 0
    if given.command == "show":
        print(read_page(found(folder, given.record)).rstrip("\n"))
        return 0
    records = listed(folder)
    if given.format == "json":
        rows = [{"number": each.number or None, "file": f"{folder.shown}/{each.name}", "title": each.title}
                for each in records]  # fmt: skip
        json.dump(rows, sys.stdout, indent=2)
        print()
        return 0
    if not records:
        print(f"No prompt records in {folder.shown} yet; `architect phr new ASKED` writes the first.")
    for each in records:
        print(f"{each.number or '':>4}  {each.title}  ({folder.shown}/{each.name})")
    return 0


def _record(given: argparse.Namespace) -> prompt.PromptRecord:
    if (given.before is None) != (given.after is None):
        message = "a comparison needs both reports: --before and --after"
        raise UsageError(message)
    compared = Comparison(_standing(given.before), _standing(given.after)) if given.before else None
    return prompt.PromptRecord(
        asked=given.asked,
        at=datetime.now().astimezone(),
        command="phr",
        done=tuple(given.done),
        title=given.title,
        files=tuple(given.file),
        comparison=compared,
    )


def _standing(file: Path) -> Standing:
    try:
        with file.open("rb") as opened:
            data = json.loads(opened.read(_LARGEST_REPORT))
    except OSError as error:
        message = f"{file} cannot be read: {(error.strerror or str(error)).lower()}; name a report"
        raise UsageError(message) from error
    except ValueError as error:
        message = f"{file} is no JSON; write one: architect review --format json --output {file}"
        raise UsageError(message) from error
    return standing_of_report(data, str(file))
