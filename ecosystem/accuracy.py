"""Compares what the reviewer reads from source with what the imported application says (truth/*.json).

    python ecosystem/accuracy.py [NAME ...] [--trees DIR] [--show]
    python ecosystem/accuracy.py --truth NAME --interpreter VENV/bin/python [--trees DIR]

The first form prints precision and recall of routes, parameters and guards, a project a block; ``--show``
lists misses and extras. It exits 1 when a bar is missed. The second form makes truth/NAME.json again.

Counted are the operations whose handler lies in the project's tree: routes that an installed package adds are
known to nobody who reads the project. Parameters and guards are counted over the same operations, so those of
a missed route are missed too.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checkout import DEFAULT_WORK, CheckoutError, Project, load_projects, select  # noqa: E402

TRUTH = HERE / "truth"
MAP_SECONDS = 600

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Bar:
    """The least precision and recall that is good enough."""

    precision: float
    recall: float


BARS = {"routes": Bar(0.97, 0.98), "parameters": Bar(0.95, 0.95), "guards": Bar(0.97, 0.97)}


@dataclass(frozen=True)
class Comparison:
    """One subject of one project: how many facts agree, and those that do not."""

    subject: str
    right: int
    misses: tuple[Key, ...]
    extras: tuple[Key, ...]

    @property
    def recall(self) -> float:
        """Share of the true facts that were found; 1.0 when there are none."""
        total = self.right + len(self.misses)
        return self.right / total if total else 1.0

    @property
    def precision(self) -> float:
        """Share of the stated facts that are true; 1.0 when none is stated."""
        total = self.right + len(self.extras)
        return self.right / total if total else 1.0

    @property
    def passes(self) -> bool:
        """Whether both shares reach the bar of the subject."""
        bar = BARS[self.subject]
        return self.precision >= bar.precision and self.recall >= bar.recall


def blank(path: str) -> str:
    """A path with the names of its parameters blanked: /items/{item_id} and /items/{id} are one route."""
    return re.sub(r"\{[^}]*\}", "{}", path) or "/"


def operation_key(operation: dict[str, Any]) -> tuple[str, str]:
    """Method and blanked path."""
    return operation["method"].upper(), blank(operation["path"])


def is_documentation(operation: dict[str, Any]) -> bool:
    """FastAPI's own pages, and the HEAD twin of a GET."""
    pages = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc")
    return operation["method"].upper() in ("HEAD", "OPTIONS") or operation["path"].endswith(pages)


def parameter_keys(operation: dict[str, Any]) -> set[Key]:
    """(method, path, name, kind, required); header names are compared without case, as HTTP does."""
    keys: set[Key] = set()
    for parameter in operation["parameters"]:
        name, kind = parameter["name"], parameter["kind"]
        sent = name.lower() if kind == "header" else name
        keys.add((*operation_key(operation), sent, kind, bool(parameter["required"])))
    return keys


def dependency_name(name: str, packages: frozenset[str]) -> str:
    """A dependency as it is compared.

    ``<locals>`` is dropped. A callable of a library is known by its package and last name: its source may
    define it elsewhere than where it is imported from. A project's own name loses what is before its package.
    """
    parts = [part for part in name.split(".") if part != "<locals>"]
    for position, part in enumerate(parts):
        if part in packages:
            return ".".join(parts[position:])
    return f"{parts[0]}:{parts[-1]}"


def guard_keys(operation: dict[str, Any], packages: frozenset[str]) -> set[Key]:
    """(method, path, dependency); the class of a class-based view, which only carries them, is left out."""
    handler = dependency_name(operation["handler"], packages)
    names = {dependency_name(name, packages) for name in operation["dependencies"]}
    return {(*operation_key(operation), name) for name in names if not handler.startswith(f"{name}.")}


def compare_keys(subject: str, true: Iterable[Key], stated: Iterable[Key]) -> Comparison:
    """Agreement of two sets of facts."""
    truth, answer = set(true), set(stated)
    misses = tuple(sorted(truth - answer, key=str))
    extras = tuple(sorted(answer - truth, key=str))
    return Comparison(subject, len(truth & answer), misses, extras)


