"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from msgspec.structs import replace

from fastapi_architect.cli.arguments import given_path
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.review.config import Config, Ignore, load, selectors, unknown
from fastapi_architect.rules.catalog import all_rules


def add_project_options(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """`PATH` and `--config`; with `several`, `paths` may be more files than one."""
    if several:
        parser.add_argument(
            "paths",
            nargs="*",
            type=given_path,
            default=[Path()],
            metavar="PATH",
            help="a folder, or files: findings in these alone are reported, each understood within its whole project (default: "
            "the folder here)",
        )
    else:
        parser.add_argument(
            "path",
            nargs="?",
            type=given_path,
            default=Path(),
            metavar="PATH",
            help="folder or file (default: here)",
        )
    parser.add_argument(
        "--config",
        type=given_path,
        metavar="FILE",
        help="configuration (default: the nearest pyproject.toml)",
    )
    parser.add_argument(
        "--exclude", action="append", metavar="PATTERN", help="leave out files, as in .gitignore; may repeat"
    )


def configuration(given: argparse.Namespace) -> Config:
    """The project's configuration with the command line's options on top.

    Raises:
        ConfigError, UsageError: something named there does not exist.
    """
    rules = all_rules().values()
    config = load(given.path, rules, file=given.config)
    known = selectors(rules)
    for option in ("select", "ignore"):
        for name in getattr(given, option, None) or ():
            if name not in known:
                message = f"--{option}: {unknown('rule, topic or category', name, known)}"
                raise UsageError(message)
    select = tuple(getattr(given, "select", None) or ()) or config.select
    ignore = (*config.ignore, *(Ignore(name) for name in getattr(given, "ignore", None) or ()))
    return replace(config, select=select, ignore=ignore, exclude=(*config.exclude, *(given.exclude or ())))


def project_configuration(path: Path) -> Config:
    """The configuration of the project that a path lies in, for commands that review nothing.

    Raises:
        ConfigError: it says something that has no meaning.
    """
    return load(path, all_rules().values())


def default_jobs() -> int:
    """Two processes where the machine has two processors, else one: more do not help, reading is a third of the work."""
    return 2 if (os.cpu_count() or 1) > 1 else 1
