"""Speed and memory of a review, against the floor, in one run.

    python benchmarks/run.py [--repeats 3] [--trees DIR] [--kloc 100] [--no-million] [--json FILE]

For each tree, interleaved in rounds: the floor (floor.py), a cold review in one and in two processes, a warm
one; then growth from the first generated tree to one of twice the size, CPU of each rule and of the questions
that rules share where the tool offers ``--profile-rules FILE``, peak memory on a million lines, and bandit and
ruff where they are installed.
CPU is user + system of the whole process tree with start-up; a ratio is the median of the ratios of single
rounds, so that a drift of the machine hits both sides. Exits 1 when a bar is missed, 2 when something could
not be measured.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ecosystem")]

from checkout import load_projects  # noqa: E402
from generate import write_tree  # noqa: E402
from measure import MeasurementError, Run, last_line, machine, measure  # noqa: E402

WORK = HERE.parent / ".work"
COLD_BAR, WALL_BAR, GROWTH_BAR, MEMORY_BAR, RULE_BAR = 3.0, 1.8, 2.2, 1_000_000_000, 0.01
WITH_FINDINGS = (0, 1)
REVIEW_SECONDS = 1800


@dataclass
class Tree:
    """A tree and what was measured on it, a list for each kind of run, in order of the rounds."""

    name: str
    path: Path
    generated: bool
    lines: int = 0
    findings: int = 0
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def add(self, kind: str, run: Run) -> None:
        """Records a run."""
        self.runs.setdefault(kind, []).append(run)

    def median(self, kind: str, what: str) -> float:
        """Median seconds of CPU or wall of a kind of run."""
        return float(statistics.median(getattr(run, what) for run in self.runs[kind]))

    def ratio(self, kind: str, what: str) -> float:
        """Median over the rounds of a kind of run divided by the floor of the same round."""
        pairs = zip(self.runs[kind], self.runs["floor"], strict=True)
        return float(statistics.median(getattr(run, what) / getattr(floor, what) for run, floor in pairs))


@dataclass(frozen=True)
class Bar:
    """A promise with the figure that was measured."""

    name: str
    figure: float
    limit: float
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the promise is kept."""
        return self.figure <= self.limit


def review_command(tree: Path, output: Path, jobs: int, *, cache: bool = False) -> list[str]:
    """The measured command line."""
    command = [sys.executable, "-m", "fastapi_architect", "review", str(tree)]
    command += ["--format", "json", "--output", str(output), "--jobs", str(jobs)]
    return command if cache else [*command, "--no-cache"]


