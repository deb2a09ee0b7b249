"""The GitHub action, run step by step as a runner does: outputs, summary, exit codes, and hostile inputs that stay data."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.ci.blocks import ROOT, copied

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOWS = copied("github-actions.md", ".github/workflows/architect.yml")
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
SLOW = """
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/orders")
async def list_orders() -> list[str]:
    time.sleep(1)
    return []
"""


class Runner:
    """What GitHub's runner does with a composite action, as far as its documentation says."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "checkout"
        self.temp = folder / "temp"
        self.workspace.mkdir()
        self.temp.mkdir()
        self.summary = folder / "summary.md"
        self.outputs: dict[str, str] = {}

    def run(self, name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run one step."""
        step = STEPS[name]
        given = {key: each.get("default", "") for key, each in ACTION["inputs"].items()}
        given |= {key.replace("_", "-"): value for key, value in inputs.items()}
        values = {f"inputs.{key}": value for key, value in given.items()}
        values |= {f"steps.review.outputs.{key}": value for key, value in self.outputs.items()}
        values["github.action_path"] = str(ROOT)
        output = self.temp / "output"
        output.write_text("")
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "ARCHITECT_CACHE_DIR": str(self.temp / "cache"),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            **{
                key: value
                for key, value in os.environ.items()
                if key.startswith("PIP_") or key == "PYTHONPATH"
            },
            **{
                key: EXPRESSION.sub(lambda m: values.get(m[1], ""), str(value))
                for key, value in step["env"].items()
            },
        }
        assert step["shell"] == "bash"
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        done = subprocess.run(
            command, cwd=self.workspace, env=environment, capture_output=True, text=True, check=False
        )
        self.outputs |= dict(line.partition("=")[::2] for line in output.read_text().splitlines())
        return done


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner on which the step that installs has made its environment of this one."""
    made = Runner(tmp_path)
    commands = made.temp / "fastapi-architect" / "bin"
    commands.mkdir(parents=True)
    for name, words in {"python": '"$@"', "architect": '-P -m fastapi_architect "$@"'}.items():
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words}\n')
        (commands / name).chmod(0o755)
    (made.workspace / "main.py").write_text(SLOW)
    return made


def test_a_finding_at_the_gate_is_annotated_summed_up_and_fails_at_the_last_step(runner: Runner) -> None:
    done = runner.run("Review")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "::error file=main.py,line=11," in done.stdout
    assert runner.outputs["findings"] == "1"
    assert runner.outputs["failed"] == "true"
    assert 0 <= int(runner.outputs["score"]) < 100
    summary = runner.summary.read_text("utf-8")
    assert "blocking-sleep-in-async" in summary
    assert summary == Path(runner.outputs["markdown"]).read_text("utf-8")
    log = json.loads(Path(runner.outputs["sarif"]).read_text("utf-8"))
    assert [each["ruleId"] for each in log["runs"][0]["results"]] == ["blocking-sleep-in-async"]
    gate = runner.run("Gate")
    assert (gate.returncode, "see the summary" in gate.stdout) == (1, True)


def test_below_the_gate_the_job_passes(runner: Runner) -> None:
    assert runner.run("Review", gate="critical", annotations="false").returncode == 0
    assert (runner.outputs["findings"], runner.outputs["failed"]) == ("1", "false")
    assert runner.run("Gate").returncode == 0


def test_a_baseline_and_a_folder_may_be_given(runner: Runner) -> None:
    (runner.workspace / "backend").mkdir()
    (runner.workspace / "main.py").rename(runner.workspace / "backend" / "main.py")
    command = [
        sys.executable,
        "-m",
        "fastapi_architect",
        "review",
        "backend",
        "--write-baseline",
        "known.json",
    ]
    subprocess.run(command, cwd=runner.workspace, check=True, capture_output=True)
    assert runner.run("Review", path="backend", baseline="known.json").returncode == 0
    assert (runner.outputs["findings"], runner.outputs["failed"]) == ("0", "false")
    assert "known since the baseline" in runner.summary.read_text("utf-8")


def test_only_what_changed_since_a_revision_is_reported(runner: Runner) -> None:
    names = {
        f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=runner.workspace, check=True, env={**os.environ, **names})
    (runner.workspace / "more.py").write_text(SLOW)
    runner.run("Review", changed_since="HEAD")
    assert runner.outputs["findings"] == "1"
    assert "in what was changed" in runner.summary.read_text("utf-8")


def test_a_mistake_fails_at_once_and_names_the_next_step(runner: Runner) -> None:
    for inputs in (
        {"path": "nowhere"},
        {"gate": "severe"},
        {"changed_since": "no-such-branch"},
        {"baseline": "nowhere.json"},
    ):
        done = runner.run("Review", **inputs)
        assert done.returncode == 2, inputs
        assert "the review did not take place" in done.stdout
        assert "architect: " in done.stderr
        assert not runner.summary.exists()


