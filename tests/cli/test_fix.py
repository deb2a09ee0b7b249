"""`architect fix` writes whole files or none, says what it did, and asks before it mixes with other work."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.cli.test_usage import architect

SLEEPY = """
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/wait")
async def wait() -> str:
    time.sleep(1)
    return "done"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text(SLEEPY)
    return folder


def git(folder: Path, *arguments: str) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_it_fixes_and_says_so(project: Path) -> None:
    done = architect("fix", "--rule", "blocking-sleep-in-async", cwd=project)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Fixed 1 finding in 1 file.\n  main.py:11 blocking-sleep-in-async: ")
    assert "await asyncio.sleep(1)" in (project / "main.py").read_text()
    assert [each.name for each in project.iterdir() if not each.name.startswith(".cache")] == ["main.py"]


def test_a_dry_run_prints_a_patch_that_git_takes_and_writes_nothing(project: Path) -> None:
    git(project, "init", "-q")
    (project / "main.py").write_bytes(SLEEPY.replace("\n", "\r\n").encode())
    done = architect("fix", "--dry-run", "--rule", "blocking-sleep-in-async", cwd=project)

    assert "Would fix 1 finding in 1 file." in done.stderr
    assert "time.sleep(1)\r\n" in (project / "main.py").read_bytes().decode()
    (project / "fix.patch").write_bytes(
        _bytes_of("fix", "--dry-run", "--rule", "blocking-sleep-in-async", cwd=project)
    )
    git(project, "apply", "fix.patch")
    assert b"await asyncio.sleep(1)\r\n" in (project / "main.py").read_bytes()


def _bytes_of(*arguments: str, cwd: Path) -> bytes:
    import sys

    return subprocess.run(
        [sys.executable, "-m", "fastapi_architect", *arguments], capture_output=True, cwd=cwd, check=False
    ).stdout


def test_changes_that_are_not_committed_are_refused(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", "main.py")
    git(project, "commit", "-q", "-m", "begin")
    (project / "main.py").write_text(SLEEPY + "\n# work\n")

    refused = architect("fix", cwd=project)
    assert refused.returncode == 2
    assert "main.py" in refused.stderr
    assert "--allow-dirty" in refused.stderr
    assert (project / "main.py").read_text() == SLEEPY + "\n# work\n"
    assert architect("fix", "--allow-dirty", cwd=project).returncode in (0, 1)
    assert "asyncio.sleep" in (project / "main.py").read_text()


def test_committed_work_and_notes_beside_it_are_no_hindrance(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", "main.py")
    git(project, "commit", "-q", "-m", "begin")
    (project / "notes.txt").write_text("to do")

    done = architect("fix", "--rule", "blocking-sleep-in-async", cwd=project)

    assert done.returncode == 0, done.stderr


def test_what_is_left_decides_the_exit_code(project: Path) -> None:
    bad = "\n\ndef pay(token: str) -> bool:\n    return eval(token)\n"
    (project / "main.py").write_text(
        SLEEPY
        + '\n\n@app.delete("/all")\ndef drop_everything() -> None:\n'
        + "    import httpx\n\n    httpx.get('https://example.org', verify=False, timeout=None)\n"
        + bad
    )

    done = architect("fix", cwd=project)
    left = json.loads(architect("review", "--format", "json", cwd=project).stdout)

    assert done.returncode == architect("review", cwd=project).returncode
    assert ("Left: " in done.stdout) == bool(left["findings"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("fix", "nowhere"), "nowhere"),
        (("fix", "--rule", "blocking-sleep"), "no rule 'blocking-sleep'"),
        (("fix", "--rule", "security"), "no rule 'security'"),
        (("fix", "--dry"), "--dry-run"),
    ],
)
def test_mistakes_name_the_next_step(project: Path, arguments: tuple[str, ...], named: str) -> None:
    done = architect(*arguments, cwd=project)

    assert done.returncode == 2, done.stdout
    assert named in done.stderr
    assert (project / "main.py").read_text() == SLEEPY


def test_a_folder_that_cannot_be_written_is_left_whole(project: Path) -> None:
    import os

    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    project.chmod(0o500)
    try:
        done = architect("fix", "--rule", "blocking-sleep-in-async", "--no-cache", cwd=project)
    finally:
        project.chmod(0o700)
    assert done.returncode == 2
    assert "no file was changed" in done.stderr
    assert (project / "main.py").read_text() == SLEEPY


def test_completion_knows_the_command(project: Path) -> None:
    script = architect("completion", "bash", cwd=project).stdout

    assert "--allow-contract-change" in script
