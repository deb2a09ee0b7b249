from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from fastapi_architect.source.tree import Excluded, NoSuchPath, SourceTree, Unreadable, printable


def make(root: Path, *paths: str, **contents: str) -> Path:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(contents.get(path, ""))
    return root


def python_files(root: Path, **options: object) -> tuple[str, ...]:
    return SourceTree.open(root, **options).python_files  # type: ignore[arg-type]


def test_python_files_are_found_sorted_with_forward_slashes(tmp_path: Path):
    make(tmp_path, "b.py", "a/z.py", "a/b/c.py", "a.txt", "a/__init__.py", "a.pyc", "A.py")

    assert python_files(tmp_path) == ("A.py", "a/__init__.py", "a/b/c.py", "a/z.py", "b.py")


def test_manifests_settings_and_deployment_files_are_found(tmp_path: Path):
    others = """
        .env .env.example .github/workflows/ci.yml Dockerfile Dockerfile.prod Makefile Pipfile.lock Procfile
        alembic.ini compose.prod.yaml config/app.toml docker-compose.yml gunicorn.conf.py pdm.lock poetry.lock
        pyproject.toml requirements-dev.txt requirements.txt requirements/base.txt setup.cfg setup.py start.sh
        uv.lock
    """.split()  # noqa: SIM905
    make(tmp_path, *others, "README.md", "notes.txt", "app.py", "logo.png")

    assert SourceTree.open(tmp_path).other_files == tuple(others)


def test_a_large_data_file_is_no_configuration(tmp_path: Path):
    (tmp_path / "data.json").write_text(" " * 300_000)
    (tmp_path / "small.json").write_text("{}")

    assert SourceTree.open(tmp_path).other_files == ("small.json",)


@pytest.mark.parametrize(
    "folder",
    [
        ".git",
        ".tox",
        ".venv",
        ".history",
        "node_modules",
        "__pycache__",
        "lib/python3.12/site-packages",
        "build/lib",
        "dist",
        "app.egg-info",
    ],
)
def test_folders_that_hold_no_source_are_left_out_and_named(tmp_path: Path, folder: str):
    make(tmp_path, "app.py", f"{folder}/x.py")
    tree = SourceTree.open(tmp_path)

    assert tree.python_files == ("app.py",)
    assert [folder.startswith(excluded.path) or excluded.path == folder for excluded in tree.excluded] == [
        True
    ]


def test_a_virtual_environment_is_known_by_its_configuration_not_by_its_name(tmp_path: Path):
    make(tmp_path, "env/pyvenv.cfg", "env/lib/x.py", "venv/service.py")
    tree = SourceTree.open(tmp_path)

    assert (tree.python_files, tree.excluded) == (
        ("venv/service.py",),
        (Excluded("env", "a virtual environment"),),
    )


def test_a_package_named_build_is_source(tmp_path: Path):
    make(tmp_path, "app/build/__init__.py", "app/build/service.py")

    assert python_files(tmp_path) == ("app/build/__init__.py", "app/build/service.py")


def test_gitignore_files_count_where_they_lie(tmp_path: Path):
    make(tmp_path, "a.py", "secret.py", "sub/a.py", "sub/secret.py", "sub/deep/b.py", "generated/c.py")
    (tmp_path / ".gitignore").write_text("secret.py\n/generated/\n")
    (tmp_path / "sub" / ".gitignore").write_text("!secret.py\n/a.py\n")
    tree = SourceTree.open(tmp_path)

    assert tree.python_files == ("a.py", "sub/deep/b.py", "sub/secret.py")
    assert tree.ignored == ("secret.py", "sub/a.py")
    assert tree.excluded == (Excluded("generated", "ignored by a pattern"),)
    assert len(python_files(tmp_path, honour_gitignore=False)) == 6


def test_patterns_of_the_user_win_over_those_of_the_tree(tmp_path: Path):
    make(tmp_path, "a.py", "b.py", "scripts/c.py")
    (tmp_path / ".gitignore").write_text("b.py\n")

    assert python_files(tmp_path, exclude=["scripts/", "!b.py"]) == ("a.py", "b.py")


def test_links_are_not_followed_and_loops_cannot_trap_the_walk(tmp_path: Path):
    root = tmp_path / "root"
    make(root, "a.py", "sub/b.py")
    make(tmp_path, "outside/secret.py")
    (root / "loop").symlink_to(root)
    (root / "sub" / "up").symlink_to("..")
    (root / "inside.py").symlink_to("a.py")
    (root / "leak.py").symlink_to(tmp_path / "outside" / "secret.py")
    (root / "leaks").symlink_to(tmp_path / "outside")
    (root / "dead.py").symlink_to("nothing")
    tree = SourceTree.open(root)

    assert tree.python_files == ("a.py", "sub/b.py")
    assert tree.unreadable == (
        Unreadable("leak.py", "a symbolic link that leads out of the tree"),
        Unreadable("leaks", "a symbolic link that leads out of the tree"),
    )


def test_reading_does_not_follow_a_link_that_took_a_files_place(tmp_path: Path):
    make(tmp_path, "root/a.py", "secret")
    tree = SourceTree.open(tmp_path / "root")
    (tmp_path / "root" / "a.py").unlink()
    (tmp_path / "root" / "a.py").symlink_to(tmp_path / "secret")

    assert tree.read("a.py") == Unreadable("a.py", "a symbolic link")


