"""A command line whose mistakes are one line that names the next step."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any, NoReturn

from fastapi_architect.cli.errors import UsageError


class _Formatter(argparse.HelpFormatter):
    """argparse's own at the terminal's width; argparse imports three compression libraries to ask for that."""

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        try:
            width = int(columns) if columns.isdecimal() else os.get_terminal_size(1).columns
        except OSError:
            width = 0
        super().__init__(prog, width=(width or 80) - 2)


class ArgumentParser(argparse.ArgumentParser):
    """argparse without the page of usage in front of the one line that matters.

    `error` raises `UsageError`, which the caller prints and answers with exit code 2.
    """

    def __init__(self, **settings: Any) -> None:
        """As `argparse.ArgumentParser`; options have to be spelled in full, so that new ones cannot change old scripts."""
        super().__init__(**{"allow_abbrev": False, "formatter_class": _Formatter, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise the mistake.

        Raises:
            UsageError: always.
        """
        text = re.sub(r"^argument ([^:]+): ", r"\1: ", message)
        if text.startswith("unrecognized arguments: "):
            text = self._unrecognised(text.partition(": ")[2])
        elif ";" not in text:
            text += f"; `{self.prog} --help` explains"
        raise UsageError(text)

    def _unrecognised(self, listed: str) -> str:
        first = listed.split(maxsplit=1)[0] if listed.strip() else listed
        if not first.startswith("-"):
            return f"{first!r} is one argument too many; quote a path that holds spaces"
        name = first.partition("=")[0]
        import difflib

        near = difflib.get_close_matches(name, self._option_string_actions, n=1)
        hint = f"did you mean {near[0]}?" if near else f"`{self.prog} --help` lists the options"
        return f"there is no option {name}; {hint}"


def given_path(text: str) -> Path:
    """A path that was given; an empty one is mostly a variable that nobody set.

    Raises:
        argparse.ArgumentTypeError: it is empty.
    """
    if not text:
        message = "the path is empty; name one, or `.` for this folder"
        raise argparse.ArgumentTypeError(message)
    return Path(text)


def processes(text: str) -> int:
    """A number of processes.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is no number from 1 upwards"
        raise argparse.ArgumentTypeError(message)
    return int(text)
