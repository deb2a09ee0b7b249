"""A new project is clean, runs, and passes its own tests."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.builder.generated import check, make, processes_in, running

from fastapi_architect.__main__ import main
from fastapi_architect.builder.presets import PRESETS


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("new") / "shop", "minimal")


@pytest.fixture(scope="module")
def types_of_libraries(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where mypy keeps what it knows of the libraries that all projects share."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("new") / "shop", "saas")


@pytest.mark.parametrize("preset", PRESETS)
def test_it_is_formatted_and_clean(tmp_path: Path, preset: str) -> None:
    root = make(tmp_path / "shop", preset)

    check(root, "ruff", "format", "--check", "--no-cache", ".")
    check(root, "ruff", "check", "--no-cache", ".")


def test_the_example_keeps_organisations_apart_and_writes_once(
    tmp_path: Path, types_of_libraries: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make(tmp_path / "shop", "minimal", ["tenancy", "idempotency"])

    check(root, "mypy", "--cache-dir", types_of_libraries)
    check(root, "lint-imports", "--no-cache")
    main(["review", str(root), "--format", "json", "--no-cache"])
    assert json.loads(capsys.readouterr().out)["score"] == 100
    said = check(
        root,
        "pytest",
        "-p",
        "no:cacheprovider",
        "tests/notes",
        "tests/test_access.py",
        "tests/test_database.py",
    )
    assert re.search(r"\d+ passed", said)


def test_it_has_types_layers_and_no_weak_spots(everything: Path, types_of_libraries: str) -> None:
    check(everything, "mypy", "--cache-dir", types_of_libraries)
    check(everything, "lint-imports", "--no-cache")
    check(everything, "bandit", "-q", "-r", "-c", "pyproject.toml", "app", "migrations", "development.py")


def test_a_service_that_knows_the_web_framework_breaks_the_contract(tmp_path: Path) -> None:
    root = make(tmp_path / "shop", "minimal")
    service = root / "app/notes/service.py"
    service.write_text(
        service.read_text().replace("from sqlalchemy", "from fastapi import Request\nfrom sqlalchemy", 1)
    )

    with pytest.raises(AssertionError, match=r"app\.notes\.service -> fastapi"):
        check(root, "lint-imports", "--no-cache")


@pytest.mark.parametrize("preset", PRESETS)
def test_review_finds_nothing(tmp_path: Path, preset: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = make(tmp_path / "shop", preset)

    main(["review", str(root), "--format", "json", "--no-cache"])
    report = json.loads(capsys.readouterr().out)

    assert [(each["rule"], each["file"], each["issue"]) for each in report["findings"]] == []
    assert (report["score"], report["suppressed"]) == (100, [])


def test_one_command_runs_it_and_ctrl_c_ends_it(minimal: Path) -> None:
    with running(minimal) as first:
        assert first.url, first.said
        key = re.search(r"X-API-Key: (\S+)'", first.said)
        assert key, first.said
        assert call(first.url, "/health/ready")[0] == 200
        assert call(first.url, "/api/v1/notes")[0] == 401
        assert call(first.url, "/api/v1/notes", key[1], {"title": "kept"})[0] == 201

    assert first.process.returncode in (0, 130)
    assert "Traceback" not in first.said
    assert eventually_none(minimal)

    with running(minimal) as second:
        assert second.url, second.said
        status, body = call(second.url, "/api/v1/notes", key[1])

    assert (status, [note["title"] for note in body["items"]]) == (200, ["kept"])
    assert eventually_none(minimal)


@pytest.mark.parametrize("preset", [pytest.param("standard", marks=pytest.mark.matrix), "saas"])
def test_the_other_presets_run(tmp_path: Path, preset: str) -> None:
    root = make(tmp_path / "shop", preset)

    with running(root) as service:
        assert service.url, service.said
        assert call(service.url, "/health/ready")[0] == 200
        assert call(service.url, "/api/v1/notes")[0] == 401

    assert "Traceback" not in service.said
    assert eventually_none(root)


def test_its_own_tests_pass(minimal: Path) -> None:
    said = check(minimal, "pytest", "-p", "no:cacheprovider", "--ignore", "tests/components")

    assert re.search(r"\d+ passed", said)
    assert "skipped" not in said


def call(url: str, path: str, key: str = "", body: object = None) -> tuple[int, Any]:
    """Return status and answer."""
    headers = {"X-API-Key": key, "Content-Type": "application/json"} if key else {}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def eventually_none(root: Path) -> bool:
    """Whether no process of a project is left within seconds."""
    deadline = time.monotonic() + 20
    while left := processes_in(root):
        if time.monotonic() > deadline:
            raise AssertionError(left)
        time.sleep(0.2)
    return True