def test_what_is_no_regular_file_is_named_and_never_read(tmp_path: Path):
    make(tmp_path, "a.py")
    os.mkfifo(tmp_path / "fifo.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.py"))
        tree = SourceTree.open(tmp_path)

    assert tree.python_files == ("a.py",)
    assert [each.path for each in tree.unreadable] == ["fifo.py", "s.py"]
    assert tree.read("fifo.py") == Unreadable("fifo.py", "not a regular file")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read everything")
def test_what_may_not_be_read_is_a_value(tmp_path: Path):
    make(tmp_path, "a.py", "closed/b.py")
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        tree = SourceTree.open(tmp_path)
        assert tree.unreadable == (Unreadable("closed", "permission denied"),)
        assert tree.read("a.py") == Unreadable("a.py", "permission denied")
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_that_cannot_be_listed_is_a_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "a.py", "closed/b.py")
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    tree = SourceTree.open(tmp_path)

    assert (tree.python_files, tree.unreadable) == (("a.py",), (Unreadable("closed", "permission denied"),))


def test_a_file_that_is_gone_or_too_large_is_a_value(tmp_path: Path):
    make(tmp_path, "a.py")
    (tmp_path / "large.py").write_bytes(b" " * 5000)
    tree = SourceTree.open(tmp_path)
    (tmp_path / "a.py").unlink()

    assert tree.read("a.py") == Unreadable("a.py", "no such file or directory")
    assert tree.read("large.py", max_bytes=1000) == Unreadable(
        "large.py", "larger than 1000 bytes (5000 bytes)"
    )
    assert tree.read("nul\0.py") == Unreadable("nul\0.py", "a NUL byte in its name")


def test_names_that_are_not_utf_8_survive(tmp_path: Path):
    name = os.fsdecode(b"caf\xe9.py")
    try:
        (tmp_path / name).write_text("x = 1\n")
    except (OSError, ValueError):
        pytest.skip("this file system takes UTF-8 names only")
    tree = SourceTree.open(tmp_path)

    assert (tree.python_files, tree.read(name), printable(name)) == ((name,), b"x = 1\n", "caf\\xe9.py")


def test_a_name_with_control_characters_is_printed_as_escapes():
    assert printable("a\x1b[31m\n.py") == "a\\x1b[31m\\n.py"


def test_one_file_is_a_tree(tmp_path: Path):
    make(tmp_path, "a.py", "b.py")
    tree = SourceTree.open(tmp_path / "a.py")

    assert (tree.root, tree.python_files, tree.read("a.py")) == (tmp_path, ("a.py",), b"")


def test_a_relative_root_is_read_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "app/a.py")
    monkeypatch.chdir(tmp_path)
    tree = SourceTree.open(Path("app"))
    monkeypatch.chdir("/")

    assert tree.read("a.py") == b""


def test_a_path_with_nothing_there_names_the_next_step(tmp_path: Path):
    with pytest.raises(NoSuchPath, match=r"There is nothing at .*/missing\. Pass the folder"):
        SourceTree.open(tmp_path / "missing")
    with pytest.raises(NoSuchPath, match="is not a Python file"):
        SourceTree.open(make(tmp_path, "a.txt") / "a.txt")
    with pytest.raises(NoSuchPath, match="cannot be read: a NUL byte in its name"):
        SourceTree.open(Path("a\0b"))
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(NoSuchPath, match="neither a file nor a folder"):
        SourceTree.open(tmp_path / "fifo")


def test_a_tree_without_python_says_what_to_do(tmp_path: Path):
    assert "There is no Python file below" in str(SourceTree.open(tmp_path).nothing_to_review)
    make(tmp_path, "a.py")
    assert SourceTree.open(tmp_path).nothing_to_review is None
    assert "excluded" in str(SourceTree.open(tmp_path, exclude=["*.py"]).nothing_to_review)


def test_nothing_is_written_to_the_tree(tmp_path: Path):
    make(tmp_path, "a.py", "sub/b.py")
    before = {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]}
    tree = SourceTree.open(tmp_path)
    for path in tree.python_files:
        tree.read(path)
        tree.kind_of(path)

    assert {path: path.stat().st_mtime_ns for path in [tmp_path, *tmp_path.rglob("*")]} == before


def test_folders_nested_hundreds_deep_are_walked(tmp_path: Path):
    # More would be in the way of those who remove the folder: `shutil.rmtree` recurses.
    folder = tmp_path.joinpath(*["d"] * 400)
    folder.mkdir(parents=True)
    (folder / "deep.py").touch()

    assert len(python_files(tmp_path)) == 1


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.matrix)])
def test_very_many_files_are_found(tmp_path: Path, count: int):
    (tmp_path / ".gitignore").write_text("*.log\nignored_*\n/build/\n!keep\nfoo/**/bar\n")
    for folder in range(count // 1000):
        (tmp_path / f"d{folder}").mkdir()
        for number in range(1000):
            os.close(os.open(tmp_path / f"d{folder}" / f"m{number}.py", os.O_CREAT))

    assert len(python_files(tmp_path)) == count
