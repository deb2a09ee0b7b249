"""`architect agent install|uninstall|list|show`: the architect as an agent of an editor or a terminal client."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fastapi_architect.builder.plan import FileEdit, diff_of
from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.persona.clients import definitions
from fastapi_architect.persona.clients.changes import Changes, carry_out
from fastapi_architect.persona.clients.installing import (
    CLIENTS,
    clients_in_use,
    installed_clients,
    plan_install,
    plan_uninstall,
)
from fastapi_architect.persona.clients.lock import lock_path
from fastapi_architect.persona.clients.target import LAUNCHERS, Launch, Scope
from fastapi_architect.persona.definition.variants import variant, variants
from fastapi_architect.report.wording import counted, printable

REFUSED = 1
_FORMATS = {
    "claude": definitions.for_claude,
    "cursor": definitions.for_cursor,
    "vscode": definitions.for_vscode,
    "codex": definitions.for_codex,
}


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect agent",
        description="The architect as an agent of your client: definitions, and the MCP server that they work with. The diff is "
        "shown first; a text of yours is never overwritten, and uninstalling takes out exactly what was installed.",
        epilog="Exit codes: 0 done (or shown, with --dry-run), 1 answered with no, 2 it cannot be done; the message names the "
        "next step, 3 a fault of the tool.",
    )
    commands = made.add_subparsers(dest="command", metavar="install|uninstall|list|show", required=True)
    install = commands.add_parser(
        "install",
        help="write definitions and the MCP entry",
        description="Write definitions and the MCP entry.",
    )
    uninstall = commands.add_parser(
        "uninstall", help="take out what was installed", description="Take out exactly what was installed."
    )
    for each in (install, uninstall):
        each.add_argument(
            "--for",
            action="append",
            choices=(*CLIENTS, "all"),
            dest="clients",
            metavar="CLIENT",
            help=f"{', '.join(CLIENTS)} or all; may repeat (default: those in use here)",
        )
        where = each.add_mutually_exclusive_group()
        where.add_argument("--project", action="store_true", help="for this project (the default)")
        where.add_argument("--user", action="store_true", help="for everything you do, in your home folder")
        each.add_argument(
            "--path",
            type=given_path,
            default=Path(),
            metavar="PATH",
            help="folder of the project (default: here)",
        )
        each.add_argument("--dry-run", action="store_true", help="show what would change and write nothing")
        each.add_argument("--diff", action="store_true", help="show new files whole, too")
        each.add_argument("--yes", "-y", action="store_true", help="do not ask")
    install.add_argument(
        "--launcher",
        choices=tuple(LAUNCHERS),
        default="architect",
        help="how the client starts the server: the command on your path, or through uvx (default: architect)",
    )
    install.add_argument(
        "--allow-writes",
        action="store_true",
        help="let the server apply fixes, add components, make services and keep records (see architect mcp)",
    )
    install.add_argument(
        "--allow-tests",
        action="store_true",
        help="let the server run the project's own tests, with your rights",
    )
    commands.add_parser("list", help="the agents there are", description="The agents there are.")
    show = commands.add_parser("show", help="print a definition", description="Print a definition.")
    show.add_argument("name", metavar="NAME", help="an agent: fastapi-backend-reviewer, or reviewer")
    show.add_argument(
        "--for", choices=tuple(_FORMATS), dest="client", default="claude", help="in the format of a client"
    )
    return made


def run(arguments: list[str]) -> int:
    """Install, uninstall, list or show."""
    given = parser().parse_args(arguments)
    if given.command == "list":
        for each in variants():
            print(f"{each.name:<28} {each.title} ({each.model})")
        return 0
    if given.command == "show":
        print(_FORMATS[given.client](variant(given.name)), end="")
        return 0
    scope = _scope(given)
    clients = _clients(given, scope)
    installs = given.command == "install"
    there = installed_clients(scope)
    launch = _launch(given) if installs else None
    changes = plan_install(scope, clients, launch) if launch else plan_uninstall(scope, clients)
    for line in _shown(changes, scope, whole=given.diff):
        print(line)
    if not (changes.files or changes.edits or changes.gone):
        print("Nothing to do." if not changes.kept else "Nothing else to do.")
        return 0
    if given.dry_run:
        return 0
    if not given.yes and not _agreed():
        print("Nothing was changed.", file=sys.stderr)
        return REFUSED
    carry_out(changes, scope)
    names = ", ".join(CLIENTS[name][0] for name in clients if installs or name in there)
    print(f"{'Installed' if installs else 'Uninstalled'} for {names}.")
    if installs:
        for line in _advice(given.launcher, clients):
            print(line)
    return 0


def _launch(given: argparse.Namespace) -> Launch:
    allowed = (name for name in ("writes", "tests") if getattr(given, f"allow_{name}"))
    return msgspec.structs.replace(
        LAUNCHERS[given.launcher], allowed=tuple(f"--allow-{name}" for name in allowed)
    )


def _scope(given: argparse.Namespace) -> Scope:
    if given.user:
        return Scope("user", Path.home())
    if not given.path.is_dir():
        message = f"{given.path} is no folder; name the project's: --path DIR"
        raise UsageError(message)
    return Scope("project", given.path.resolve())


def _clients(given: argparse.Namespace, scope: Scope) -> tuple[str, ...]:
    named = given.clients or ()
    if "all" in named:
        left_out = {"generic"} if scope.name == "user" else set()
        return tuple(name for name in CLIENTS if name not in left_out)
    if not named and given.command == "uninstall":
        return tuple(CLIENTS)
    found = tuple(dict.fromkeys(named)) or clients_in_use(scope)
    if not found:
        message = f"no client has left anything in {scope.root}; name one: --for {', --for '.join(CLIENTS)}, or --for all"
        raise UsageError(message)
    return found


def _shown(changes: Changes, scope: Scope, *, whole: bool) -> Iterator[str]:
    """What would change: edits as diffs, new files by their length, what is kept with its difference."""
    own = lock_path(scope)
    for file in changes.files:
        if file.path == own:
            continue
        if whole:
            yield printable(diff_of(FileEdit(file.path, b"", file.data, ""), new=True))
        else:
            lines = len(file.data.splitlines())
            yield f"new     {file.path}  ({counted(lines, 'line')})"
    for edit in changes.edits:
        if edit.path != own:
            yield f"edit    {edit.path}"
            yield printable(diff_of(edit))
    yield from (f"delete  {each.path}" for each in changes.gone if each.path != own)
    for kept in changes.kept:
        yield f"keep    {kept.path} {kept.reason}"
        yield printable(kept.diff)


def _agreed() -> bool:
    """The answer of the person at the terminal.

    Raises:
        UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        message = "nobody can be asked here; add --yes to write, or --dry-run to see the changes alone"
        raise UsageError(message)
    try:
        return input("Write these changes? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _advice(launcher: str, clients: tuple[str, ...]) -> Iterator[str]:
    command = LAUNCHERS[launcher].command
    if shutil.which(command) is None:
        yield (
            f"The client starts the server as `{command}`, which is not on this path: install it "
            "(uv tool install 'fastapi-architect[mcp]'), or run again with --launcher uvx."
        )
    if "generic" in clients:
        yield f"Tell your client of the server, too: {command} {' '.join((*LAUNCHERS[launcher].arguments, 'mcp', '--root', '.'))}"
    yield "Start the client anew; it asks once whether you trust the server."
