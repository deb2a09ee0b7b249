"""The project's own tests, by the project's own command, with limits."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from fastapi_architect.review.config import Config
from fastapi_architect.workbench import run_tests as module
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.run_tests import command_of, run_tests
from fastapi_architect.workbench.workspace import Workspace


@pytest.fixture
def project(folder: Path) -> Path:
    """A project whose tests are a script."""
    shop = folder / "shop"
    (shop / "pyproject.toml").write_text(
        f"[tool.fastapi-architect]\ntest_command = \"'{sys.executable}' check.py\"\n"
    )
    return shop


def ran(project: Path, script: str, **options: float) -> module.TestRun:
    """What comes of a script."""
    (project / "check.py").write_text(script)
    return run_tests(Workspace(project.parent, tests=True), "shop", **options)


def test_tests_that_pass_and_tests_that_fail(project: Path) -> None:
    passed = ran(project, "print('2 passed')")
    assert (passed.passed, passed.exit_code, passed.output, passed.folder) == (True, 0, "2 passed\n", "shop")
    assert passed.found == "test_command in pyproject.toml"
    assert passed.command == (Path(sys.executable).name, "check.py")
    failed = ran(project, "raise SystemExit('1 failed')")
    assert (failed.passed, failed.exit_code) == (False, 1)
    assert "1 failed" in failed.output


def test_they_run_only_where_that_is_allowed(project: Path) -> None:
    (project / "check.py").write_text("open('ran', 'w')")
    with pytest.raises(WorkbenchError, match="--allow-tests"):
        run_tests(Workspace(project.parent, writes=True), "shop")
    assert not (project / "ran").exists()


def test_what_takes_too_long_is_ended_with_all_that_it_has_started(project: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('child', 'w').write(str(child.pid))\n"
        "print('begun', flush=True)\n"
        "time.sleep(60)\n"
    )
    answer = ran(project, script, max_seconds=3.0)
    assert (answer.passed, answer.exit_code, answer.ended) == (False, None, "they took too long")
    assert answer.output == "begun\n"
    assert gone(int((project / "child").read_text()))


def gone(process: int) -> bool:
    """It has ended, within a while."""
    for _ in range(100):
        try:
            os.kill(process, 0)
            status = Path(f"/proc/{process}/stat")
            if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_only_the_end_of_much_output_is_told(project: Path) -> None:
    answer = ran(project, "print('x' * 1_000_000); print('1 failed'); raise SystemExit(1)")
    assert len(answer.output) == 20_000
    assert answer.output.endswith("1 failed\n")
    assert answer.left_out == 1_000_001 + 9 - 20_000


def test_endless_output_is_ended(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_OUTPUT", 1_000_000)
    answer = ran(project, "while True: print('x' * 1000)")
    assert (answer.passed, answer.ended) == (False, "they printed too much")


def test_our_own_secrets_are_not_theirs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_MCP_TOKEN", "a-token-of-the-server")
    monkeypatch.setenv("DATABASE_URL", "theirs")
    answer = ran(
        project, "import os; print(os.environ.get('ARCHITECT_MCP_TOKEN'), os.environ['DATABASE_URL'])"
    )
    assert answer.output == "None theirs\n"


def test_no_shell_reads_the_command(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        f"[tool.fastapi-architect]\ntest_command = \"'{sys.executable}' -c 'import sys; print(sys.argv[1:])' ; touch owned\"\n"
    )
    answer = run_tests(Workspace(project.parent, tests=True), "shop")
    assert answer.output == "[';', 'touch', 'owned']\n"
    assert not (project / "owned").exists()


def test_a_command_that_is_not_there_is_said(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.fastapi-architect]\ntest_command = "no-such-program"\n')
    with pytest.raises(WorkbenchError, match="no-such-program cannot be started"):
        run_tests(Workspace(project.parent, tests=True), "shop")


@pytest.mark.parametrize(
    ("files", "command", "found"),
    [
        (
            {"Makefile": "lint:\n\ttrue\ntest: lint ## all\n\tpytest\n"},
            "make test",
            "the target `test` of Makefile",
        ),
        ({"Makefile": "test := no\ntests:\n", "tests/test_a.py": ""}, "-m pytest", "pytest"),
        ({".venv/bin/python": "", "tests/test_a.py": ""}, ".venv/bin/python -m pytest", "pytest in .venv"),
        ({"test_a.py": ""}, "-m pytest", "pytest"),
    ],
)
def test_the_command_is_found_where_projects_have_it(
    tmp_path: Path, files: dict[str, str], command: str, found: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    words, folder, source = command_of(tmp_path, Config())
    assert " ".join(words).endswith(command)
    assert (folder, source) == (tmp_path, found)


def test_a_project_without_tests_is_told_how_to_name_them(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="test_command"):
        command_of(tmp_path, Config())