@pytest.mark.parametrize(
    "text",
    [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned",
        "' touch pwned '",
        '"; touch pwned; "',
        "--output=pwned",
        "-h",
    ],
)
def test_inputs_are_data(runner: Runner, text: str) -> None:
    for name in ("path", "gate", "baseline", "changed_since"):
        done = runner.run("Review", **{name: text})
        assert done.returncode == 2, (name, done.stdout)
    runner.run("Review", annotations=text)
    runner.outputs["failed"] = text
    assert runner.run("Gate").returncode == 0
    assert not list(runner.workspace.rglob("pwned*"))


def test_modules_of_the_checkout_are_not_imported(runner: Runner) -> None:
    for name in ("json", "msgspec", "sys", "fastapi_architect", "venv", "pip", "argparse"):
        (runner.workspace / f"{name}.py").write_text("raise SystemExit('imported')\n")
    done = runner.run("Review")
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.outputs["failed"] == "true"


def test_no_expression_stands_in_a_script() -> None:
    for document in (ACTION, *map(yaml.safe_load, WORKFLOWS)):
        for script in _values(document, "run"):
            assert "${{" not in script


def test_what_others_made_is_pinned_by_its_hash() -> None:
    for document in (ACTION, *map(yaml.safe_load, WORKFLOWS)):
        for used in _values(document, "uses"):
            assert re.fullmatch(r"[\w<>/-]+@([0-9a-f]{40}|<commit>)", used), used


def test_the_page_names_the_inputs_and_outputs_that_there_are() -> None:
    page = (ROOT / "docs" / "how-to" / "github-actions.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([\w-]+)`", page, re.MULTILINE)) == set(ACTION["inputs"])
    for name in ACTION["outputs"]:
        assert f"`{name}`" in page
    for text in WORKFLOWS:
        (job,) = yaml.safe_load(text)["jobs"].values()
        for step in job["steps"]:
            if "fastapi-architect" in step.get("uses", ""):
                assert set(step["with"]) <= set(ACTION["inputs"])
        assert set(re.findall(r"steps\.architect\.outputs\.(\w+)", text)) <= set(ACTION["outputs"])


def test_the_action_says_of_each_input_what_it_is_and_each_output_comes_of_the_review() -> None:
    assert set(ACTION) == {"name", "description", "author", "branding", "inputs", "outputs", "runs"}
    for each in ACTION["inputs"].values():
        assert set(each) == {"description", "default"}
        assert isinstance(each["default"], str)
    for name, each in ACTION["outputs"].items():
        assert each["value"] == f"${{{{ steps.review.outputs.{name} }}}}"
    for step in ACTION["runs"]["steps"]:
        assert ("run" in step) == (step.get("shell") == "bash")


@pytest.mark.matrix  # pip installs from a package index
@pytest.mark.skipif(shutil.which("bash") is None, reason="a composite action needs bash")
def test_the_whole_action_from_the_installation_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    runner = Runner(tmp_path)
    (runner.workspace / "main.py").write_text(SLOW)
    (runner.workspace / "venv.py").write_text("raise SystemExit('imported')\n")
    done = runner.run("Install", python=sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.run("Review").returncode == 0
    assert runner.outputs["failed"] == "true"
    old = runner.temp / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = runner.run("Install", python=str(old))
    assert (refused.returncode, "Python 3.11 or newer is needed" in refused.stdout) == (2, True)


@pytest.mark.matrix  # pip installs the checkers from a package index
def test_githubs_own_schema_and_an_auditor_of_actions_accept_all_of_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "tools")], check=True)
    tools = tmp_path / "tools" / "bin"
    pip = [str(tools / "python"), "-m", "pip", "install", "-q", "check-jsonschema==0.39.0", "zizmor==1.32.0"]
    subprocess.run(pip, check=True, capture_output=True)
    files = {"vendor.github-actions": [ROOT / "action.yml"], "vendor.github-workflows": []}
    for number, text in enumerate(WORKFLOWS):
        file = tmp_path / ".github" / "workflows" / f"architect-{number}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("<owner>", "somebody").replace("<commit>", "1" * 40))
        files["vendor.github-workflows"].append(file)
    for schema, checked in files.items():
        command = [str(tools / "check-jsonschema"), "--builtin-schema", schema, *map(str, checked)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    command = [
        str(tools / "zizmor"),
        "--offline",
        *map(str, files["vendor.github-actions"] + files["vendor.github-workflows"]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _values(document: Any, key: str) -> list[str]:
    """Every value of a key, at any depth."""
    if isinstance(document, list):
        return [value for each in document for value in _values(each, key)]
    if not isinstance(document, dict):
        return []
    own = [document[key]] if isinstance(document.get(key), str) else []
    return own + [value for each in document.values() for value in _values(each, key)]


def test_the_checks_above_see_what_they_look_for() -> None:
    bad = yaml.safe_load(
        textwrap.dedent("""
            runs:
              steps:
                - run: echo ${{ inputs.path }}
                - uses: actions/checkout@v4
        """)
    )
    assert _values(bad, "run") == ["echo ${{ inputs.path }}"]
    assert _values(bad, "uses") == ["actions/checkout@v4"]
