"""The speed measurement, on small commands and on a stand-in for the reviewer."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "ecosystem")]

import run as bench  # noqa: E402
from measure import MeasurementError, Run, measure  # noqa: E402

BURN = "import time\nwhile time.process_time() < {}: pass\n"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_cpu_counts_the_children_of_the_command_too() -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(0.3)!r}])"
    assert measure(python(code)).cpu > 0.3


def test_waiting_costs_wall_but_no_cpu() -> None:
    result = measure(python("import time; time.sleep(0.5)"))
    assert result.wall > 0.5
    assert result.cpu < 0.4


def test_peak_memory_is_of_all_processes_together() -> None:
    hold = "block = bytearray(60_000_000)\nimport time\ntime.sleep(0.6)"
    start = f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {hold!r}])"
    code = f"{start}\n{hold}\nchild.wait()"
    assert measure(python(code), memory=True).peak > 120_000_000


def test_a_failing_command_is_reported_with_its_last_line() -> None:
    with pytest.raises(MeasurementError, match="ended with 3: no such tree"):
        measure(python("import sys; print('no such tree', file=sys.stderr); sys.exit(3)"))


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(MeasurementError, match="ended with -9"):
        measure(python("import time; time.sleep(60)"), timeout=0.3)


def test_a_ratio_is_the_median_of_the_ratios_of_single_rounds() -> None:
    tree = bench.Tree("t", Path(), generated=True)
    for floor, cold in ((1.0, 2.0), (2.0, 4.2), (1.0, 9.0)):  # the machine was slower in round two
        tree.add("floor", Run(floor, floor, ""))
        tree.add("cold 1", Run(cold, cold, ""))
    assert tree.ratio("cold 1", "cpu") == pytest.approx(2.1)


@pytest.mark.parametrize(("figure", "met"), [(2.99, True), (3.0, True), (3.01, False)])
def test_a_bar_is_met_up_to_its_limit(figure: float, met: bool) -> None:
    assert bench.Bar("cold", figure, 3.0).met is met


def test_the_floor_counts_lines_and_files_that_do_not_parse(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("a = 1\nb = 2\n")
    (tmp_path / "bad.py").write_text("def (\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "skipped.py").write_text("c = 3\n")
    command = [sys.executable, str(ROOT / "benchmarks" / "floor.py"), str(tmp_path)]
    answer = bench.json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (answer["files"], answer["lines"], answer["failed"]) == (2, 3, 1)


REVIEWER = """
import ast, json, pathlib, sys
if "--help" in sys.argv:
    print("--profile-rules FILE")
    sys.exit()
for path in pathlib.Path(sys.argv[2]).rglob("*.py"):
    ast.parse(path.read_bytes())
options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
pathlib.Path(options["--output"]).write_text('{"findings": [{}, {}]}')
if "--profile-rules" in sys.argv:
    pathlib.Path(sys.argv[-1]).write_text('{"rules": {"slow-rule": 0.5, "quick-rule": 0.0}}')
sys.exit(1)
"""


@pytest.fixture
def reviewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same name that only parses, found first."""
    package = tmp_path / "stand_in" / "fastapi_architect"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(REVIEWER)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(bench, "WORK", tmp_path / "work")
    monkeypatch.setattr(bench, "other_tools", lambda tree: {})
    return package


def options(tmp_path: Path) -> argparse.Namespace:
    return argparse.Namespace(kloc=3, repeats=2, trees=tmp_path / "none", no_million=True)


def test_a_whole_run_judges_every_bar_it_measures(
    reviewer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {bar.name: bar for bar in bench.run(options(tmp_path), tmp_path)}
    printed = capsys.readouterr().out
    assert list(found) == [
        "cold CPU / floor, generated 3k",
        "wall of 2 / floor, generated 3k",
        "generated 6k / generated 3k",
        "dearest rule / floor",
    ]
    assert found["cold CPU / floor, generated 3k"].figure > 0.5
    assert found["dearest rule / floor"].met is False
    assert "not measured:" in printed
    assert "slow-rule" in printed


def test_a_review_that_writes_no_report_is_not_a_fast_one(reviewer: Path, tmp_path: Path) -> None:
    (reviewer / "__main__.py").write_text("import sys; sys.exit('cannot start')")
    with pytest.raises(MeasurementError, match="wrote no report: cannot start"):
        bench.run(options(tmp_path), tmp_path)
