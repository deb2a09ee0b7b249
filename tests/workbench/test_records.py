"""Records are written with consent, inside of the project, and without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workbench.conftest import snapshot

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.propose_adr import DecisionOption, propose_adr
from fastapi_architect.workbench.record_prompt import record_prompt
from fastapi_architect.workbench.workspace import Workspace

OPTIONS = (
    DecisionOption("Row-level security", ("the database refuses",), ("a role of its own",)),
    DecisionOption("A filter in every query", ("no role",), ("one is forgotten",)),
)


def test_a_decision_is_written_with_consent_and_only_shown_without(folder: Path, writable: Workspace) -> None:
    before = snapshot(folder)
    shown = propose_adr(writable, "Keep tenants apart", OPTIONS, "shop", chosen="Row-level security")
    assert (shown.written, shown.file) == (False, None)
    assert "the database refuses" in shown.text
    assert snapshot(folder) == before
    written = propose_adr(
        writable, "Keep tenants apart", OPTIONS, "shop", chosen="Row-level security", consent=True
    )
    assert written.written
    assert (folder / written.folder / str(written.file)).read_text() == written.text
    assert written.folder == "docs/decisions"


def test_consent_does_not_replace_the_leave_to_write(folder: Path, workspace: Workspace) -> None:
    before = snapshot(folder)
    assert not propose_adr(workspace, "Keep tenants apart", OPTIONS).written
    with pytest.raises(WorkbenchError, match="--allow-writes"):
        propose_adr(workspace, "Keep tenants apart", OPTIONS, consent=True)
    with pytest.raises(WorkbenchError, match="--allow-writes"):
        record_prompt(workspace, "add a cache")
    assert snapshot(folder) == before


def test_one_option_is_no_decision(workspace: Workspace) -> None:
    with pytest.raises(WorkbenchError, match="two or three options"):
        propose_adr(workspace, "Keep tenants apart", OPTIONS[:1])


def test_a_prompt_is_kept_without_its_secrets(folder: Path, writable: Workspace) -> None:
    kept = record_prompt(
        writable, "use password=hunter2-and-more please", ["Set it."], "shop", files=["main.py"]
    )
    text = (folder / kept.folder / kept.file).read_text()
    assert text == kept.text
    assert "hunter2" not in text
    assert "main.py" in text


def test_records_are_not_written_outside(folder: Path, writable: Workspace) -> None:
    (folder / "shop" / "docs").symlink_to(folder.parent)
    (folder / "shop" / "pyproject.toml").write_text("")
    before = snapshot(folder.parent)
    with pytest.raises(WorkbenchError):
        propose_adr(writable, "Keep tenants apart", OPTIONS, "shop", consent=True)
    (folder / "shop" / "pyproject.toml").write_text(
        '[tool.fastapi-architect.records]\nprompts = "../../elsewhere"\n'
    )
    with pytest.raises(WorkbenchError):
        record_prompt(writable, "add a cache", path="shop")
    assert {name for name in snapshot(folder.parent) if "pyproject" not in name} == {
        name for name in before if "pyproject" not in name
    }
