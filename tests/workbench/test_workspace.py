"""Nothing outside the folder is read or written, and what is said about it names the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.review import review
from fastapi_architect.workbench.workspace import Workspace

OUTSIDE = "outside the served folder"


def refusal(workspace: Workspace, path: str) -> str:
    """What is said about a path."""
    with pytest.raises(WorkbenchError) as refused:
        review(workspace, path)
    return str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../secret.py",
        "shop/../../secret.py",
        "/etc/passwd",
        "/",
        "link",
        "link/secret.py",
        "shop/inner",
        "shop/file.py",
    ],
)
def test_nothing_outside_is_read_by_whatever_way(folder: Path, workspace: Workspace, path: str) -> None:
    (folder.parent / "secret.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    (folder / "link").symlink_to(folder.parent)
    (folder / "shop" / "inner").symlink_to("../link")
    (folder / "shop" / "file.py").symlink_to(folder.parent / "secret.py")
    assert OUTSIDE in refusal(workspace, path)


def test_an_absolute_path_inside_is_one(folder: Path, workspace: Workspace) -> None:
    assert review(workspace, str(folder / "shop")).folder == "shop"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere", "there is nothing at 'nowhere'"),
        ("a\0b", "is no path"),
        ("x" * 5000, "is no path"),
        ("loop", "is no path"),
        ("\ud800", "is no path"),
    ],
)
def test_what_is_no_path_is_said_in_few_words(
    folder: Path, workspace: Workspace, path: str, says: str
) -> None:
    (folder / "loop").symlink_to("loop")
    said = refusal(workspace, path)
    assert says in said
    assert len(said) < 400


def test_a_configuration_above_does_not_count(folder: Path, workspace: Workspace) -> None:
    (folder.parent / "pyproject.toml").write_text('[tool.fastapi-architect]\nignore = ["all"]\n')
    assert review(workspace, "shop").total == 2


def test_a_baseline_outside_is_not_read(folder: Path, workspace: Workspace) -> None:
    (folder.parent / "known.json").write_text("{}")
    (folder / "pyproject.toml").write_text('[tool.fastapi-architect]\nbaseline = "../known.json"\n')
    assert OUTSIDE in refusal(workspace, "shop")


def test_roots_narrow_what_is_within_reach(folder: Path, workspace: Workspace) -> None:
    (folder / "other").mkdir()
    narrowed = workspace.narrowed_to([folder / "shop"])
    assert review(narrowed, "shop").total == 2
    for path in (".", "other", "shop/../other"):
        assert "outside the roots that your client announced; name a path below shop" in refusal(
            narrowed, path
        )


def test_roots_never_widen_what_is_within_reach(folder: Path, workspace: Workspace) -> None:
    (folder.parent / "secret.py").write_text("")
    (folder / "link").symlink_to(folder.parent)
    for roots in ([Path("/")], [folder.parent], [folder / "shop", Path("/")]):
        assert OUTSIDE in refusal(workspace.narrowed_to(roots), "../secret.py")
    for roots in ([folder.parent / "elsewhere"], []):
        with pytest.raises(WorkbenchError, match="none of the roots"):
            workspace.narrowed_to(roots)
    # A root that is a link leads where the link leads: to all of the folder, and to nothing beyond.
    assert workspace.narrowed_to([folder / "link"]).limits == (folder,)


def test_the_project_around_a_file_ends_at_the_root_that_was_announced(
    folder: Path, workspace: Workspace
) -> None:
    (folder / "requirements.txt").write_text("fastapi\n")
    assert review(workspace, "shop/main.py").folder == "."
    assert review(workspace.narrowed_to([folder / "shop"]), "shop/main.py").folder == "shop"
