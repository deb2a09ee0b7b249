"""The hooks in the hands of pre-commit itself: what a commit is told, and what stops it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from tests.ci.blocks import ROOT, copied

SLOW = """
    import time

    from fastapi import FastAPI

    app = FastAPI()


    @app.get("/orders")
    async def list_orders() -> list[str]:
        time.sleep(1)
        return []
"""
FOUND = "main.py:11:5: important blocking-sleep-in-async"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own for git, pre-commit and the cache of parsed files."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    settings |= {
        f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    settings |= {
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "ARCHITECT_CACHE_DIR": str(tmp_path / "cache"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)


def repository(folder: Path) -> str:
    """Make a folder a repository with everything committed; its revision."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD").stdout.strip()


@pytest.fixture
def hooks(home: Path) -> tuple[Path, str]:
    """A repository with our hooks, which run the `architect` of this environment instead of installing one."""
    folder = home / "hooks"
    folder.mkdir()
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    assert text.count("language: python") == 2
    (folder / ".pre-commit-hooks.yaml").write_text(text.replace("language: python", "language: system"))
    return folder, repository(folder)


@pytest.fixture
def shop(home: Path, hooks: tuple[Path, str]) -> Path:
    """A project in which somebody copied the first block of the page, and installed the hook."""
    return project(home / "shop", *hooks, copied("pre-commit.md", ".pre-commit-config.yaml")[0])


def project(folder: Path, hooks: Path, revision: str, block: str) -> Path:
    folder.mkdir()
    (folder / "main.py").write_text(textwrap.dedent(SLOW))
    (folder / "other.py").write_text(textwrap.dedent(SLOW))
    (folder / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (folder / ".pre-commit-config.yaml").write_text(
        block.replace("<repository>", str(hooks)).replace("<revision>", revision)
    )
    repository(folder)
    subprocess.run(["pre-commit", "install"], cwd=folder, check=True, capture_output=True)
    return folder


def commit(folder: Path) -> tuple[int, str]:
    done = git(folder, "commit", "-m", "change")
    return done.returncode, done.stdout + done.stderr


def test_a_commit_is_stopped_by_a_finding_in_its_files_and_told_of_no_other(shop: Path) -> None:
    (shop / "main.py").write_text(textwrap.dedent(SLOW) + "# changed\n")
    git(shop, "add", "main.py")
    code, said = commit(shop)
    assert code == 1, said
    assert FOUND in said
    assert "other.py" not in said


def test_a_clean_commit_passes(shop: Path) -> None:
    (shop / "main.py").write_text(
        textwrap.dedent(SLOW).replace("time.sleep(1)", "").replace("import time", "")
    )
    git(shop, "add", "main.py")
    code, said = commit(shop)
    assert code == 0, said
    assert re.search(r"architect review \(changed files\)\.+Passed", said)


def test_what_is_not_staged_is_not_reviewed(shop: Path) -> None:
    clean = textwrap.dedent(SLOW).replace("time.sleep(1)", "").replace("import time", "")
    (shop / "main.py").write_text(clean)
    git(shop, "add", "main.py")
    (shop / "main.py").write_text(textwrap.dedent(SLOW))
    assert commit(shop)[0] == 0
    assert (shop / "main.py").read_text() == textwrap.dedent(SLOW)


def test_a_deletion_is_committed_and_a_renamed_file_reviewed_by_its_new_name(shop: Path) -> None:
    git(shop, "rm", "-q", "other.py")
    assert commit(shop)[0] == 0
    git(shop, "mv", "main.py", "orders.py")
    code, said = commit(shop)
    assert (code, FOUND.replace("main.py", "orders.py") in said) == (1, True), said


def test_a_file_that_is_no_code_of_a_backend_is_none_of_the_hooks_business(shop: Path) -> None:
    (shop / "notes.md").write_text("import time\n")
    git(shop, "add", "notes.md")
    code, said = commit(shop)
    assert (code, "Skipped" in said) == (0, True), said


def test_many_files_are_one_review(shop: Path) -> None:
    """pre-commit would divide more than four files between processes, each of which would read the whole project."""
    for number in range(12):
        (shop / f"more_{number}.py").write_text("x = 1\n")
    git(shop, "add", "-A")
    command = ["pre-commit", "run", "--all-files", "--verbose"]
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert FOUND in done.stdout
    assert FOUND.replace("main.py", "other.py") in done.stdout
    assert done.stdout.count("architect: ") == 1


def test_the_whole_backend_is_reviewed_by_the_other_hook(home: Path, hooks: tuple[Path, str]) -> None:
    block = copied("pre-commit.md", ".pre-commit-config.yaml")[1]
    shop = project(home / "shop", *hooks, block)
    (shop / "backend").mkdir()
    for name in ("main.py", "other.py", "pyproject.toml"):
        git(shop, "mv", name, f"backend/{name}")
    code, said = commit(shop)
    assert code == 1, said
    assert f"backend/{FOUND}" in said
    assert said.count("blocking-sleep-in-async: ") == 2


def test_pre_commit_itself_accepts_the_manifest() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {each["id"] for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))} == {
        "architect-review",
        "architect-review-project",
    }


@pytest.mark.matrix  # pre-commit makes an environment with pip, which needs a package index
def test_try_repo_works_from_a_clean_clone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    clone = home / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True, capture_output=True)
    shop = home / "shop"
    shop.mkdir()
    (shop / "main.py").write_text(textwrap.dedent(SLOW))
    repository(shop)
    command = [
        shutil.which("pre-commit") or "pre-commit",
        "try-repo",
        str(clone),
        "architect-review",
        "--all-files",
    ]
    done = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert FOUND in done.stdout