def compare(truth: dict[str, Any], applications: list[dict[str, Any]]) -> list[Comparison]:
    """Routes, parameters and guards of a truth document against the applications the reviewer sees.

    A repository may hold several applications and the truth is of one: the application that shares most
    operations with it is compared. Routes of installed packages and plain Starlette routes count neither way.
    """
    inside = [o for o in truth["operations"] if o["file"] is not None and not is_documentation(o)]
    wanted = {operation_key(o) for o in inside}
    uncounted = {operation_key(o) for o in truth["operations"] + truth["plain_routes"]} - wanted

    def shared(application: dict[str, Any]) -> tuple[int, int]:
        keys = {operation_key(o) for o in application["operations"]}
        return len(keys & wanted), -len(keys)

    nothing: dict[str, Any] = {"operations": []}
    best = max(applications, key=shared, default=nothing)
    stated = [o for o in best["operations"] if not is_documentation(o) and operation_key(o) not in uncounted]
    packages = frozenset(o["handler"].split(".")[0] for o in inside)

    def gather(operations: list[dict[str, Any]], subject: str) -> set[Key]:
        if subject == "routes":
            return {operation_key(o) for o in operations}
        if subject == "parameters":
            return set().union(*(parameter_keys(o) for o in operations))
        return set().union(*(guard_keys(o, packages) for o in operations))

    return [compare_keys(subject, gather(inside, subject), gather(stated, subject)) for subject in BARS]


def static_operations(path: Path) -> list[dict[str, Any]]:
    """The applications that ``architect map`` reads from source, each with its operations.

    Raises CheckoutError when the command fails or prints something else.
    """
    command = [sys.executable, "-m", "fastapi_architect", "map", str(path), "--format", "json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAP_SECONDS)
    try:
        applications = json.loads(answer.stdout)["applications"]
        return [
            {
                "name": application["name"],
                "operations": [
                    {
                        "method": method,
                        "path": operation["path"],
                        "handler": operation["handler"],
                        "parameters": operation["parameters"],
                        "dependencies": operation["dependencies"],
                    }
                    for operation in application["operations"]
                    for method in operation["methods"]
                ],
            }
            for application in applications
        ]
    except (ValueError, KeyError, TypeError) as error:
        reason = (answer.stderr.strip() or repr(error)).splitlines()[-1]
        raise CheckoutError(f"architect map {path} gave no usable answer ({reason})") from error


def report(name: str, comparisons: list[Comparison], show: bool) -> str:
    """The block that is printed for a project."""
    lines = [name]
    for c in comparisons:
        verdict = "ok" if c.passes else "BELOW THE BAR"
        lines.append(
            f"  {c.subject:11} recall {c.recall:.3f}  precision {c.precision:.3f}  "
            f"right {c.right:5}  missed {len(c.misses):4}  extra {len(c.extras):4}  {verdict}"
        )
        if show:
            lines += [f"    missed {' '.join(map(str, key))}" for key in c.misses]
            lines += [f"    extra  {' '.join(map(str, key))}" for key in c.extras]
    return "\n".join(lines)


def make_truth(project: Project, interpreter: Path, trees: Path) -> Path:
    """Runs the oracle on the exported tree in the project's own environment and stores its answer."""
    if project.accuracy is None:
        raise CheckoutError(f"{project.name}: projects.toml has no [project.accuracy]")
    how, tree = project.accuracy, trees / project.name
    for folder in how.folders:
        (tree / folder).mkdir(parents=True, exist_ok=True)
    command = [str(interpreter), str(HERE / "oracle.py"), how.application]
    command += ["--directory", str(tree / how.directory), "--root", str(tree)]
    for key, value in how.environment.items():
        command += ["--set", f"{key}={value}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MAP_SECONDS)
    if answer.returncode:
        raise CheckoutError(f"{project.name}: the application could not be imported:\n{answer.stderr}")
    document = {"project": project.name, "commit": project.commit, **json.loads(answer.stdout)}
    target = TRUTH / f"{project.name}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    return target


def measure(project: Project, trees: Path) -> list[Comparison]:
    """Compares the stored truth of a project with the answer for its exported tree."""
    assert project.accuracy is not None
    tree = trees / project.name / project.accuracy.map
    if not tree.is_dir():
        raise CheckoutError(f"no tree at {tree}; next: python ecosystem/checkout.py {project.name}")
    truth = json.loads((TRUTH / f"{project.name}.json").read_text("utf-8"))
    return compare(truth, static_operations(tree))


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when all bars are reached, 1 when not, 2 when something could not be compared."""
    parser = argparse.ArgumentParser(description="Compare the static answer with the imported applications.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--trees", type=Path, default=DEFAULT_WORK / "trees")
    parser.add_argument("--show", action="store_true", help="list misses and extras")
    parser.add_argument("--truth", metavar="NAME", help="make the truth of this project again")
    parser.add_argument("--interpreter", type=Path, help="Python of the project's own environment")
    options = parser.parse_args(arguments)
    try:
        if options.truth:
            if options.interpreter is None:
                parser.error("--truth needs --interpreter VENV/bin/python")
            project = select(load_projects(), [options.truth])[0]
            print(make_truth(project, options.interpreter, options.trees))
            return 0
        good = True
        for project in select(load_projects(), options.names):
            if project.accuracy is not None:
                comparisons = measure(project, options.trees)
                print(report(f"{project.name} ({project.style})", comparisons, options.show))
                good = good and all(c.passes for c in comparisons)
    except CheckoutError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
