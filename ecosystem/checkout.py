"""Exports the pinned public projects, so that everything that is measured is measured on the same bytes.

    python ecosystem/checkout.py [NAME ...] [--mirrors DIR] [--trees DIR] [--list]

A mirror is a bare git directory named ``owner+name`` (with or without ``.git``; a directory that holds one
as ``repo`` is accepted too). The default folder is ``.work/mirrors``, or the environment variable
``ARCHITECT_MIRRORS``. Trees go to ``.work/trees/<name>``. Nothing in a tree is ever imported or run from
here, and no code of a project is ever committed: only names, commits, folders and our own verdicts are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # pragma: no cover - the project itself needs 3.11
    sys.exit("this script needs Python 3.11 or newer")

HERE = Path(__file__).resolve().parent
DEFAULT_WORK = HERE.parent / ".work"


class CheckoutError(Exception):
    """A tree could not be exported; the message names the next step."""


@dataclass(frozen=True)
class Accuracy:
    """How the application of a project is imported for truth/, and the folder that `architect map` reads."""

    application: str
    directory: str
    map: str
    python: str
    folders: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """One pinned project of ``projects.toml``: folders relative to its repository, kloc of the roots."""

    name: str
    repository: str
    commit: str
    roots: tuple[str, ...]
    style: str
    kloc: float
    pair: int
    unseen: bool
    looked_at: str = ""
    speed: str | None = None
    accuracy: Accuracy | None = None


def load_projects(path: Path = HERE / "projects.toml") -> list[Project]:
    """The pinned projects, in the order of the file. Raises CheckoutError when an entry is malformed."""
    document = tomllib.loads(path.read_text("utf-8"))
    projects = []
    for entry in document["project"]:
        accuracy = entry.pop("accuracy", None)
        if accuracy is not None:
            accuracy = Accuracy(**{**accuracy, "folders": tuple(accuracy.get("folders", ()))})
        project = Project(**{**entry, "roots": tuple(entry["roots"]), "accuracy": accuracy})
        if len(project.commit) != 40 or not set(project.commit) <= set("0123456789abcdef"):
            raise CheckoutError(f"{path.name}: {project.name}: commit must be 40 hexadecimal digits")
        projects.append(project)
    names = [project.name for project in projects]
    if len(set(names)) != len(names):
        raise CheckoutError(f"{path.name}: two projects have the same name")
    return projects


def select(projects: list[Project], names: list[str]) -> list[Project]:
    """The named projects, all when no name is given. Raises CheckoutError for an unknown name."""
    known = {project.name: project for project in projects}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CheckoutError(f"no project named {unknown[0]!r}; projects.toml has: {', '.join(known)}")
    return [known[name] for name in names] if names else projects


def default_mirrors() -> Path:
    """The folder of bare git directories: ``ARCHITECT_MIRRORS``, or ``.work/mirrors``."""
    return Path(os.environ.get("ARCHITECT_MIRRORS") or DEFAULT_WORK / "mirrors")


def find_mirror(project: Project, mirrors: Path) -> Path:
    """The bare git directory of a project. Raises CheckoutError with the command that makes it."""
    folder = mirrors / project.repository.replace("/", "+")
    for candidate in (
        folder,
        folder.with_name(folder.name + ".git"),
        folder / "repo",
        folder / "repo" / ".git",
    ):
        if (candidate / "HEAD").is_file() and (candidate / "objects").is_dir():
            return candidate
    raise CheckoutError(
        f"{project.name}: no mirror at {folder}; next: "
        f"git clone --bare https://github.com/{project.repository} {folder}"
    )


def absent_files(git: list[str], commit: str) -> list[str]:
    """Paths of a commit whose content the mirror does not hold: stored copies leave out very large files."""
    listing = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "--full-tree", commit], capture_output=True, check=True
    ).stdout
    files = []
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            _, kind, identity = head.split()
            if kind == b"blob":
                files.append((identity, os.fsdecode(path)))
    answer = subprocess.run(
        [*git, "cat-file", "--batch-check"],
        input=b"\n".join(identity for identity, _ in files) + b"\n",
        capture_output=True,
        check=True,
    ).stdout.splitlines()
    return [path for (_, path), line in zip(files, answer, strict=True) if line.endswith(b" missing")]


def export(project: Project, mirrors: Path, trees: Path) -> Path:
    """Writes the pinned tree to ``trees/<name>`` unless it is there already, and returns that folder."""
    target = trees / project.name
    marker = trees / f"{project.name}.commit"
    if target.is_dir() and marker.is_file() and marker.read_text("utf-8").strip() == project.commit:
        return target
    mirror = find_mirror(project, mirrors)
    git = ["git", f"--git-dir={mirror}"]
    verified = subprocess.run(
        [*git, "rev-parse", "--verify", "--quiet", f"{project.commit}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if verified.stdout.strip() != project.commit:
        raise CheckoutError(
            f"{project.name}: {mirror} has no commit {project.commit}; next: "
            f"git --git-dir={mirror} fetch https://github.com/{project.repository} {project.commit}"
        )
    partial = trees / f"{project.name}.partial"
    marker.unlink(missing_ok=True)
    for old in (target, partial):
        shutil.rmtree(old, ignore_errors=True)
    partial.mkdir(parents=True)
    absent = absent_files(git, project.commit)
    lost = [path for path in absent if path.endswith(".py")]
    if lost:
        raise CheckoutError(f"{project.name}: {mirror} lacks {lost[0]}; next: clone it again, whole")
    wanted = [".", *(f":(exclude,literal){path}" for path in absent)]
    with subprocess.Popen(
        [*git, "archive", project.commit, "--", *wanted],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it names absent files even where they are not wanted
        cwd=partial,
    ) as archive:
        unpacked = subprocess.run(
            ["tar", "-x", "--no-same-owner", "-C", str(partial)], stdin=archive.stdout, check=False
        )
    if archive.returncode or unpacked.returncode:
        raise CheckoutError(f"{project.name}: the tree of {project.commit} could not be unpacked")
    for root in project.roots:
        if not (partial / root).is_dir():
            raise CheckoutError(
                f"{project.name}: the pinned tree has no folder {root!r}; correct projects.toml"
            )
    partial.rename(target)
    marker.write_text(project.commit + "\n", "utf-8")
    return target


def count_lines(folder: Path) -> int:
    """Lines of all Python files under a folder (links not followed)."""
    total = 0
    for path in folder.rglob("*.py"):
        if path.is_file() and not path.is_symlink():
            total += path.read_bytes().count(b"\n")
    return total


def main(arguments: list[str] | None = None) -> int:
    """Exports, and prints one line a project: name, kLOC of its roots, folder."""
    parser = argparse.ArgumentParser(description="Export the pinned public projects.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--mirrors", type=Path, default=default_mirrors())
    parser.add_argument("--trees", type=Path, default=DEFAULT_WORK / "trees")
    parser.add_argument("--list", action="store_true", help="print the pinned projects and stop")
    options = parser.parse_args(arguments)
    failed = 0
    try:
        chosen = select(load_projects(), options.names)
    except CheckoutError as error:
        print(error, file=sys.stderr)
        return 2
    for project in chosen:
        if options.list:
            pinned = f"{project.repository}@{project.commit[:12]}"
            print(f"{project.name:20} {project.kloc:7.1f} kLOC  {pinned}  {project.style}")
            continue
        try:
            folder = export(project, options.mirrors, options.trees)
        except CheckoutError as error:
            print(error, file=sys.stderr)
            failed += 1
            continue
        kloc = sum(count_lines(folder / root) for root in project.roots) / 1000
        print(f"{project.name:20} {kloc:7.1f} kLOC  {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
