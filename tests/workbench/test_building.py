"""A service is made, a component is planned and added, and nothing happens that was not asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workbench.conftest import snapshot

from fastapi_architect.workbench.add_component import add_component
from fastapi_architect.workbench.components import component, components
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.new_service import new_service
from fastapi_architect.workbench.plan_component import plan_component
from fastapi_architect.workbench.workspace import Workspace


def test_a_service_is_made_below_the_root_and_grows_by_the_plan_that_was_shown(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    made = new_service(writable, "bookshop")
    assert (made.folder, "database" in made.components) == ("bookshop", True)
    git("add", "--all")
    git("commit", "--quiet", "--message", "Make")
    before = snapshot(folder)
    plan = plan_component(writable, ["cache"], "bookshop")
    assert plan.components == ("redis_pool", "cache")
    assert "app/registry.py" in [edit.file for edit in plan.edits]
    assert plan.plan == plan_component(writable, ["cache"], "bookshop").plan
    assert snapshot(folder) == before

    with pytest.raises(WorkbenchError, match="ask plan_component again"):
        add_component(writable, ["idempotency"], plan.plan, "bookshop")
    assert snapshot(folder) == before

    added = add_component(writable, ["cache"], plan.plan, "bookshop")
    assert set(plan.new_files) == set(added.new_files)
    assert (folder / "bookshop" / "app" / "components" / "cache" / "cache.py").is_file()
    assert (added.new_findings, added.record) == ((), None)

    git("checkout", "--", ".")
    git("clean", "--quiet", "--force", "-d")
    assert snapshot(folder) == before


def test_a_plan_does_not_outlive_a_change_of_what_it_edits(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    new_service(writable, "bookshop")
    plan = plan_component(writable, ["cache"], "bookshop").plan
    registry = folder / "bookshop" / "app" / "registry.py"
    registry.write_text(registry.read_text() + "\n# mine\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Change")
    before = snapshot(folder)
    with pytest.raises(WorkbenchError, match="has changed since it was made"):
        add_component(writable, ["cache"], plan, "bookshop")
    assert snapshot(folder) == before


def test_nothing_is_added_on_top_of_other_work(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    new_service(writable, "bookshop")
    plan = plan_component(writable, ["cache"], "bookshop").plan
    before = snapshot(folder)
    with pytest.raises(WorkbenchError, match="not committed"):
        add_component(writable, ["cache"], plan, "bookshop")
    assert snapshot(folder) == before


def test_a_project_that_keeps_prompt_records_has_one_of_what_was_added(
    folder: Path, writable: Workspace, git: Callable[..., str]
) -> None:
    new_service(writable, "bookshop")
    project = folder / "bookshop" / "pyproject.toml"
    project.write_text(project.read_text() + "\n[tool.fastapi-architect]\nrecords = true\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Make")
    plan = plan_component(writable, ["cache"], "bookshop").plan
    added = add_component(writable, ["cache"], plan, "bookshop")
    assert added.record is not None
    assert "add_component" in (folder / "bookshop" / added.record).read_text()


def test_nothing_is_made_where_writing_is_not_allowed(folder: Path, workspace: Workspace) -> None:
    before = snapshot(folder)
    with pytest.raises(WorkbenchError, match="--allow-writes"):
        new_service(workspace, "bookshop")
    with pytest.raises(WorkbenchError, match="--allow-writes"):
        add_component(workspace, ["cache"], "0" * 16, "shop")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("name", "path", "says"),
    [
        ("bookshop", "../bookshop", "outside the served folder"),
        ("bookshop", "link/bookshop", "outside the served folder"),
        ("bookshop", "/tmp/bookshop-elsewhere", "outside the served folder"),
        ("bookshop", "shop", "is not empty"),
        ("bookshop", "shop/main.py", "is not empty"),
        ("../bookshop", "", "cannot be called"),
        ("import", "", ""),
        ("x" * 300, "", "at most"),
    ],
)
def test_a_service_is_made_in_a_new_folder_below_the_root_only(
    folder: Path, writable: Workspace, name: str, path: str, says: str
) -> None:
    (folder / "link").symlink_to(folder.parent)
    before = snapshot(folder.parent)
    if not says:
        assert new_service(writable, name, path=path).folder == name
        return
    with pytest.raises(WorkbenchError, match=says):
        new_service(writable, name, path=path)
    assert snapshot(folder.parent) == before


def test_a_preset_or_component_that_does_not_exist_is_said(writable: Workspace) -> None:
    with pytest.raises(WorkbenchError, match="minimal, standard, saas"):
        new_service(writable, "bookshop", preset="huge")  # type: ignore[arg-type]
    with pytest.raises(WorkbenchError, match="did you mean cache"):
        new_service(writable, "bookshop", more=["cahce"])
    with pytest.raises(WorkbenchError, match="did you mean cache"):
        plan_component(writable, ["cahce"])
    with pytest.raises(WorkbenchError, match="name at least one"):
        plan_component(writable, [])


def test_every_component_has_a_line_and_a_page() -> None:
    names = [each.name for each in components()]
    assert {"cache", "accounts", "outbox"} <= set(names)
    assert component("cache").startswith("# Cache")
    with pytest.raises(WorkbenchError, match="did you mean cache"):
        component("cahce")
