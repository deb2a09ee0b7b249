"""`architect new`: a production-grade service in a new folder, which is the user's from then on."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi_architect.builder.catalog import Catalog, ComponentSpec, load_catalog
from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.naming import ProjectName, project_name
from fastapi_architect.builder.new import chosen, packages_needed, project_files, write_project
from fastapi_architect.builder.presets import PRESETS, components_of
from fastapi_architect.cli.arguments import ArgumentParser, given_path
from fastapi_architect.cli.errors import UsageError

DEFAULT = "minimal"


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(
        prog="architect new",
        description="Make a service that runs, is tested, and is yours: `make run` in it needs no Docker.",
        epilog="presets: " + "; ".join(f"{name}: {use}" for name, (use, _) in PRESETS.items()),
    )
    made.add_argument("name", metavar="NAME", nargs="?", help="such as bookshop")
    made.add_argument(
        "--preset", choices=tuple(PRESETS), help=f"components to begin with (default: {DEFAULT})"
    )
    for option, name, text in (
        ("--with", "more", "further components"),
        ("--without", "without", "components of the preset to leave out"),
    ):
        made.add_argument(
            option, dest=name, type=_names, action="extend", default=[], metavar="A,B", help=text
        )
    made.add_argument("--path", type=given_path, metavar="DIR", help="folder to write into (default: NAME)")
    made.add_argument("--yes", action="store_true", help="ask nothing; take the defaults")
    made.add_argument("--git", action="store_true", help="make it a git repository with a first commit")
    return made


def run(arguments: list[str]) -> int:
    """Make the project."""
    given = parser().parse_args(arguments)
    catalog = load_catalog()
    ask = _ask if sys.stdin.isatty() and sys.stdout.isatty() and not given.yes else None
    try:
        text = given.name or (ask("Name of the project", "my-service") if ask else None)
        if not text:
            raise UsageError("name the project: architect new bookshop")
        name = project_name(text)
        preset, more = _components(given, catalog, ask)
        specs = chosen(catalog, [*components_of(preset, catalog), *more], given.without)
        name = project_name(text, packages_needed(specs))
        root = given.path or Path(name.distribution)
        files = project_files(name, specs)
        write_project(root, files)
        if given.git:
            _commit(root, name)
    except BuildError as error:
        raise UsageError(str(error)) from error
    print(_summary(root, name, specs, len(files)))
    return 0


def _components(
    given: argparse.Namespace, catalog: Catalog, ask: Callable[[str, str], str] | None
) -> tuple[str, list[str]]:
    """The preset and what is wanted beyond it: of the command line, else asked for, else the default."""
    if given.preset or given.more or ask is None:
        return given.preset or DEFAULT, given.more
    print("Presets:")
    for name, (use, _) in PRESETS.items():
        print(f"  {name:<10}{use}")
    preset = ask("Preset", DEFAULT)
    while preset not in PRESETS:
        preset = ask(f"There is no preset {preset!r}. Preset", DEFAULT)
    held = {spec.name for spec in chosen(catalog, components_of(preset, catalog))}
    others = [spec for spec in catalog if spec.name not in held]
    if not others:
        return preset, []
    print("Components beyond it:")
    for spec in others:
        print(f"  {spec.name:<20}{spec.summary}")
    return preset, _further(catalog, ask)


def _further(catalog: Catalog, ask: Callable[[str, str], str]) -> list[str]:
    """Components beyond the preset; asked again while one of the names means nothing."""
    question = "Which of them, separated by commas"
    while True:
        names = [name for name in _names(ask(question, "none")) if name != "none"]
        try:
            chosen(catalog, names)
        except BuildError as error:
            question = f"{error}. Which of them"
        else:
            return names


def _ask(question: str, default: str) -> str:
    """What is typed, or the default.

    Raises:
        UsageError: the terminal was closed (control-D) instead.
    """
    try:
        return input(f"{question} [{default}]: ").strip() or default
    except EOFError as error:
        print()
        message = (
            "nothing was answered and nothing written; say what you want in options (architect new --help)"
        )
        raise UsageError(message) from error


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _commit(root: Path, name: ProjectName) -> None:
    """Make the folder a repository with one commit.

    Raises:
        UsageError: git is missing or refuses.
    """
    git = ("git", "-C", str(root))
    try:
        subprocess.run([*git, "init", "--quiet", "--initial-branch", "main"], check=True, capture_output=True)
        subprocess.run([*git, "add", "--all"], check=True, capture_output=True)
        subprocess.run(
            [*git, "commit", "--quiet", "--message", f"Begin {name.title}"], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = (
            error.stderr.decode(errors="replace").strip()
            if isinstance(error, subprocess.CalledProcessError)
            else error
        )
        message = f"the project is in {root}, but git refused: {said}; commit it yourself, or leave out --git"
        raise UsageError(message) from error


def _summary(root: Path, name: ProjectName, specs: Sequence[ComponentSpec], files: int) -> str:
    """What was made, and what to type next."""
    names = ", ".join(spec.name for spec in specs)
    wrapped = textwrap.fill(names, width=100, initial_indent="  ", subsequent_indent="  ")
    return (
        f"{name.title}: {files} files in {root}, made of\n{wrapped}\n\n"
        f"  cd {shlex.quote(str(root))}\n"
        "  make run     the whole service on this machine; prints its address and how to sign in\n"
        "  make test    every test, on real servers"
    )
