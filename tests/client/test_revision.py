"""Whose findings these are: no request to merge is taken for the branch that it would be merged into."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fastapi_architect.__main__ import main
from fastapi_architect.client.revision import Revision, revision_of

SHA = "2f5a5ac0b1e94d0f8d1d2c2f0a4c7d8e9f001122"


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({"GITHUB_REF": "refs/heads/feature/x"}, "feature/x"),
        # Of a fork whose branch is called like ours.
        ({"GITHUB_REF": "refs/pull/7/merge", "GITHUB_HEAD_REF": "main"}, "pull/7"),
        ({"GITHUB_REF": "refs/tags/main"}, "tags/main"),
        ({"GITHUB_REF": ""}, None),
    ],
)
def test_github_says_which_branch(variables: dict[str, str], branch: str | None, tmp_path: Path) -> None:
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_SHA": SHA, **variables}
    assert revision_of(tmp_path, environment) == Revision(branch, SHA)


@pytest.mark.parametrize(
    ("variables", "branch"),
    [
        ({"CI_COMMIT_BRANCH": "main"}, "main"),
        ({"CI_MERGE_REQUEST_IID": "3", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "main"}, "merge-requests/3"),
        ({"CI_COMMIT_TAG": "v1"}, "tags/v1"),
    ],
)
def test_gitlab_says_which_branch(variables: dict[str, str], branch: str, tmp_path: Path) -> None:
    environment = {"GITLAB_CI": "true", "CI_COMMIT_SHA": SHA, **variables}
    assert revision_of(tmp_path, environment) == Revision(branch, SHA)


def test_git_is_asked_where_no_ci_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert revision_of(tmp_path, {}) == Revision()
    git("init", "-q", "-b", "trunk")
    assert revision_of(tmp_path, {}) == Revision("trunk", None)
    (tmp_path / "main.py").write_text("x = 1")
    git("add", ".")
    git("commit", "-qm", "x")
    commit = git("rev-parse", "HEAD")
    assert revision_of(tmp_path / "main.py", {}) == Revision("trunk", commit)
    git("checkout", "-q", "--detach")
    assert revision_of(tmp_path, {}) == Revision(None, commit)
    monkeypatch.setenv("ARCHITECT_TOKEN", "app_0123456789")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITLAB_CI", raising=False)

    # Taken for the project's default branch, its findings would replace those.
    assert main(["scan", str(tmp_path), "--server", "http://127.0.0.1:1"]) == 2
    assert "--branch" in capsys.readouterr().err
