"""`architect adr new|list|show`: architectural decision records, in the project's own folder and numbering."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from pathlib import Path

from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.cli.options import project_configuration
from fastapi_architect.records import decision
from fastapi_architect.records.listing import found, listed, read_page
from fastapi_architect.records.place import Folder, decisions_folder
from fastapi_architect.records.writing import next_number


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect adr",
        description="Decision records (ADR): why the backend is as it is. They lie in docs/decisions, or where the project keeps "
        'its own (docs/adr, doc/adr ...), and continue its numbers; [tool.fastapi-architect.records] decisions = "DIR" names '
        "another folder.",
        epilog="Exit codes: 0 done, 2 it cannot be done; the message names the next step, 3 a fault of the tool.",
    )
    commands = made.add_subparsers(dest="command", metavar="new|list|show", required=True)
    new = commands.add_parser(
        "new", help="write a record", description="Write a decision record under the next number."
    )
    new.add_argument("title", metavar="TITLE", help="the decision in a few words, in quotes")
    new.add_argument("--context", default="", metavar="TEXT", help="what makes a decision necessary")
    new.add_argument(
        "--driver",
        action="append",
        default=[],
        metavar="TEXT",
        help="what the options are judged by; may repeat",
    )
    new.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="TEXT",
        help="a way that could be gone, with its trade-offs: 'Name: +advantage; -disadvantage'; two or three of them",
    )
    new.add_argument("--decision", default="", metavar="TEXT", help="the option that is taken, and why")
    new.add_argument(
        "--consequence", action="append", default=[], metavar="TEXT", help="what follows from it; may repeat"
    )
    new.add_argument(
        "--status", choices=decision.STATUSES, default="proposed", help="how far it is (default: proposed)"
    )
    new.add_argument("--supersedes", metavar="RECORD", help="number or name of the decision that it replaces")
    new.add_argument("--dry-run", action="store_true", help="print the record and write nothing")
    show = commands.add_parser("show", help="print a record", description="Print a decision record.")
    show.add_argument("record", metavar="RECORD", help="its number, or a part of its name")
    every = commands.add_parser(
        "list", help="list them", description="List the decision records with their status."
    )
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
    folder = decisions_folder(given.path, project_configuration(given.path).records.decisions)
    if given.command == "new":
        return _new(given, folder)
    if given.command == "show":
        print(read_page(found(folder, given.record)).rstrip("\n"))
        return 0
    records = listed(folder)
    if given.format == "json":
        rows = [{"number": each.number or None, "file": f"{folder.shown}/{each.name}", "title": each.title,
                 "status": each.status or None} for each in records]  # fmt: skip
        json.dump(rows, sys.stdout, indent=2)
        print()
        return 0
    if not records:
        print(f"No decisions in {folder.shown} yet; `architect adr new TITLE` writes the first.")
    for each in records:
        print(f"{each.number or '':>4}  {each.status or '-':<12} {each.title}  ({folder.shown}/{each.name})")
    return 0


def _new(given: argparse.Namespace, folder: Folder) -> int:
    made = decision.Decision(
        title=given.title.strip(),
        day=datetime.now().astimezone().date(),
        status=given.status,
        context=given.context,
        drivers=tuple(given.driver),
        options=tuple(option(each) for each in given.option),
        chosen=given.decision,
        consequences=tuple(given.consequence),
        supersedes=found(folder, given.supersedes).name if given.supersedes else "",
    )
    decision.check(made)
    if given.dry_run:
        print(decision.render(made, next_number(folder)), end="")
        return 0
    file = decision.write(folder, made)
    print(f"{folder.shown}/{file.name} is written ({made.status}).")
    if made.supersedes:
        print(
            f"Say in {folder.shown}/{made.supersedes} that it is superseded: it is yours and was left as it is."
        )
    return 0


def option(text: str) -> decision.Option:
    """An option as it is written on a command line: `Name: +advantage; -disadvantage`.

    Raises:
        UsageError: it has no name, or a trade-off has no sign.
    """
    name, _, rest = text.partition(":")
    if not name.strip():
        message = f"--option: {text!r} has no name; write 'Name: +advantage; -disadvantage'"
        raise UsageError(message)
    signed: dict[str, list[str]] = {"+": [], "-": []}
    for part in filter(None, (each.strip() for each in rest.split(";"))):
        if part[0] not in signed or not part[1:].strip():
            message = (
                f"--option: {part!r} begins with neither + nor -; write 'Name: +advantage; -disadvantage'"
            )
            raise UsageError(message)
        signed[part[0]].append(part[1:].strip())
    return decision.Option(name.strip(), tuple(signed["+"]), tuple(signed["-"]))
