"""`architect completion SHELL`: a script that completes commands, options and choices."""

from __future__ import annotations

import argparse
import importlib

from fastapi_architect.cli.arguments import ArgumentParser
from fastapi_architect.rules.catalog import all_rules

SHELLS = ("bash", "zsh", "tcsh")


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect completion",
        description="Print a completion script.",
        epilog='For bash: eval "$(architect completion bash)" in ~/.bashrc.',
    )
    made.add_argument("shell", choices=SHELLS)
    return made


def run(arguments: list[str]) -> int:
    """Print the script for one shell."""
    import shtab

    given = parser().parse_args(arguments)
    print(shtab.complete(_whole(), shell=given.shell))
    return 0


def _whole() -> argparse.ArgumentParser:
    """One parser with every command below it: only completion needs all doors at once."""
    from fastapi_architect.__main__ import COMMANDS  # the one module that knows all doors

    made = argparse.ArgumentParser(prog="architect")
    made.add_argument("--version", action="store_true", help="show the version")
    commands = made.add_subparsers(dest="command")
    for name, (module, _) in COMMANDS.items():
        door = importlib.import_module(module)
        of = door.parser(sorted(all_rules())) if name == "explain" else door.parser()
        commands.add_parser(name, parents=[of], add_help=False, help=of.description)
    return made
