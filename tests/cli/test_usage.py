"""Clumsy use gets one clear line that names the next step, exit code 2, and nothing is overwritten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
"""


def architect(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    environment = {**os.environ, "ARCHITECT_CACHE_DIR": str(cwd / ".cache-of-test")}
    command = [sys.executable, "-m", "fastapi_architect", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=120
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text(APP)
    return folder


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("reviw",), "architect review"),
        (("review", "nowhere"), "nowhere"),
        (("review", "--select", "sql-injektion"), "no rule"),
        (("review", "--format", "xml"), "sarif"),
        (("review", "--gate", "high"), "critical"),
        (("review", "--jobs", "0"), "--jobs"),
        (("review", "--baseline", "missing.json"), "missing.json"),
        (("review", "--config", "missing.toml"), "missing.toml"),
        (("review", "--changed-since", "main"), "git"),
        (("review", "--output", "no/such/folder/report.json"), "no/such/folder"),
        (("explain", "router-auth-outlyer"), "router-auth-outlier"),
        (("map", "--format", "svg"), "mermaid"),
        (("completion", "powershell"), "bash"),
    ],
)
def test_bad_usage_names_the_next_step_and_exits_with_2(
    project: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = architect(*arguments, cwd=project)

    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_unknown_configuration_key_suggests_the_nearest(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.fastapi-architect]\nignoer = ["security"]\n')

    done = architect("review", cwd=project)

    assert done.returncode == 2
    assert "ignore" in done.stderr


def test_a_project_fact_about_nothing_is_an_error(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.fastapi-architect.project]\nauthentication = ["main.curent_user"]\n'
    )

    done = architect("review", cwd=project)

    assert done.returncode == 2
    assert "main.curent_user" in done.stderr


def test_a_public_route_that_no_application_has_is_an_error(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.fastapi-architect.project]\npublic_routes = [{ route = "GET /helth", reason = "the balancer" }]\n'
    )

    done = architect("review", cwd=project)

    assert done.returncode == 2
    assert "'GET /helth'; did you mean 'GET /health'?" in done.stderr


def test_a_baseline_is_never_overwritten_unasked(project: Path) -> None:
    (project / "known.json").write_text("precious")

    done = architect("review", "--write-baseline", "known.json", cwd=project)

    assert done.returncode == 2
    assert "--replace" in done.stderr
    assert (project / "known.json").read_text() == "precious"


def test_a_damaged_baseline_is_an_error_and_left_alone(project: Path) -> None:
    (project / "known.json").write_text("{")

    done = architect("review", "--baseline", "known.json", cwd=project)

    assert done.returncode == 2
    assert "known.json" in done.stderr
    assert (project / "known.json").read_text() == "{"


def test_a_folder_without_python_says_so(tmp_path: Path) -> None:
    done = architect("review", str(tmp_path), cwd=tmp_path)

    assert done.returncode == 0
    assert "no Python file" in done.stdout


def test_code_without_fastapi_is_reviewed_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text("print('hello')\n")

    done = architect("review", cwd=tmp_path)

    assert done.returncode == 0
    assert "No FastAPI application" in done.stdout


def test_a_file_is_reported_alone_and_its_project_analysed(project: Path) -> None:
    (project / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    document = json.loads(architect("review", "main.py", "--format", "json", cwd=project).stdout)

    assert {finding["file"] for finding in document["findings"]} <= {"main.py"}


def test_help_lists_the_commands(project: Path) -> None:
    done = architect("--help", cwd=project)

    assert done.returncode == 0
    assert all(name in done.stdout for name in ("review", "map", "explain", "rules", "completion"))


def test_a_closed_pipe_is_no_fault(project: Path) -> None:
    command = f"{sys.executable} -m fastapi_architect rules | head -n 1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, cwd=project, check=False, timeout=60
    )

    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_a_device_is_written_to_and_never_replaced(project: Path) -> None:
    pipe = project / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    done = architect("review", "--format", "json", "--output", "pipe", cwd=project)
    text, _ = reader.communicate(timeout=30)

    assert done.returncode in (0, 1)
    assert json.loads(text)["agent"] == "backend-reviewer"
    assert pipe.is_fifo()


def test_a_link_stays_a_link_to_the_new_report(project: Path) -> None:
    (project / "kept.json").write_text("old")
    (project / "latest.json").symlink_to("kept.json")
    architect("review", "--format", "json", "--output", "latest.json", cwd=project)

    assert (project / "latest.json").is_symlink()
    assert json.loads((project / "kept.json").read_text())["agent"] == "backend-reviewer"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("review", "--formt", "json"), "architect: there is no option --formt; did you mean --format?"),
        (
            ("review", "my", "shop"),
            "architect: there is nothing at my, and the last commit has no such file; quote a path that holds spaces",
        ),
        (("review", ""), "architect: PATH: the path is empty; name one, or `.` for this folder"),
        (("review", "--jobs", "two"), "architect: --jobs/-j: 'two' is no number from 1 upwards"),
        (
            ("review", "--replace"),
            "architect: --replace belongs to --write-baseline; add that, or leave --replace out",
        ),
    ],
)
def test_a_mistyped_command_is_answered_with_one_line(
    project: Path, arguments: tuple[str, ...], line: str
) -> None:
    done = architect(*arguments, cwd=project)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


def test_no_command_shows_the_commands_there_are(project: Path) -> None:
    done = architect(cwd=project)

    assert done.returncode == 2
    assert "explain" in done.stderr


def test_a_profile_that_cannot_be_written_is_bad_usage_and_no_fault(project: Path) -> None:
    done = architect("review", "--profile-rules", "no/such/folder/times.json", cwd=project)

    assert done.returncode == 2
    assert "no/such/folder/times.json cannot be written" in done.stderr


def test_a_baseline_and_a_report_are_not_asked_for_at_once(project: Path) -> None:
    done = architect("review", "--write-baseline", "known.json", "--output", "report.txt", cwd=project)

    assert done.returncode == 2
    assert "--output" in done.stderr
    assert not (project / "known.json").exists()


def test_the_command_after_a_baseline_works_as_printed(project: Path) -> None:
    done = architect("review", "shop", "--write-baseline", "known.json", cwd=project.parent)
    command = done.stdout.split("`")[1]

    assert command == "architect review shop --baseline known.json"
    assert architect(*command.split()[1:], cwd=project.parent).returncode == 0


@pytest.mark.parametrize("command", [("rules",), ("explain", "blocking-http-in-async")])
def test_a_terminal_without_unicode_shows_escapes(project: Path, command: tuple[str, ...]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "fastapi_architect", *command],
        capture_output=True, text=True, cwd=project, env=environment, check=False, timeout=60,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2699" in done.stdout


def test_completion_knows_the_names_of_rules(project: Path) -> None:
    done = architect("completion", "bash", cwd=project)

    assert "router-auth-outlier" in done.stdout
