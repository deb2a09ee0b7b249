"""The commands that pages show, and the scratch folders they are run in: `python -m docs.commands` lists both.

A block ```` ```console ```` holds lines `$ command`, each followed by what it prints. `...` on a line of its own stands for any
lines, `...` within a line for any text; a command without output shown may print what it likes. A command ends with exit code 0,
or its comment says `exit code 1`. A block ```` ```diff ```` is applied (`patch -p1`).

HTML comments, which readers do not see, say the rest:

    <!-- begins in: examples/bookshop_vulnerable -->   a page's scratch folder is a copy of this (nothing: an empty one)
    <!-- continues: first-finding.md -->               it is the folder as that page leaves it
    <!-- long: why -->                                 the page runs in `make test-matrix` alone
    <!-- file: pyproject.toml -->                      the next block is written to this file
    <!-- append to: pyproject.toml -->                 the next block is put at the end of this file
    <!-- not run: why -->                              the next block is shown only
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Pages that are written by hand, or that are made from text that people wrote, and may show commands.
FOLDERS = (
    "docs/*.md",
    "docs/tutorial/*.md",
    "docs/how-to/*.md",
    "docs/explanation/*.md",
    "docs/reference/*.md",
    "docs/reference/components/*.md",
)
OTHERS = ("README.md", "docs/decisions/*.md")
#: What a page shows as a command line in another dress would never be run.
UNRUN_LANGUAGES = frozenset({"sh", "bash", "shell", "zsh"})
SECONDS = 300

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})(?P<language>[\w{}-]*)[ \t]*$")
_INDENTED = re.compile(r"^[ \t>]+(`{3,}|~{3,})console\b")
_SAYS = re.compile(r"^<!--\s*(begins in|continues|long|file|append to|not run):\s*(.*?)\s*-->\s*$")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.db", ".*_cache")
_EXIT = re.compile(r"#.*\bexit code (\d+)")


class Differs(AssertionError):
    """A page shows what is not so."""


@dataclass(frozen=True)
class Command:
    """One line after `$`, and what the page shows of its output (empty: nothing is compared)."""

    page: str
    line: int
    text: str
    shown: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """What the comment of the command announces, else 0."""
        said = _EXIT.search(self.text)
        return int(said[1]) if said else 0


@dataclass(frozen=True)
class Patch:
    """A diff that the reader applies."""

    page: str
    line: int
    text: str


@dataclass(frozen=True)
class Written:
    """A file that the reader writes, whole or at its end."""

    page: str
    line: int
    path: str
    text: str
    appended: bool


@dataclass(frozen=True)
class NotRun:
    """A block that is shown only, and why."""

    page: str
    line: int
    reason: str


Step = Command | Patch | Written


@dataclass(frozen=True)
class Page:
    """What a page asks its reader to do.

    Attributes:
        name: path below the repository.
        steps: in order.
        not_run: blocks that are shown only.
        begins_in: folder below the repository that is copied, "" for an empty one.
        continues: the page before, as a path below the repository, or "".
        long: why it runs in the matrix alone, or "".
    """

    name: str
    steps: tuple[Step, ...]
    not_run: tuple[NotRun, ...]
    begins_in: str
    continues: str
    long: str


@dataclass(frozen=True)
class _Block:
    line: int
    language: str
    text: str
    says: dict[str, str]


@functools.cache
def pages() -> dict[str, Page]:
    """Every page that shows commands or blocks that are not run, by name."""
    found = {}
    for pattern in (*FOLDERS, *OTHERS):
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            page = read(name, path.read_text(encoding="utf-8"))
            if page.steps or page.not_run:
                found[name] = page
    return found


def read(name: str, text: str) -> Page:
    """What a page asks its reader to do.

    Raises:
        Differs: a command stands in a block that would never be run.
    """
    steps: list[Step] = []
    skipped: list[NotRun] = []
    about: dict[str, str] = {}
    for block in _blocks(name, text, about):
        if block.language in UNRUN_LANGUAGES:
            raise Differs(f"{name}:{block.line}: write ```console with `$ ` so that the command is run")
        if "not run" in block.says:
            skipped.append(NotRun(name, block.line, block.says["not run"]))
        elif block.language == "console":
            steps += _commands(name, block)
        elif "file" in block.says or "append to" in block.says:
            path = block.says.get("file") or block.says["append to"]
            steps.append(Written(name, block.line, path, block.text, appended="append to" in block.says))
        elif block.language == "diff":
            steps.append(Patch(name, block.line, block.text))
    before = about.get("continues", "")
    return Page(
        name=name,
        steps=tuple(steps),
        not_run=tuple(skipped),
        begins_in=about.get("begins in", ""),
        continues=(Path(name).parent / before).as_posix() if before else "",
        long=about.get("long", ""),
    )


def _blocks(name: str, text: str, about: dict[str, str]) -> Iterator[_Block]:
    """Fenced blocks with the comments that precede them; comments about the page go into `about`."""
    says: dict[str, str] = {}
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        said = _SAYS.match(line)
        if said and said[1] in ("begins in", "continues", "long"):
            about[said[1]] = said[2]
        elif said:
            says[said[1]] = said[2]
        elif fence := _FENCE.match(line):
            inside = []
            for _, each in lines:
                if each.rstrip() == fence["fence"]:
                    break
                inside.append(each)
            yield _Block(number, fence["language"], "".join(f"{each}\n" for each in inside), says)
            says = {}
        elif _INDENTED.match(line):
            raise Differs(f"{name}:{number}: an indented block is never run; begin it at the first column")
        elif line.strip():
            says = {}


def _commands(page: str, block: _Block) -> Iterator[Command]:
    lines = block.text.splitlines()
    at = 0
    while at < len(lines):
        start = at
        if not lines[at].startswith("$ "):
            raise Differs(f"{page}:{block.line + 1 + at}: a line before the first `$ `")
        words = [lines[at][2:]]
        while words[-1].endswith("\\"):
            at += 1
            words.append(lines[at])
        at += 1
        shown = []
        while at < len(lines) and not lines[at].startswith("$ "):
            shown.append(lines[at])
            at += 1
        yield Command(page, block.line + 1 + start, "\n".join(words), tuple(shown))


class Scratch:
    """A person's machine: an empty home, the installed command, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        """Make it in an empty `folder`."""
        self._state = folder / "state"
        self.home = folder / "home"
        self.work = folder / "work"
        for each in (self._state, self.home, self.work):
            each.mkdir(parents=True)
        environment = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.home),
            "COLUMNS": "100",
            "LANG": "C.UTF-8",
            "GIT_AUTHOR_NAME": "A Reader",
            "GIT_AUTHOR_EMAIL": "reader@example.org",
            "GIT_COMMITTER_NAME": "A Reader",
            "GIT_COMMITTER_EMAIL": "reader@example.org",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if "PYTHONPATH" in os.environ:
            environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self._environment = environment
        (self._state / "exported").write_text("", encoding="utf-8")
        (self._state / "folder").write_text(str(self.work), encoding="utf-8")
        (self._state / "code").write_text("0", encoding="utf-8")

    def begin(self, page: Page) -> None:
        """Copy what a page begins in."""
        if page.begins_in == "repository":
            self._copy_repository()
        elif page.begins_in:
            shutil.copytree(ROOT / page.begins_in, self.work, dirs_exist_ok=True, ignore=_LEFT_OUT)

    def follow(self, page: Page) -> None:
        """Do what the page asks for, in order.

        Raises:
            Differs: an exit code or an output is not what the page shows, or a diff does not apply.
        """
        for step in page.steps:
            if isinstance(step, Command):
                self.run(step)
            elif isinstance(step, Patch):
                self._apply(step)
            else:
                self._write(step)

    def run(self, command: Command) -> None:
        """Run one command in the shell's state that the one before left.

        Raises:
            Differs: its exit code or its output is not the one shown.
        """
        state = self._state
        script = (
            f'. "{state}/exported"; cd "$(cat "{state}/folder")" || exit 125; (exit "$(cat "{state}/code")")\n'
            f"{command.text}\n"
            f'code=$?; pwd > "{state}/folder"; export -p > "{state}/exported"; echo $code > "{state}/code"; exit $code\n'
        )
        ran = subprocess.run(
            ["bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment,
            timeout=SECONDS,
            check=False,
        )
        printed = ran.stdout.decode("utf-8", "replace")
        place = f"{command.page}:{command.line}: $ {command.text}"
        if ran.returncode != command.exit_code:
            raise Differs(
                f"{place}\nexit code {ran.returncode}, not the {command.exit_code} shown\n\n{printed}"
            )
        if command.shown and not fits(command.shown, printed):
            shown = "\n".join(command.shown)
            raise Differs(
                f"{place}\nprints something else than shown.\n\nshown:\n{shown}\n\nprinted:\n{printed}"
            )

    def _folder(self) -> Path:
        return Path((self._state / "folder").read_text(encoding="utf-8").rstrip("\n"))

    def _apply(self, patch: Patch) -> None:
        ran = subprocess.run(
            ["patch", "--strip=1", "--forward", "--fuzz=0", "--no-backup-if-mismatch"],
            input=patch.text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder(),
            timeout=SECONDS,
            check=False,
        )
        if ran.returncode:
            raise Differs(f"{patch.page}:{patch.line}: the diff does not apply\n{ran.stdout.decode()}")

    def _write(self, written: Written) -> None:
        path = self._folder() / written.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a" if written.appended else "w", encoding="utf-8") as file:
            file.write(written.text)

    def _copy_repository(self) -> None:
        """What of a clone `make review` needs, with a `.venv` that is installed already: its commands are this interpreter's."""
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.work / name)
        for name in ("requirements", "examples"):
            shutil.copytree(ROOT / name, self.work / name, ignore=_LEFT_OUT)
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "--all"),
            ("commit", "--quiet", "--message=A clone"),
            ("update-ref", "refs/remotes/origin/main", "HEAD"),
        ):
            subprocess.run(["git", *words], cwd=self.work, env=self._environment, check=True)
        commands = self.work / ".venv" / "bin"
        commands.mkdir(parents=True)
        for name, runs in (("python", ""), ("architect", " -m fastapi_architect")):
            (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{runs} "$@"\n', encoding="utf-8")
            (commands / name).chmod(0o755)
        (commands / "activate").write_text(f'PATH="{commands}:$PATH"\n', encoding="utf-8")
        (self.work / ".venv" / ".dev").touch()


def fits(shown: tuple[str, ...], printed: str) -> bool:
    """Whether an output is the one shown, `...` standing for any lines or any text."""
    parts = []
    for line in shown:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n")
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    # An empty line at the end of an output is not worth showing.
    return re.fullmatch("".join(parts) + r"\n*", text) is not None


def chain(page: Page) -> tuple[Page, ...]:
    """The page and those that it continues, first one first."""
    return (*chain(pages()[page.continues]), page) if page.continues else (page,)


def last_pages() -> tuple[Page, ...]:
    """Pages that no other continues: each ends a chain, and the chains cover all."""
    continued = {page.continues for page in pages().values()}
    return tuple(page for page in pages().values() if page.name not in continued)


def main() -> int:
    """List pages with the number of their steps, and what is shown only."""
    for page in pages().values():
        where = "make test-matrix" if page.long else "make test"
        print(f"{page.name:<55} {len(page.steps):>3} steps  {where}")
    skipped = [each for page in pages().values() for each in page.not_run]
    print(f"\nShown and not run ({len(skipped)}):")
    for each in skipped:
        print(f"  {each.page}:{each.line}  {each.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
