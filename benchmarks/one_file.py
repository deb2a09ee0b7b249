"""What the review of one changed file costs over MCP, against the floor, in one run; and whether it is right.

    python benchmarks/one_file.py [TREE ...] [--files 5] [--edits 3] [--compare N] [--json FILE]

The trees are a generated one of 100 kLOC, the pinned ones that are exported (see run.py) and those named. Of each, some
source files are taken by a seeded choice. For each file a copy of the tree is served by `architect mcp`, in a process
of its own and with an empty cache, to the SDK's client over standard input and output:

cold   the file is edited, the server is started and asked for the file's review: CPU of the server and its worker (user +
       system, with start-up and imports) until the answer is there. How much of that is the import of the MCP SDK is measured beside
       it, as a process that imports nothing else.
warm   the file is edited again and asked for again, in the same server: CPU that this request takes. Median of the edits.

The floor (floor.py) is measured in the same round; a ratio is the median of the ratios of single rounds. `--compare N`
measures nothing and compares: what the review of N files by themselves finds, and what a review of the whole tree finds
in them; half of these files have findings. Exits 1 when a bar is missed or a finding differs, 2 when something could
not be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from measure import MeasurementError, children_of, machine, measure, memory_of  # noqa: E402
from run import WORK, Bar, Tree, compile_package, generated_tree, print_bars, real_trees  # noqa: E402

COLD_BAR, WARM_BAR = 1.5, 1.0
_TICKS = os.sysconf("SC_CLK_TCK")
#: As the door imports it: the collector is off until the server runs.
_SDK = "import gc; gc.disable(); from mcp.server.mcpserver import MCPServer"


@dataclass
class Round:
    """Seconds of CPU of one file: the floor, the SDK's import, the first answer, each later one; bytes at the end."""

    path: str
    floor: float
    sdk: float
    cold: float
    warm: list[float] = field(default_factory=list)
    memory: int = 0
    read: str = ""


def cpu_of(processes: set[int]) -> float:
    """Seconds of CPU of processes and of those of their children that have ended."""
    return (
        sum(
            sum(map(int, Path(f"/proc/{each}/stat").read_text("ascii").rpartition(")")[2].split()[11:15]))
            for each in processes
        )
        / _TICKS
    )


def resident(processes: set[int]) -> int:
    """Bytes of memory of processes, shared pages counted once."""
    return sum(map(memory_of, processes))


