"""The GitLab job, run line by line as a runner does, and the report that it leaves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.ci.blocks import ROOT, copied
from tests.report.test_gitlab import entries

TEMPLATE = yaml.safe_load((ROOT / "templates" / "gitlab-ci.yml").read_text("utf-8"))
JOB = TEMPLATE["architect-review"]
SLOW = """
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/orders")
async def list_orders() -> list[str]:
    time.sleep(1)
    return []
"""


def environment(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """Variables of the job, those of the project in them filled in, and what somebody who includes it sets."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in ("PATH", "PYTHONPATH") or key.startswith("PIP_")
    }
    own = {key: value.replace("$CI_PROJECT_DIR", str(folder)) for key, value in JOB["variables"].items()}
    return {
        **kept,
        **own,
        "HOME": str(folder.parent),
        "TMPDIR": str(folder.parent),
        "CI_PROJECT_DIR": str(folder),
        **variables,
    }


def run(folder: Path, lines: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """All lines in one shell that ends with the first failure, as GitLab's runner does."""
    script = "set -e\n" + "\n".join(lines)
    return subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=environment(folder, variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout beside an environment as `before_script` makes it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "main.py").write_text(SLOW)
    commands = tmp_path / "architect" / "bin"
    commands.mkdir(parents=True)
    (commands / "architect").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m fastapi_architect "$@"\n')
    (commands / "architect").chmod(0o755)
    return folder


def script() -> list[str]:
    return ['export ARCHITECT_HOME="${TMPDIR:-/tmp}/architect"', *JOB["script"]]


def test_the_job_fails_at_the_gate_and_leaves_its_reports(checkout: Path) -> None:
    done = run(checkout, script())
    assert done.returncode == 1, done.stderr
    assert "blocking-sleep-in-async" in done.stdout
    (entry,) = entries((checkout / JOB["artifacts"]["reports"]["codequality"]).read_text("utf-8"))
    assert (entry["check_name"], entry["location"]["lines"]["begin"]) == ("blocking-sleep-in-async", 11)
    for path in JOB["artifacts"]["paths"]:
        assert "blocking-sleep-in-async" in (checkout / path).read_text("utf-8")
    assert JOB["artifacts"]["when"] == "always"


def test_the_variables_do_what_the_page_says(checkout: Path) -> None:
    assert run(checkout, script(), ARCHITECT_GATE="critical").returncode == 0
    command = [sys.executable, "-m", "fastapi_architect", "review", "--write-baseline", "known.json"]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    assert run(checkout, script(), ARCHITECT_BASELINE="known.json").returncode == 0
    assert json.loads((checkout / "gl-code-quality-report.json").read_text()) == []
    (checkout / "backend").mkdir()
    (checkout / "main.py").rename(checkout / "backend" / "main.py")
    assert run(checkout, script(), ARCHITECT_PATH="backend").returncode == 1


@pytest.mark.parametrize(
    "text", ["$(touch pwned)", "`touch pwned`", "; touch pwned", '"; touch pwned; "', "--output=pwned"]
)
def test_variables_are_data(checkout: Path, text: str) -> None:
    for name in ("ARCHITECT_PATH", "ARCHITECT_GATE", "ARCHITECT_BASELINE"):
        assert run(checkout, script(), **{name: text}).returncode == 2
    assert not list(checkout.rglob("pwned*"))


def test_the_page_names_the_variables_and_the_job_that_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "gitlab.md").read_text("utf-8")
    own = {
        name for name in JOB["variables"] if name.startswith("ARCHITECT_") and name != "ARCHITECT_CACHE_DIR"
    }
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == own
    (block,) = copied("gitlab.md", ".gitlab-ci.yml")
    written = yaml.safe_load(block)
    assert set(written["architect-review"]["variables"]) <= own
    assert (ROOT / written["include"][0]["file"]).is_file()


@pytest.mark.matrix  # pip installs the package and the checker from a package index
def test_the_whole_job_from_the_installation_on_and_gitlabs_own_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "main.py").write_text(SLOW)
    (folder / "venv.py").write_text("raise SystemExit('imported')\n")
    lines = [line.replace("python -I", f"'{sys.executable}' -I") for line in JOB["before_script"]]
    done = run(folder, [*lines, *JOB["script"]], ARCHITECT_PACKAGE=str(ROOT))
    assert done.returncode == 1, done.stdout + done.stderr
    assert entries((folder / "gl-code-quality-report.json").read_text("utf-8"))
    tools = tmp_path / "tools" / "bin"
    subprocess.run([sys.executable, "-m", "venv", str(tools.parent)], check=True)
    subprocess.run(
        [str(tools / "python"), "-m", "pip", "install", "-q", "check-jsonschema==0.39.0"], check=True
    )
    command = [
        str(tools / "check-jsonschema"),
        "--builtin-schema",
        "vendor.gitlab-ci",
        "--data-transform",
        "gitlab-ci",
    ]
    done = subprocess.run(
        [*command, str(ROOT / "templates" / "gitlab-ci.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
