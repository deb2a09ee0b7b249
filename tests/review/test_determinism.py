"""Same input, same bytes out; only the time differs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "bookshop_vulnerable"


def starts(python: str) -> bool:
    """A version manager leaves a name on the path for interpreters that are not switched on."""
    return (
        shutil.which(python) is not None
        and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0
    )


NEWEST = next(filter(starts, ("python3.15", "python3.14", "python3.13", "python3.12")), None)


def report(
    cache: Path, *, seed: int = 0, jobs: int = 1, python: str = sys.executable, form: str = "json"
) -> str:
    """What a fresh process prints, time taken out."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "ARCHITECT_CACHE_DIR": str(cache)}
    command = [
        python,
        "-m",
        "fastapi_architect",
        "review",
        str(EXAMPLE),
        "--format",
        form,
        "--jobs",
        str(jobs),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    lines = [line for line in done.stdout.splitlines() if "review_time_ms" not in line]
    return "\n".join(lines)


def test_any_hash_seed_any_jobs_cold_or_warm_gives_the_same_bytes(tmp_path: Path) -> None:
    expected = report(tmp_path / "first")
    assert len(json.loads(expected)["findings"]) > 10

    for seed, jobs in product(range(5), (1, 2)):
        cache = tmp_path / f"{seed}-{jobs}"
        assert report(cache, seed=seed, jobs=jobs) == expected, f"cold, seed {seed}, {jobs} jobs"
        assert report(cache, seed=seed + 5, jobs=jobs) == expected, f"warm, seed {seed}, {jobs} jobs"


@pytest.mark.parametrize("form", ["text", "sarif", "html", "github"])
def test_every_format_is_deterministic(tmp_path: Path, form: str) -> None:
    assert report(tmp_path / "a", seed=1, form=form) == report(tmp_path / "b", seed=2, jobs=2, form=form)


@pytest.mark.matrix
@pytest.mark.skipif(NEWEST is None, reason="no newer Python on this machine")
def test_the_newest_python_finds_the_same(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([NEWEST, "-m", "venv", str(venv)], check=True)
    python = str(venv / "bin" / "python")
    requirements = ["--require-hashes", "-r", str(ROOT / "requirements" / "core.txt")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", str(ROOT)],
        check=True,
    )

    assert report(tmp_path / "new", python=python) == report(tmp_path / "old")