def generator_version() -> str:
    """Changes when what is generated may change."""
    digest = hashlib.sha256()
    for name in ("core_files", "generate", "layer_templates", "layout", "resource_files", "statements"):
        digest.update((HERE / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def generated_tree(kloc: int, seed: int = 1) -> Tree:
    """A generated tree below .work, written unless the same one is there."""
    folder = WORK / "generated" / f"{kloc}k-{seed}-{generator_version()}"
    if not (folder / ".complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        write_tree(folder, kloc, seed)
        (folder / ".complete").touch()
    return Tree(f"generated {kloc}k", folder, generated=True)


def real_trees(trees: Path) -> list[Tree]:
    """The pinned trees of the speed set that are exported."""
    found = []
    for project in load_projects():
        if project.speed is None:
            continue
        path = trees / project.name / project.speed
        if path.is_dir():
            found.append(Tree(project.name, path, generated=False))
        else:
            print(f"not measured: {path} is missing; next: python ecosystem/checkout.py {project.name}")
    return found


def review(
    command: list[str], output: Path, *, environment: dict[str, str] | None = None, memory: bool = False
) -> Run:
    """Measures a review that must write its report. Raises MeasurementError when it does not."""
    output.unlink(missing_ok=True)
    run = measure(
        command, environment=environment, accepted=WITH_FINDINGS, memory=memory, timeout=REVIEW_SECONDS
    )
    if not output.is_file():
        raise MeasurementError(f"the review of {command[4]} wrote no report: {last_line(run.errors)}")
    return run


def compile_package() -> None:
    """Byte-code of the tool, as an installation leaves it behind. Raises MeasurementError."""
    found = importlib.util.find_spec("fastapi_architect")
    if found is None or not found.submodule_search_locations:
        message = "fastapi_architect is not installed; next: make install"
        raise MeasurementError(message)
    measure([sys.executable, "-m", "compileall", "-q", *found.submodule_search_locations])


def one_round(tree: Tree, scratch: Path) -> None:
    """Floor, cold with one and with two processes, warm."""
    output = scratch / "report.json"
    floor = measure([sys.executable, str(HERE / "floor.py"), str(tree.path)])
    tree.lines = json.loads(floor.output)["lines"]
    tree.add("floor", floor)
    for jobs in (1, 2):
        tree.add(f"cold {jobs}", review(review_command(tree.path, output, jobs), output))
    tree.findings = len(json.loads(output.read_text("utf-8")).get("findings", ()))
    cache = scratch / f"cache-{tree.name.replace(' ', '-')}"
    warm = review_command(tree.path, output, 1, cache=True)
    places = {"XDG_CACHE_HOME": str(cache)}
    if not cache.is_dir():
        cache.mkdir()
        review(warm, output, environment=places)
    tree.add("warm", review(warm, output, environment=places))


def other_tools(tree: Tree) -> dict[str, Run]:
    """bandit and ruff on the same tree, when they are installed."""
    found: dict[str, Run] = {}
    scratch = os.devnull
    if importlib.util.find_spec("bandit"):
        command = [sys.executable, "-m", "bandit", "-r", "-q", "-f", "json", "-o", scratch, str(tree.path)]
        found["bandit"] = measure(command, accepted=(0, 1))
    if importlib.util.find_spec("ruff"):
        command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--isolated", "--quiet"]
        command += ["--select", "S,B,ASYNC,FAST,PERF", "--output-format", "json", "--output-file", scratch]
        found["ruff"] = measure([*command, str(tree.path)], accepted=(0, 1))
    return found


def profile(tree: Tree, scratch: Path) -> dict[str, dict[str, float]]:
    """The tool's own profile; empty when it offers none.

    A JSON object whose ``rules`` maps the name of a rule to CPU seconds, and ``questions`` that of a question that
    several rules ask, worked out once: no rule is charged for it.
    """
    offered = measure([sys.executable, "-m", "fastapi_architect", "review", "--help"]).output
    if "--profile-rules" not in offered:
        return {}
    written = scratch / "rules.json"
    output = scratch / "report.json"
    review([*review_command(tree.path, output, 1), "--profile-rules", str(written)], output)
    return json.loads(written.read_text("utf-8"))


def print_dearest(seconds: dict[str, float], floor: float) -> None:
    """The ten dearest, a line each."""
    for name, spent in sorted(seconds.items(), key=lambda pair: -pair[1])[:10]:
        print(f"  {name:44}{spent:8.3f} s {100 * spent / floor:6.2f} % of the floor")


def table(trees: list[Tree]) -> str:
    """One line a tree: medians in seconds and ratios to the floor."""
    head = (
        f"{'tree':18}{'kLOC':>7}{'floor':>8}{'cold':>8}{'ratio':>7}{'2 wall':>8}{'ratio':>7}"
        f"{'2 cpu':>8}{'warm':>8}{'ratio':>7}{'findings':>10}"
    )
    return "\n".join([head, *map(table_line, trees)])


def table_line(tree: Tree) -> str:
    """The line of a tree."""
    return (
        f"{tree.name:18}{tree.lines / 1000:7.1f}{tree.median('floor', 'cpu'):8.2f}"
        f"{tree.median('cold 1', 'cpu'):8.2f}{tree.ratio('cold 1', 'cpu'):6.2f}x"
        f"{tree.median('cold 2', 'wall'):8.2f}{tree.ratio('cold 2', 'wall'):6.2f}x"
        f"{tree.median('cold 2', 'cpu'):8.2f}{tree.median('warm', 'cpu'):8.2f}"
        f"{tree.ratio('warm', 'cpu'):6.2f}x{tree.findings:10}"
    )


def growth(small: Tree, large: Tree) -> float:
    """CPU of the larger tree over the smaller, cold, per round; sizes are those asked for."""
    pairs = zip(large.runs["cold 1"], small.runs["cold 1"], strict=True)
    return statistics.median(b.cpu / a.cpu for b, a in pairs)


def bars(trees: list[Tree], small: Tree, large: Tree) -> list[Bar]:
    """The promises that these runs can judge."""
    judged = [tree for tree in trees if tree is not large]
    found = [Bar(f"cold CPU / floor, {t.name}", t.ratio("cold 1", "cpu"), COLD_BAR) for t in judged]
    found += [Bar(f"wall of 2 / floor, {t.name}", t.ratio("cold 2", "wall"), WALL_BAR) for t in judged]
    name = f"{large.name} / {small.name}"
    return [*found, Bar(name, growth(small, large), GROWTH_BAR)]


def million_lines(scratch: Path) -> Bar:
    """Peak memory of all processes together on a generated tree of a million lines."""
    tree = generated_tree(1000)
    output = scratch / "report.json"
    run = review(review_command(tree.path, output, 2), output, memory=True)
    if not run.peak:
        raise MeasurementError("peak memory can only be sampled where there is /proc; pass --no-million")
    print(f"1 MLOC with two processes: {run.wall:.1f} s wall, {run.cpu:.1f} s CPU")
    return Bar("peak memory, 1 MLOC, GB", run.peak / 1e9, MEMORY_BAR / 1e9, "GB")


def print_bars(found: list[Bar]) -> None:
    """A line a promise."""
    for bar in found:
        verdict = "met" if bar.met else "MISSED"
        print(f"{bar.name:44}{bar.figure:8.2f}{bar.unit:3} bar {bar.limit:.2f}{bar.unit:3} {verdict}")


def run(options: argparse.Namespace, scratch: Path) -> list[Bar]:
    """Measures everything and prints the tables; returns the bars."""
    small, large = generated_tree(options.kloc), generated_tree(2 * options.kloc)
    trees = [small, large, *real_trees(options.trees)]
    compile_package()
    for number in range(options.repeats):
        for tree in trees:
            one_round(tree, scratch)
        print(f"round {number + 1} of {options.repeats} done", file=sys.stderr)
    print(machine())
    print(table(trees))
    found = bars(trees, small, large)
    spent = profile(large, scratch)
    if spent:
        floor = large.median("floor", "cpu")
        for kind, seconds in spent.items():
            print(f"dearest {kind}:")
            print_dearest(seconds, floor)
        found.append(Bar("dearest rule / floor", max(spent["rules"].values()) / floor, RULE_BAR))
    else:
        print("rules: not measured, the tool offers no --profile-rules")
    for name, other in other_tools(small).items():
        ratio = other.cpu / small.median("floor", "cpu")
        print(f"{name} on {small.name}: {other.cpu:.2f} s CPU, {ratio:.2f}x the floor")
    if not options.no_million:
        found.append(million_lines(scratch))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure speed and memory of a review.")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kloc", type=int, default=100, help="size of the first generated tree")
    parser.add_argument("--trees", type=Path, default=WORK / "trees", help="exported projects")
    parser.add_argument("--no-million", action="store_true", help="leave out the million lines")
    parser.add_argument("--json", type=Path, help="write the bars to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        try:
            found = run(options, Path(scratch))
        except MeasurementError as error:
            print(f"could not be measured: {error}", file=sys.stderr)
            return 2
    print_bars(found)
    if options.json:
        rows = [{"bar": b.name, "figure": b.figure, "limit": b.limit, "met": b.met} for b in found]
        options.json.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    return 0 if all(bar.met for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
