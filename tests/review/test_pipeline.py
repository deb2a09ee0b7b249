"""What a review reports, leaves out and says besides, on projects as small as the promise."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.cli.review import run
from fastapi_architect.findings import baseline as baselines
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Severity
from fastapi_architect.review import changes, pipeline
from fastapi_architect.review.config import Config, PathSettings
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.result import Review
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.rules.kit import Rule

RULE = "sql-injection-raw-statement"
ONLY = Config(select=(RULE,))
IMPORTS = "from fastapi import FastAPI\nfrom sqlalchemy import text\nfrom sqlalchemy.orm import Session\n\n"
APP = IMPORTS + "app = FastAPI()\n"


def flawed(name: str) -> str:
    """An operation with one SQL injection, on its third line."""
    return (
        f'\n@app.get("/{name}")\ndef {name}(session: Session, q: str):\n'
        f"    return session.execute(text(f\"SELECT '{{q}}'\"))\n"
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text(APP + flawed("one") + flawed("two"))
    return folder


def places(result: Review) -> list[tuple[str, int]]:
    return [(f.location.path, f.location.line) for f in result.findings]


# ── lines changed since a revision ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def repository(project: Path) -> Path:
    git(project, "init", "-q", "-b", "main")
    (project / "old name.py").write_text(APP + flawed("three"))
    (project / 'quoted "é\\\t.py').write_text(APP + flawed("four"))
    (project / "ignored.py").write_text(APP + flawed("five"))
    (project / ".gitignore").write_text("ignored.py\n")
    git(project, "add", ".")
    git(project, "commit", "-qm", "First")
    return project


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, env=environment, timeout=60)


def since(folder: Path, revision: str = "HEAD") -> list[tuple[str, int]]:
    return places(review(Request(folder, ONLY, changed_since=revision)))


def test_without_changes_nothing_is_reported(repository: Path) -> None:
    result = review(Request(repository, ONLY, changed_since="HEAD"))
    assert (places(result), result.left_out) == ([], {"unchanged lines": 4})


def test_a_changed_line_alone_is_reported(repository: Path) -> None:
    text = (repository / "main.py").read_text()
    (repository / "main.py").write_text(text.replace("'{q}'\"))", "'{q}' \"))", 1))
    assert since(repository) == [("main.py", 9)]


def test_renamed_and_untracked_files_count_as_changed(repository: Path) -> None:
    git(repository, "mv", "old name.py", "new name.py")
    (repository / "untracked.py").write_text(APP + flawed("six"))
    assert since(repository) == [("new name.py", 9), ("untracked.py", 9)]


def test_names_that_git_quotes_are_found(repository: Path) -> None:
    file = repository / 'quoted "é\\\t.py'
    file.write_text(file.read_text().replace("'{q}'", "'{q}' "))
    assert since(repository) == [(file.name, 9)]


def test_a_changed_line_that_reads_like_a_header_hides_nothing(repository: Path) -> None:
    text = (repository / "main.py").read_text()
    hiding = 'note = """\n++ b/elsewhere.py\n"""\n'
    (repository / "main.py").write_text(APP + hiding + text.removeprefix(APP).replace("'{q}'", "'{q}' "))
    assert since(repository) == [("main.py", 12), ("main.py", 16)]


def test_the_configuration_of_the_repository_changes_nothing(repository: Path) -> None:
    git(repository, "config", "diff.mnemonicPrefix", "true")
    git(repository, "config", "diff.noprefix", "true")
    git(repository, "config", "core.fsmonitor", "touch started; false")
    (repository / ".gitattributes").write_text("*.py -diff\n")
    text = (repository / "main.py").read_text()
    (repository / "main.py").write_text(text.replace("'{q}'", "'{q}' "))
    assert since(repository) == [("main.py", 9), ("main.py", 13)]
    assert not (repository / "started").exists()


def test_a_folder_of_a_repository_is_compared_as_such(repository: Path) -> None:
    (repository / "inner").mkdir()
    (repository / "inner" / "more.py").write_text(APP + flawed("seven"))
    assert since(repository / "inner") == [("more.py", 9)]
    git(repository, "add", ".")
    assert since(repository / "inner") == [("more.py", 9)]


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", ""])
def test_no_revision_is_an_error_that_names_the_next_step(repository: Path, revision: str) -> None:
    with pytest.raises(changes.ChangesError, match=r"name|fetch"):
        changes.changed_lines(repository, revision)


# ── baseline, suppressions, one file, exclusions, gates ──────────────────────────────────────────────────────────


def test_a_baseline_knows_the_old_and_reports_the_new(project: Path, tmp_path: Path) -> None:
    first = review(Request(project, ONLY))
    file = tmp_path / "baseline.json"
    baselines.write(file, baselines.baseline_of(first.findings, first.units))
    assert places(review(Request(project, ONLY, baseline=baselines.read(file)))) == []

    text = (project / "main.py").read_text()
    (project / "main.py").write_text("# moved by a line\n" + text + flawed("three"))
    second = review(Request(project, ONLY, baseline=baselines.read(file)))
    assert places(second) == [("main.py", 18)]
    assert [s.by for s in second.suppressed] == ["baseline", "baseline"]


def test_what_a_baseline_knows_and_is_no_longer_found_is_said(project: Path) -> None:
    known = baselines.baseline_of(review(Request(project, ONLY)).findings)
    silenced = flawed("one").rstrip() + f"  # architect: allow({RULE}): a report of our own\n"
    (project / "main.py").write_text(APP + silenced)

    whole = review(Request(project, ONLY, baseline=known))
    part = review(Request(project, ONLY, baseline=known, files=frozenset({"main.py"})))
    others = review(Request(project, Config(select=("blocking-sleep-in-async",)), baseline=known))

    (note,) = [each for each in whole.notes if "baseline" in each]
    assert f"{RULE} at main.py:13 is no longer found" in note
    assert "--write-baseline FILE --replace" in note
    assert not [each for each in (*part.notes, *others.notes) if "baseline" in each]


def test_a_suppression_silences_its_line_and_mistakes_are_said(project: Path) -> None:
    text = (project / "main.py").read_text().splitlines()
    text[8] += f"  # architect: allow({RULE}): a report of our own"
    text[12] += "  # architect: allow(sql-injektion): typed wrong"
    text.append(f"x = 1  # architect: allow({RULE}): nothing here")
    (project / "main.py").write_text("\n".join(text) + "\n")
    result = review(Request(project, ONLY))
    assert places(result) == [("main.py", 13)]
    assert [s.by for s in result.suppressed] == ["comment"]
    assert [note.partition(": ")[0] for note in result.notes] == ["main.py:13", "main.py:14"]


def test_a_suppression_stands_behind_the_comment_of_another_tool(project: Path) -> None:
    text = (project / "main.py").read_text().splitlines()
    text[8] += f"  # noqa: S608  # architect: allow({RULE}): a report of our own"
    (project / "main.py").write_text("\n".join(text) + "\n")
    result = review(Request(project, ONLY))
    assert places(result) == [("main.py", 13)]
    assert result.notes == ()


def test_the_checklist_speaks_of_the_project_when_one_file_is_reported(project: Path) -> None:
    (project / "requirements.txt").write_text("fastapi\n")
    (project / "clean.py").write_text("x = 1\n")
    result = review(Request(project / "clean.py", ONLY))
    [item] = [item for item in result.checklist if item.title == "Queries are parameterised"]
    assert (item.verdict, item.note) == ("fail", "2 findings not reported here")


def test_one_file_is_reported_with_the_whole_project_known(project: Path) -> None:
    (project / "requirements.txt").write_text("fastapi\n")
    (project / "other.py").write_text(APP + flawed("three"))
    result = review(Request(project / "other.py", ONLY))
    assert (places(result), result.left_out) == ([("other.py", 9)], {"other files": 2})
    assert result.files == 2


def test_applications_of_several_roots_are_reported_apart(project: Path) -> None:
    for name in ("shop", "billing"):
        (project / name / "app").mkdir(parents=True)
        (project / name / "app" / "__init__.py").write_text("")
        (project / name / "app" / "main.py").write_text("from app.api import app\n")
        (project / name / "app" / "api.py").write_text(APP + flawed(name))
    (project / "main.py").unlink()
    result = review(Request(project, ONLY))
    assert [(a.root, a.operations) for a in result.applications] == [
        ("billing/app/api.py", 1),
        ("shop/app/api.py", 1),
    ]
    assert [f.routes for f in result.findings] == [("GET /billing",), ("GET /shop",)]


def test_what_is_excluded_is_not_read(project: Path) -> None:
    (project / "generated").mkdir()
    (project / "generated" / "api.py").write_text(APP + flawed("three"))
    result = review(Request(project, replace(ONLY, exclude=("generated/",))))
    assert (places(result), result.files) == ([("main.py", 9), ("main.py", 13)], 1)


@pytest.mark.parametrize(
    ("pattern", "gate", "failed"),
    [("main.py", "none", False), ("legacy/**", "none", True), ("main.py", None, True)],
)
def test_a_gate_of_a_path_goes_before_that_of_the_project(
    project: Path, pattern: str, gate: str | None, failed: bool
) -> None:
    config = replace(ONLY, per_path=(PathSettings(pattern, gate=gate),))
    assert review(Request(project, config)).failed is failed


def test_findings_in_code_of_others_are_counted_and_left_out(project: Path) -> None:
    (project / "client.py").write_text("# @generated\n" + APP + flawed("three"))
    result = review(Request(project, ONLY))
    assert (places(result), result.left_out) == ([("main.py", 9), ("main.py", 13)], {"generated": 1})


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_that_raises_costs_only_its_own_findings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Rule("fastapi_architect.rules.code_quality.broken", "Broken", Severity.MINOR)

    @broken.check(per=PathOperation)
    def _check(unit: PathOperation, _graph: AppGraph) -> Iterator[Finding]:
        if unit.path == "/one":
            message = "a fault of ours"
            raise RuntimeError(message)
        yield broken.at(unit, "found although another unit failed")

    monkeypatch.setattr(pipeline, "all_rules", lambda: {"broken": broken, RULE: all_rules()[RULE]})
    result = review(Request(project, Config(select=(RULE, "broken"))))
    assert sorted(f.rule.name for f in result.findings) == ["broken", RULE, RULE]
    assert [str(fault) for fault in result.faults] == ["the rule broken failed on PathOperation GET /one"]


def test_a_fault_is_exit_code_3_and_the_report_is_written_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = Rule("fastapi_architect.rules.code_quality.broken", "Broken", Severity.MINOR)
    broken.check(per=AppGraph)(lambda _unit, _graph: 1 // 0)
    monkeypatch.setattr(pipeline, "all_rules", lambda: {"broken": broken, RULE: all_rules()[RULE]})
    assert run([str(project), "--format", "json", "--select", RULE]) == 1
    capfd.readouterr()

    assert run([str(project), "--format", "json"]) == 3
    output = capfd.readouterr()
    assert len(json.loads(output.out)["findings"]) == 2
    assert "the rule broken failed on AppGraph" in output.err