def edit(path: Path, number: int) -> None:
    """Another function at the end of the file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef edited_{number}(value: int) -> int:\n    return value + {number}\n")


def files_of(tree: Path, count: int) -> list[str]:
    """A seeded choice of source files that define something."""
    from fastapi_architect.source.tree import SourceTree

    opened = SourceTree.open(tree)
    found = [
        path
        for path in opened.python_files
        if opened.kind_of(path) == "source" and _defines((tree / path).read_bytes())
    ]
    return random.Random(1).sample(found, min(count, len(found)))


def _defines(data: bytes) -> bool:
    return b"\ndef " in data or b"\nasync def " in data or b"\nclass " in data


def one_round(tree: Path, path: str, edits: int, scratch: Path) -> Round:
    """Measures the reviews of one file. Raises MeasurementError."""
    import anyio

    floor = measure([sys.executable, str(HERE / "floor.py"), str(tree)]).cpu
    sdk = measure([sys.executable, "-c", _SDK]).cpu
    served = Path(tempfile.mkdtemp(dir=scratch)) / tree.name
    shutil.copytree(tree, served, symlinks=True)
    found = Round(path, floor, sdk, 0.0)
    try:
        anyio.run(_talk, served, found, edits, scratch)
    finally:
        shutil.rmtree(served.parent)
    return found


async def _talk(served: Path, found: Round, edits: int, scratch: Path) -> None:
    from mcp import Client, StdioServerParameters, stdio_client

    cache = tempfile.mkdtemp(dir=scratch)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "fastapi_architect", "mcp", "--root", str(served)],
        env={**environment, "ARCHITECT_CACHE_DIR": cache},
    )
    edit(served / found.path, 0)
    before = set(children_of(os.getpid()))
    async with Client(stdio_client(parameters)) as client:
        found.read = await _review(client, found.path)
        server = set(children_of(os.getpid())) - before  # and the worker that it has started
        found.cold = cpu_of(server)
        for number in range(1, edits + 1):
            edit(served / found.path, number)
            started = cpu_of(server)
            await _review(client, found.path)
            found.warm.append(cpu_of(server) - started)
        found.memory = resident(server)


async def _review(client: Any, path: str) -> str:
    """Asks for a review of a file; how much was read for it."""
    answer = await client.call_tool("review", {"path": path})
    if answer.is_error:
        raise MeasurementError(f"the review of {path} failed: {answer.content}")
    return str(answer.structured_content["files"])


def bars(name: str, rounds: list[Round]) -> Iterator[Bar]:
    """The promises on one tree."""
    yield Bar(
        f"cold CPU / floor, {name}", statistics.median(each.cold / each.floor for each in rounds), COLD_BAR
    )
    yield Bar(
        f"cold CPU without the SDK's import / floor, {name}",
        statistics.median((each.cold - each.sdk) / each.floor for each in rounds),
        COLD_BAR,
    )
    yield Bar(
        f"warm CPU / floor, {name}",
        statistics.median(statistics.median(each.warm) / each.floor for each in rounds),
        WARM_BAR,
    )


def print_rounds(name: str, rounds: list[Round]) -> None:
    """A line a file."""
    print(f"{name:40}{'floor':>8}{'SDK':>8}{'cold':>8}{'warm':>8}{'MB':>6}{'files':>7}")
    for each in rounds:
        warm = statistics.median(each.warm)
        print(
            f"  {each.path[-37:]:38}{each.floor:8.2f}{each.sdk:8.2f}{each.cold:8.2f}{warm:8.2f}"
            f"{each.memory / 1e6:6.0f}{each.read:>7}"
        )


def compare(tree: Path, count: int) -> int:
    """Prints where the review of a file by itself differs from the whole one; how many files differ."""
    from msgspec.structs import replace

    from fastapi_architect.review import pipeline
    from fastapi_architect.review.config import load
    from fastapi_architect.review.one_file import NEED_EVERYTHING, review_file
    from fastapi_architect.review.remembered import Remembered
    from fastapi_architect.rules.catalog import all_rules

    config = load(tree, all_rules().values())
    request = pipeline.Request(tree, config, cache=False, within=tree, remembered=Remembered())
    whole = pipeline.review(request)
    found = {path: set() for path in files_of(tree, count)}
    holding = sorted({f.location.path for f in whole.findings if f.location.path.endswith(".py")})
    found |= {path: set() for path in random.Random(1).sample(holding, min(count, len(holding)))}
    for finding in whole.findings:
        if finding.location.path in found and finding.rule.name not in NEED_EVERYTHING:
            found[finding.location.path].add(replace(finding, fingerprint=""))
    different = 0
    lines = []
    for path, expected in sorted(found.items()):
        one = review_file(replace(request, path=tree / path))
        if one.root != tree:
            continue  # a project inside the project
        lines.append(one.lines / whole.lines)
        if set(one.findings) != expected:
            different += 1
            rules = sorted({f.rule.name for f in set(one.findings) ^ expected})
            print(f"  {tree.name}: {path} differs in {', '.join(rules)}")
    print(
        f"{tree.name}: {len(lines) - different} of {len(lines)} files as in the whole review; "
        f"{100 * statistics.median(lines):.0f} % of the lines were read (median)"
    )
    return different


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the review of one changed file over MCP.")
    parser.add_argument("named", nargs="*", type=Path, metavar="TREE", help="more trees")
    parser.add_argument("--files", type=int, default=5, help="files of each tree")
    parser.add_argument("--edits", type=int, default=3, help="warm reviews of each file")
    parser.add_argument("--kloc", type=int, default=100, help="size of the generated tree; 0 for none")
    parser.add_argument("--trees", type=Path, default=WORK / "trees", help="exported projects")
    parser.add_argument(
        "--compare", type=int, metavar="N", help="compare the findings of N files of each tree"
    )
    parser.add_argument("--json", type=Path, help="write the bars to this file")
    options = parser.parse_args(arguments)
    trees = [generated_tree(options.kloc)] if options.kloc else []
    trees += [
        *real_trees(options.trees),
        *(Tree(p.name, p.resolve(), generated=False) for p in options.named),
    ]
    if options.compare:
        return 1 if sum([compare(tree.path, options.compare) for tree in trees]) else 0
    found: list[Bar] = []
    with tempfile.TemporaryDirectory() as scratch:
        try:
            compile_package()
            for tree in trees:
                chosen = files_of(tree.path, options.files)
                rounds = [one_round(tree.path, path, options.edits, Path(scratch)) for path in chosen]
                print_rounds(tree.name, rounds)
                found += bars(tree.name, rounds)
        except MeasurementError as error:
            print(f"could not be measured: {error}", file=sys.stderr)
            return 2
    print(machine())
    print_bars(found)
    if options.json:
        rows = [{"bar": b.name, "figure": b.figure, "limit": b.limit, "met": b.met} for b in found]
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0 if all(bar.met for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
