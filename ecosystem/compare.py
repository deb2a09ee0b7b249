"""What other checkers find of the flaws planted in `examples/bookshop_vulnerable`, and what they say about `examples/bookshop`.

    python ecosystem/compare.py
    python ecosystem/compare.py --semgrep ~/semgrep/bin/semgrep --semgrep-rules ~/semgrep-rules/python

A flaw counts as found when the tool says anything at all about its line: generous, as what it says is not judged. What it says
about other lines of the vulnerable shop is counted as elsewhere, and everything that it says about the clean shop as false
there. CPU is that of the process and all its children. bandit and ruff are those of the development group; semgrep needs a
place of its own (its packages do not agree with others') and a folder of rules, which are put into one JSON file first:
read as YAML they cost ten times as much, which would be no fair measure of the engine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fastapi_architect.findings.severity import Category
from fastapi_architect.rules.catalog import all_rules

ROOT = Path(__file__).parents[1]
VULNERABLE = ROOT / "examples" / "bookshop_vulnerable"
CLEAN = ROOT / "examples" / "bookshop"
MARKER = re.compile(r"#\s*finding:\s*([a-z0-9, -]+)")
#: ruff's families that speak of security, asynchronous code, FastAPI, likely bugs, performance, dates and exceptions.
RUFF = "S,ASYNC,FAST,B,PERF,DTZ,BLE,TRY,RUF006"

Place = tuple[str, int]


@dataclass(frozen=True)
class Flaw:
    """One planted flaw."""

    file: str
    line: int
    rule: str
    category: Category


@dataclass(frozen=True)
class Tool:
    """A checker, as it is run.

    Attributes:
        name: with its version.
        settings: what a reader would type.
        command: run in the reviewed folder, prints JSON.
        places: the report's places, by the document that was printed.
    """

    name: str
    settings: str
    command: tuple[str, ...]
    places: Callable[[Any], set[Place]]


@dataclass(frozen=True)
class Result:
    """What a tool says about a folder, and the CPU seconds it took."""

    places: set[Place]
    seconds: float


def planted() -> list[Flaw]:
    """Every marker of the vulnerable shop."""
    known = all_rules()
    found = []
    for path in sorted(VULNERABLE.rglob("*")):
        if path.suffix in {".py", ".txt"}:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                marker = MARKER.search(line)
                for rule in re.split(r"[,\s]+", marker[1].strip()) if marker else ():
                    name = path.relative_to(VULNERABLE).as_posix()
                    found.append(Flaw(name, number, rule, known[rule].info.category))
    return found


def tools(semgrep: Path | None, rules: Path | None, scratch: Path) -> list[Tool]:
    """The checkers that can be run here."""
    python = sys.executable
    made = [
        Tool(
            f"fastapi-architect {importlib.metadata.version('fastapi-architect')}",
            "`architect review`",
            (python, "-m", "fastapi_architect", "review", "--no-cache", "--format", "json"),
            lambda said: {(each["file"], each["line"]) for each in said["findings"]},
        ),
        Tool(
            f"bandit {importlib.metadata.version('bandit')}",
            "`bandit -r app migrations`",
            (python, "-m", "bandit", "-q", "-r", "-f", "json", "app", "migrations"),
            lambda said: {(_below(each["filename"]), each["line_number"]) for each in said["results"]},
        ),
        Tool(
            f"ruff {importlib.metadata.version('ruff')}",
            f"`ruff check --isolated --select {RUFF}`",
            (
                *(python, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", RUFF),
                *("--output-format", "json", "app", "migrations"),
            ),
            lambda said: {(_below(each["filename"]), each["location"]["row"]) for each in said},
        ),
    ]
    if semgrep is not None and rules is not None:
        file, number = _in_one_file(rules, scratch)
        version = subprocess.run([semgrep, "--version"], capture_output=True, text=True, check=True)
        made.append(
            Tool(
                f"semgrep {version.stdout.strip()}",
                f"`semgrep scan --config` with the {number} public rules for Python, in one file",
                (
                    *(str(semgrep), "scan", "--config", str(file), "--json", "--quiet", "--metrics", "off"),
                    *("--disable-version-check", "--no-git-ignore", "app", "migrations"),
                ),
                lambda said: {(_below(each["path"]), each["start"]["line"]) for each in said["results"]},
            )
        )
    return made


def _below(path: str) -> str:
    """The path below the reviewed folder, however the tool writes it."""
    text = Path(path).as_posix()
    for root in (VULNERABLE, CLEAN):
        text = text.removeprefix(f"{root.as_posix()}/")
    return text.removeprefix("./")


def _in_one_file(folder: Path, scratch: Path) -> tuple[Path, int]:
    rules: list[Any] = []
    for path in sorted(folder.rglob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(document, dict):
            rules += document.get("rules", [])
    file = scratch / "rules.json"
    file.write_text(json.dumps({"rules": rules}, default=str), encoding="utf-8")
    return file, len(rules)


def run(tool: Tool, folder: Path) -> Result:
    """Run one tool on one folder.

    Raises:
        RuntimeError: it printed no JSON.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(tool.command, cwd=folder, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        return Result(tool.places(json.loads(ran.stdout)), seconds)
    except json.JSONDecodeError as error:
        raise RuntimeError(f"{tool.name} printed no JSON: {ran.stderr[-2000:]}") from error


def table(made: list[Tool]) -> str:
    """The comparison as Markdown."""
    flaws = planted()
    lines_of_flaws = {(flaw.file, flaw.line) for flaw in flaws}
    results = [(tool, run(tool, VULNERABLE), run(tool, CLEAN)) for tool in made]
    categories: dict[Category, list[Flaw]] = defaultdict(list)
    for flaw in flaws:
        categories[flaw.category].append(flaw)
    out = [
        "| | " + " | ".join(tool.name for tool in made) + " |",
        "|---|" + "---|" * len(made),
        _row(f"found of {len(flaws)} planted", [str(_found(flaws, r)) for _, r, _ in results]),
    ]
    for category in Category:
        own = categories[category]
        out.append(
            _row(f"· {category.title} ({len(own)})", [str(_found(own, result)) for _, result, _ in results])
        )
    out += [
        _row("missed", [str(len(flaws) - _found(flaws, result)) for _, result, _ in results]),
        _row("says elsewhere", [str(len(result.places - lines_of_flaws)) for _, result, _ in results]),
        _row("says about the clean shop", [str(len(clean.places)) for _, _, clean in results]),
        _row("CPU seconds, vulnerable shop", [f"{result.seconds:.2f}" for _, result, _ in results]),
    ]
    return "\n".join([*out, "", "Settings: " + "; ".join(tool.settings for tool in made) + "."])


def _found(flaws: list[Flaw], result: Result) -> int:
    return sum((flaw.file, flaw.line) in result.places for flaw in flaws)


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--semgrep", type=Path, metavar="FILE", help="semgrep's command")
    parser.add_argument(
        "--semgrep-rules", type=Path, metavar="DIR", help="folder of rules, such as semgrep-rules/python"
    )
    given = parser.parse_args()
    if (given.semgrep is None) != (given.semgrep_rules is None):
        parser.error("--semgrep and --semgrep-rules belong together")
    with tempfile.TemporaryDirectory() as scratch:
        print(table(tools(given.semgrep, given.semgrep_rules, Path(scratch))))
    if given.semgrep is None:
        print("\nsemgrep was not run: name it by --semgrep and --semgrep-rules.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
