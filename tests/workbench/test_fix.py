"""Fixes as a patch, and made when that is asked for and allowed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbench.conftest import RAW_SQL, snapshot

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.fix import fix
from fastapi_architect.workbench.review import review
from fastapi_architect.workbench.workspace import Workspace


def test_a_fix_is_a_patch_that_git_applies_and_nothing_is_written(folder: Path, workspace: Workspace) -> None:
    before = snapshot(folder)
    answer = fix(workspace, "shop", select=[RAW_SQL], unsafe=True)
    assert (answer.folder, answer.applied, len(answer.fixed), answer.undone) == ("shop", False, 2, ())
    assert snapshot(folder) == before
    subprocess.run(["git", "apply", "-"], cwd=folder / "shop", input=answer.patch.encode(), check=True)
    assert review(workspace, "shop", select=[RAW_SQL]).total == 0


def test_a_fix_that_wants_a_persons_eye_is_only_counted(workspace: Workspace) -> None:
    answer = fix(workspace, "shop", select=[RAW_SQL])
    assert (answer.patch, answer.fixed, answer.more) == ("", (), {"unsafe": 2})


def test_fixes_are_made_when_that_is_asked_for_and_git_takes_them_back(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    before = snapshot(folder)
    answer = fix(writable, "shop", select=[RAW_SQL], unsafe=True, apply=True)
    assert answer.applied
    assert review(writable, "shop", select=[RAW_SQL]).total == 0
    git("checkout", "--", ".")
    assert snapshot(folder) == before


def test_nothing_is_made_where_writing_is_not_allowed(folder: Path, workspace: Workspace) -> None:
    before = snapshot(folder)
    with pytest.raises(WorkbenchError, match="--allow-writes"):
        fix(workspace, "shop", unsafe=True, apply=True)
    assert snapshot(folder) == before


def test_nothing_is_made_on_top_of_other_work(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    (folder / "shop" / "new.py").write_text("x = 1\n")
    before = snapshot(folder)
    with pytest.raises(WorkbenchError, match=r"not committed \(shop/new.py\)"):
        fix(writable, ".", unsafe=True, apply=True)
    assert snapshot(folder) == before


def test_a_file_that_cannot_be_written_leaves_all_as_they_were(folder: Path, writable: Workspace) -> None:
    before = snapshot(folder)
    main = folder / "shop" / "main.py"
    (folder / "shop" / f".main.py.{os.getpid()}.architect").write_text("in the way")
    with pytest.raises(WorkbenchError, match="no file was changed"):
        fix(writable, "shop", unsafe=True, apply=True)
    assert main.read_bytes() == before["shop/main.py"]
