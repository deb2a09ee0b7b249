"""`architect add` in a project that `architect new` made."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from tests.builder.conftest import commit

from fastapi_architect.__main__ import main
from fastapi_architect.builder import apply as applying
from fastapi_architect.builder.catalog import COMPONENTS
from fastapi_architect.builder.wiring import listed

ADD = ["add", "redis_pool", "--yes", "--no-review"]


def tree(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file() and ".git/" not in file.as_posix()
    }


def folders(root: Path) -> list[str]:
    return sorted(str(f.relative_to(root)) for f in root.rglob("*") if f.is_dir() and ".git" not in f.parts)


def run(*arguments: str, path: Path) -> int:
    return main([*arguments, "--path", str(path)])


def test_a_component_is_copied_with_what_it_needs_and_wired(shop: Path) -> None:
    assert run(*ADD, path=shop) == 0

    ours, theirs = COMPONENTS / "redis_pool" / "component.py", shop / "app/components/redis_pool/component.py"
    assert theirs.read_bytes() == ours.read_bytes()
    assert (shop / "app/components/service/assembly.py").exists()
    registry = (shop / "app/registry.py").read_text()
    assert listed(registry) == ["RedisPool"]
    assert "from app.components.redis_pool import RedisPool, RedisSettings\n" in registry
    assert '    "redis>=5.3",\n' in (shop / "pyproject.toml").read_text()
    assert '"uvicorn[standard]>=0.40",  # serves' in (shop / "pyproject.toml").read_text()
    assert "\nREDIS_URL=redis://" in (shop / ".env.example").read_text()
    lock = json.loads((shop / ".architect/lock.json").read_text())
    assert [component["name"] for component in lock["components"]] == ["redis_pool", "service"]
    for component in lock["components"]:
        for file in component["files"]:
            base = shop / ".architect/base" / file["sha256"][:2] / file["sha256"]
            assert base.read_bytes() == (shop / file["path"]).read_bytes()


def test_a_dry_run_prints_the_plan_and_writes_nothing(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(shop)

    assert run("add", "redis_pool", "--dry-run", "--diff", path=shop) == 0

    assert tree(shop) == before
    said = capsys.readouterr().out
    for heading in (
        "Context",
        "Approach",
        "Changes",
        "Validation",
        "Considerations",
        "By hand",
        "Follow-ups",
    ):
        assert f"\n{heading}\n" in said
    assert "+        RedisPool(RedisSettings())," in said
    assert "1. Install what is new" in said


def test_the_plan_as_data(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "redis_pool", "--dry-run", "--format", "json", path=shop) == 0

    plan = json.loads(capsys.readouterr().out)["plan"]
    assert plan["components"] == ["service", "redis_pool"]
    assert [edit["path"] for edit in plan["edits"]] == [
        "app/registry.py",
        "pyproject.toml",
        ".architect/lock.json",
    ]


def test_the_review_says_what_changed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "redis_pool", "--yes", path=shop) == 0

    assert re.search(r"^Score \d+ -> \d+\.$", capsys.readouterr().out, re.MULTILINE)


def test_the_same_in_twice_the_same_out(shop: Path, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(shop, twin)
    run(*ADD, path=shop)
    run(*ADD, path=twin)

    assert tree(shop) == tree(twin)


def test_what_is_there_is_refused(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(*ADD, path=shop)
    commit(shop)

    assert run(*ADD, path=shop) == 2
    assert "redis_pool is in this project already" in capsys.readouterr().err


def test_one_more_keeps_what_is_there(shop: Path) -> None:
    run(*ADD, path=shop)
    commit(shop)
    edited = shop / "app/components/service/README.md"
    edited.write_text("mine")
    commit(shop)

    assert run("add", "problem_details", "--yes", "--no-review", path=shop) == 0

    assert edited.read_text() == "mine"
    assert listed((shop / "app/registry.py").read_text()) == ["ProblemDetails", "RedisPool"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["redis_pol"], "did you mean redis_pool"),
        (["redis_pool", "--dry"], "there is no option --dry"),
        ([], "COMPONENT"),
    ],
)
def test_misuse_is_one_line(
    shop: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("add", *arguments, path=shop) == 2
    told = capsys.readouterr().err
    assert told.startswith("architect: ")
    assert says in told


def test_a_dirty_tree_is_refused(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "app/main.py").write_text("X = 1\n")
    before = tree(shop)

    assert run(*ADD, path=shop) == 2
    assert "--allow-dirty" in capsys.readouterr().err
    assert tree(shop) == before
    assert run(*ADD, "--allow-dirty", path=shop) == 0


def test_nobody_to_ask_is_said(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "redis_pool", "--no-review", path=shop) == 2
    assert "--yes" in capsys.readouterr().err


def broken(shop: Path, name: str) -> None:
    if name == "lock":
        (shop / ".architect/lock.json").write_text("{]")
    elif name == "later lock":
        lock = json.loads((shop / ".architect/lock.json").read_text())
        (shop / ".architect/lock.json").write_text(json.dumps(lock | {"version": 99}))
    elif name == "registry":
        (shop / "app/registry.py").unlink()
    elif name == "list":
        (shop / "app/registry.py").write_text("def components():\n    return make()\n")
    elif name == "syntax":
        (shop / "app/registry.py").write_text("def components(:\n")
    elif name == "half":
        (shop / "app/components/redis_pool").mkdir(parents=True)
        (shop / "app/components/redis_pool/component.py").write_text("X = 1\n")
    elif name == "file":
        (shop / "app/components").mkdir()
        (shop / "app/components/__init__.py").mkdir()
        (shop / ".env.example").mkdir()
    elif name == "link":
        (shop / "app/components").symlink_to("/tmp")
    elif name == "outside":
        lock = json.loads((shop / ".architect/lock.json").read_text())
        lock["package"]["folder"] = "../elsewhere"
        (shop / ".architect/lock.json").write_text(json.dumps(lock))
    elif name == "registry outside":
        lock = json.loads((shop / ".architect/lock.json").read_text())
        (shop.parent / "registry.py").write_text((shop / "app/registry.py").read_text())
        (shop / ".architect/lock.json").write_text(json.dumps(lock | {"registry": "../registry.py"}))
    elif name == "pin":
        text = (shop / "pyproject.toml").read_text()
        (shop / "pyproject.toml").write_text(text.replace('"uvicorn', '"redis<5",\n    "uvicorn'))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("lock", "git checkout -- .architect/lock.json"),
        ("later lock", "was edited|later version"),
        ("registry", "app/registry.py is gone"),
        ("list", "no longer returns one written list"),
        ("syntax", "does not parse"),
        ("half", "app/components/redis_pool is there"),
        ("file", "already"),
        ("link", "symbolic link"),
        ("outside", "outside of the project"),
        ("registry outside", "outside of the project"),
        ("pin", "redis<5, and redis>=5"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_changes(
    shop: Path, what: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken(shop, what)
    before = tree(shop)

    assert run(*ADD, "--allow-dirty", path=shop) == 2
    told = capsys.readouterr().err
    assert re.search(says, told), told
    assert tree(shop) == before


def test_a_folder_that_cannot_be_written_leaves_everything_as_it_was(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, before_folders = tree(shop), folders(shop)
    replace, done = Path.replace, []

    def fails_late(self: Path, target: Path) -> Path:
        if len(done) == 7:
            raise PermissionError(13, "Permission denied", str(target))
        done.append(target)
        return replace(self, target)

    monkeypatch.setattr(applying.Path, "replace", fails_late)

    assert run(*ADD, path=shop) == 2
    assert "permission denied; nothing was changed" in capsys.readouterr().err
    assert (tree(shop), folders(shop)) == (before, before_folders)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(shop: Path) -> None:
    (shop / "app").chmod(0o500)

    assert run(*ADD, path=shop) == 2


def test_an_interruption_leaves_everything_as_it_was(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, before_folders = tree(shop), folders(shop)
    replace, done = Path.replace, []

    def interrupted(self: Path, target: Path) -> Path:
        done.append(target)
        if len(done) == 40:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(applying.Path, "replace", interrupted)

    assert run(*ADD, path=shop) == 130
    assert (tree(shop), folders(shop)) == (before, before_folders)


def test_every_file_that_is_written_parses(shop: Path) -> None:
    run(*ADD, path=shop)

    for path, data in tree(shop).items():
        if path.endswith(".py"):
            ast.parse(data)


def test_components_are_listed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(*ADD, path=shop)
    capsys.readouterr()

    assert run("components", path=shop) == 0
    assert "* redis_pool" in capsys.readouterr().out
    assert run("components", "redis_pool", path=shop) == 0
    assert "REDIS_URL" in capsys.readouterr().out
    assert run("components", "redis_pool", "--format", "json", path=shop) == 0
    assert json.loads(capsys.readouterr().out)["installed"] is True
    assert run("components", "--format", "json", path=shop) == 0
    assert len(json.loads(capsys.readouterr().out)) > 3
