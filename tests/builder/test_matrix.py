"""Combinations of components: every one added to `minimal`, and seeded random ones. The heavy part is marked `matrix`.

COMBINATIONS_SEED draws others.
"""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path

import pytest
from tests.builder.generated import check, make, running

from fastapi_architect.__main__ import main
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.builder.presets import PRESETS

SEED = int(os.environ.get("COMBINATIONS_SEED", "20261121"))
NAMES = tuple(load_catalog().components)


def combinations(count: int) -> list[tuple[str, ...]]:
    """Random sets of components; the same seed gives the same ones."""
    chance = random.Random(SEED)
    return [tuple(sorted(chance.sample(NAMES, chance.randint(1, len(NAMES) // 2)))) for _ in range(count)]


def check_everything(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Formatting, style, types, layers, weak spots, review; then the project's own tests, contract fuzz among them."""
    check(root, "ruff", "format", "--check", "--no-cache", ".")
    check(root, "ruff", "check", "--no-cache", ".")
    check(root, "mypy", "--cache-dir", str(root.parent / "mypy"))
    check(root, "lint-imports", "--no-cache")
    check(root, "bandit", "-q", "-r", "-c", "pyproject.toml", "app", "migrations", "development.py")
    main(["review", str(root), "--format", "json", "--no-cache"])
    report = json.loads(capsys.readouterr().out)
    assert [(each["rule"], each["file"], each["issue"]) for each in report["findings"]] == []
    assert report["score"] == 100
    said = check(root, "pytest", "-p", "no:cacheprovider", "--ignore", "tests/components", timeout=1200)
    assert re.search(r"\d+ passed", said)


def test_one_random_combination_runs(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", "minimal", combinations(1)[0])

    with running(root) as service:
        assert service.url, service.said
    assert "Traceback" not in service.said


@pytest.mark.matrix
@pytest.mark.parametrize("name", NAMES)
def test_each_component_fits_to_minimal(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_everything(make(tmp_path / "shop", "minimal", [name]), capsys)


@pytest.mark.matrix
@pytest.mark.parametrize("names", combinations(20), ids=lambda names: "+".join(names)[:60])
def test_random_combinations_fit(
    tmp_path: Path, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    root = make(tmp_path / "shop", "minimal", names)

    check_everything(root, capsys)
    with running(root) as service:
        assert service.url, service.said


@pytest.mark.matrix
def test_what_is_added_later_runs_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "x")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "x@example.com")
    root = tmp_path / "shop"
    assert main(["new", "shop", "--yes", "--git", "--path", str(root)]) == 0
    assert main(["add", "cache", "accounts", "--yes", "--path", str(root)]) == 0
    capsys.readouterr()

    check_everything(root, capsys)
    with running(root) as service:
        assert service.url, service.said
        assert "developer@example.com" in service.said


@pytest.mark.matrix
@pytest.mark.parametrize("preset", PRESETS)
def test_the_copied_tests_pass_in_the_copy(tmp_path: Path, preset: str) -> None:
    root = make(tmp_path / "shop", preset)

    said = check(root, "pytest", "-p", "no:cacheprovider", "tests/components", timeout=3600)
    assert re.search(r"\d+ passed", said)
