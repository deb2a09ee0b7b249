"""`docs/reference/cli.md`: every command's own help."""

from __future__ import annotations

import argparse
import importlib

from fastapi_architect.__main__ import COMMANDS


def pages() -> dict[str, str]:
    """Path below `docs/` to text."""
    lines = ["# Command line", ""]
    for name, (module, text) in COMMANDS.items():
        parser = importlib.import_module(module).parser()
        lines += [f"## architect {name}", "", f"{text[0].upper()}{text[1:]}.", "", *_help(parser)]
        for each, below in _commands(parser).items():
            lines += [f"### architect {name} {each}", "", *_help(below)]
    return {"reference/cli.md": "\n".join(lines)}


def _help(parser: argparse.ArgumentParser) -> list[str]:
    return ["```text", parser.format_help().rstrip(), "```", ""]


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a command, such as `architect adr new`."""
    kinds = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001 - no public way
    return {name: below for each in kinds for name, below in each.choices.items()}
