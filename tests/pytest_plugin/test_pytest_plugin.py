"""`pytest --architect` in real sessions of their own: what fails, what is said, and that nothing is done unasked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VULNERABLE = ROOT / "examples" / "bookshop_vulnerable"
SLOW = """
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/orders")
async def list_orders() -> list[str]:
    time.sleep(1)
    return []
"""
TESTS = "def test_sum():\n    assert 1 + 1 == 2\n"
#: In every process of a session: who starts processes, and what is loaded at the end.
WATCH = """
import os, subprocess, sys
from pathlib import Path

run = subprocess.run

def noting(command, *arguments, **options):
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"run {command[-1]}\\n")
    return run(command, *arguments, **options)

subprocess.run = noting

def pytest_sessionfinish():
    loaded = sorted(name for name in sys.modules if name.startswith("fastapi_architect") or name == "msgspec")
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(f"loaded {' '.join(loaded)}\\n")
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one finding at the gate and one test, in an environment with our entry point."""
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    # The entry point as an installer writes it down, in case this environment was made before there was one.
    (declared,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][
        "pytest11"
    ].items()
    installed = tmp_path / "installed" / "architect_entry-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: architect-entry\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{declared[0]} = {declared[1]}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(installed.parent)]))
    project = tmp_path / "shop"
    (project / "tests").mkdir(parents=True)
    (project / "main.py").write_text(SLOW)
    (project / "tests" / "test_sum.py").write_text(TESTS)
    (project / "conftest.py").write_text(WATCH)
    (project / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return project


def session(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def notes(shop: Path) -> list[str]:
    return (shop.parent / "notes").read_text().splitlines()


def test_a_finding_at_the_gate_is_a_failed_test_with_what_to_do(shop: Path) -> None:
    done = session(shop, "--architect")
    assert done.returncode == 1, done.stderr
    assert "FAILED architect::blocking-sleep-in-async main.py:11" in done.stdout
    assert re.search(r"Fix +Await instead", done.stdout) or "await asyncio.sleep" in done.stdout
    assert "1 failed, 2 passed" in done.stdout  # the test itself, and the item of the review
    assert re.search(r"score \d+/100 \(\w\): 1 important", done.stdout)
    assert "session.py" not in done.stdout.partition("FAILURES")[2]  # no traceback of the plugin


def test_a_clean_backend_passes(shop: Path) -> None:
    (shop / "main.py").write_text(SLOW.replace("time.sleep(1)", "").replace("import time", ""))
    done = session(shop, "--architect", "-v")
    assert done.returncode == 0, done.stdout
    assert "architect::review PASSED" in done.stdout


def test_unasked_nothing_is_done_and_nothing_of_the_engine_is_loaded(shop: Path) -> None:
    done = session(shop)
    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert "architect" not in done.stdout.replace("fastapi-architect-", "").replace("architect-entry-", "")
    assert notes(shop) == [
        "loaded fastapi_architect fastapi_architect.pytest_plugin fastapi_architect.pytest_plugin.plugin"
    ]


def test_asked_the_engine_stays_in_a_process_of_its_own(shop: Path) -> None:
    session(shop, "--architect")
    started, loaded = notes(shop)
    assert started == "run fastapi_architect.pytest_plugin.reviewing"
    assert loaded == (
        "loaded fastapi_architect fastapi_architect.pytest_plugin fastapi_architect.pytest_plugin.plugin "
        "fastapi_architect.pytest_plugin.session"
    )


def test_with_xdist_the_review_is_made_once_and_each_finding_runs_once(shop: Path) -> None:
    done = session(shop, "--architect", "-n", "2", "-v")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 2 passed" in done.stdout
    assert (
        done.stdout.count("FAILED architect::blocking-sleep-in-async") == 2
    )  # where it ran, and in the summary
    assert [line for line in notes(shop) if line.endswith("reviewing")] == [
        "run fastapi_architect.pytest_plugin.reviewing"
    ]
    assert len([line for line in notes(shop) if line.startswith("loaded")]) == 3


def test_the_gate_is_the_options_or_the_configurations(shop: Path) -> None:
    assert session(shop, "--architect", "--architect-gate", "critical").returncode == 0
    (shop / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\narchitect_gate = "critical"\naddopts = "--architect"\n'
    )
    done = session(shop)
    assert done.returncode == 0
    assert "1 finding below the gate (critical): `architect review` shows them" in done.stdout
    assert session(shop, "--architect-gate", "important").returncode == 1
    (shop / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\n[tool.fastapi-architect]\ngate = "critical"\n'
    )
    assert session(shop, "--architect").returncode == 0


def test_what_the_baseline_knows_does_not_fail(shop: Path) -> None:
    command = [sys.executable, "-m", "fastapi_architect", "review", ".", "--write-baseline", "known.json"]
    subprocess.run(command, cwd=shop, check=True, capture_output=True)
    done = session(shop / "tests", "--architect", "--architect-baseline", "../known.json", "--rootdir", "..")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 finding known since the baseline" in done.stdout
    (shop / "pyproject.toml").write_text('[tool.pytest.ini_options]\narchitect_baseline = "known.json"\n')
    assert session(shop / "tests", "--architect").returncode == 0


def test_another_folder_may_be_the_backend(shop: Path) -> None:
    (shop / "pyproject.toml").write_text('[tool.pytest.ini_options]\narchitect_path = "backend"\n')
    (shop / "backend").mkdir()
    (shop / "main.py").rename(shop / "backend" / "main.py")
    done = session(shop, "--architect", "-q")
    assert "FAILED architect::blocking-sleep-in-async main.py:11" in done.stdout


def test_findings_are_chosen_and_listed_as_tests_are(shop: Path) -> None:
    assert (
        "architect::blocking-sleep-in-async main.py:11"
        in session(shop, "--architect", "--collect-only", "-q").stdout
    )
    assert session(shop, "--architect", "-k", "not blocking").returncode == 0
    only = session(shop, "--architect", "-k", "blocking")
    assert (only.returncode, "1 failed, 2 deselected" in only.stdout) == (1, True)


def test_junit_names_the_rule_the_place_and_the_weakness(shop: Path) -> None:
    session(shop, "--architect", "--junitxml", "out.xml", "-o", "junit_family=xunit1")
    cases = {case.get("name"): case for case in ET.parse(shop / "out.xml").iter("testcase")}
    case = cases["blocking-sleep-in-async main.py:11"]
    assert case.get("classname") == "architect"
    assert (case.get("file"), case.get("line")) == ("main.py", "10")  # pytest counts from 0
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert properties["severity"] == "important"
    assert properties["fingerprint"].startswith("v1:")
    (failure,) = case.iter("failure")
    assert "Why" in (failure.text or "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--architect", "--architect-gate=severe"), "'severe' is no gate; gates are critical"),
        (("--architect", "--architect-path=nowhere"), "nowhere"),
        (("--architect", "--architect-baseline=nowhere.json"), "nowhere.json"),
    ],
)
def test_a_mistake_ends_the_session_with_the_next_step(
    shop: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = session(shop, *arguments)
    assert done.returncode == 4
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_module_of_the_reviewed_tree_is_not_imported(shop: Path) -> None:
    (shop / "msgspec.py").write_text("raise SystemExit('imported')\n")
    assert "1 failed, 2 passed" in session(shop, "--architect").stdout


def test_it_can_be_switched_off(shop: Path) -> None:
    done = session(shop, "-p", "no:architect", "--architect")
    assert done.returncode == 4
    assert session(shop, "-p", "no:architect").returncode == 0


def test_names_of_reviewed_code_do_not_steer_the_terminal(shop: Path) -> None:
    (shop / "main.py").write_text(SLOW.replace('"/orders"', '"/\\x1b[2J\\u202eorders"'))
    done = session(shop, "--architect")
    assert done.returncode == 1
    assert "\x1b[2J" not in done.stdout
    assert "\u202e" not in done.stdout


def test_every_finding_at_the_gate_of_the_vulnerable_bookshop_is_one_item(shop: Path) -> None:
    from fastapi_architect.review.config import Config
    from fastapi_architect.review.pipeline import Request, review
    from fastapi_architect.review.selection import fails_gate

    expected = sum(fails_gate(each, Config()) for each in review(Request(VULNERABLE)).findings)
    done = session(shop, "--architect", f"--architect-path={VULNERABLE}", "--collect-only", "-q")
    listed = [line for line in done.stdout.splitlines() if line.startswith("architect::")]
    assert len(set(listed)) == len(listed) == expected + 1


def test_the_page_shows_what_happens(shop: Path, tmp_path: Path) -> None:
    from docs.commands import Scratch, pages

    scratch = Scratch(tmp_path / "reader")  # it keeps PYTHONPATH, and so our entry point
    scratch.follow(pages()["docs/how-to/pytest.md"])
