"""What a scan costs against a review of the same tree on the command line, in one run.

    python benchmarks/scan_cost.py [--kloc 50] [--repeats 5] [--trees DIR ...]

In rounds, interleaved: `architect review --no-cache` of the folder with one process and with two, and a scan of the same tree
as a .tar.gz: unpacking, the disposable child with its walls, the report checked by the parent. Start-up of a worker is not
counted (it serves thousands of scans), that of the child is. CPU is user + system of the whole process tree; a ratio is the
median of the ratios of single rounds. Exits 1 when the bar is missed, 2 when something could not be measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ecosystem")]

from measure import MeasurementError, Run, machine, measure  # noqa: E402
from run import Tree, compile_package, generated_tree, review, review_command  # noqa: E402

BAR = 1.3

#: A worker that has imported what it needs, and then scans as often as its argument says.
WORKER = """
import sys
from pathlib import Path
from fastapi_architect.secapi.archives import private_folder, unpack
from fastapi_architect.secapi.sandbox import review_root, roots_of

archive, base, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
for _ in range(times):
    with private_folder(base) as folder:
        unpacked = unpack(archive, folder)
        reviews = [review_root(unpacked, root, base=base) for root in roots_of(unpacked)]
print(sum(len(each.report["findings"]) for each in reviews) if times else 0)
"""


def packed(tree: Path, target: Path) -> Path:
    """The tree as an upload."""
    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        archive.add(tree, tree.name)
    return target


def scan(archive: Path, base: Path, times: int) -> Run:
    """A worker that scans an archive so often."""
    return measure([sys.executable, "-c", WORKER, str(archive), str(base), str(times)], timeout=1800)


def one_round(tree: Tree, archive: Path, scratch: Path) -> tuple[float, float, float]:
    """CPU of a scan, and of reviews with one process and with two."""
    output = scratch / "report.json"
    idle = scan(archive, scratch / "private", 0)
    worked = scan(archive, scratch / "private", 1)
    reviews = [review(review_command(tree.path, output, jobs), output) for jobs in (1, 2)]
    found = len(json.loads(output.read_text("utf-8"))["findings"])
    if int(worked.output) != found:
        raise MeasurementError(
            f"{tree.name}: the scan has {worked.output.strip()} findings, the review {found}"
        )
    return worked.cpu - idle.cpu, reviews[0].cpu, reviews[1].cpu


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure what a scan costs.")
    parser.add_argument("--kloc", type=int, default=50, help="size of the generated tree")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trees", type=Path, nargs="*", default=[], help="more folders")
    options = parser.parse_args(arguments)
    trees = [
        generated_tree(options.kloc),
        *(Tree(each.name, each, generated=False) for each in options.trees),
    ]
    missed = False
    try:
        compile_package()
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name)
            for tree in trees:
                archive = packed(tree.path, scratch / f"{tree.path.name}.tar.gz")
                rounds = [one_round(tree, archive, scratch) for _ in range(options.repeats)]
                scans, ones, twos = zip(*rounds, strict=True)
                one = statistics.median(a / b for a, b in zip(scans, ones, strict=True))
                two = statistics.median(a / b for a, b in zip(scans, twos, strict=True))
                missed |= max(one, two) > BAR
                print(
                    f"{tree.name}: scan {statistics.median(scans):.2f} s CPU, review with 1 process "
                    f"{statistics.median(ones):.2f} s ({one:.2f}x), with 2 {statistics.median(twos):.2f} s ({two:.2f}x), "
                    f"bar {BAR}x"
                )
    except MeasurementError as error:
        print(f"could not be measured: {error}", file=sys.stderr)
        return 2
    print(machine())
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
