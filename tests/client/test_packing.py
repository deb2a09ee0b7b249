"""The archive holds what a review would read and nothing else, and is the same each time."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from fastapi_architect.client import packing
from fastapi_architect.client.errors import ScanRefused
from fastapi_architect.client.packing import packed
from fastapi_architect.source.tree import SourceTree


def opened(folder: Path, *exclude: str) -> SourceTree:
    return SourceTree.open(folder, exclude, ignored_settings=False)


def names(folder: Path, *exclude: str) -> list[str]:
    with packed(opened(folder, *exclude)) as archive, zipfile.ZipFile(archive.file) as content:
        return content.namelist()


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def test_only_what_a_review_reads_is_packed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("SECRET = 1")
    tree = tmp_path / "tree"
    write(tree, main_dot_py="x = 1", app__a_dot_py="y = 2", README_dot_md="", pyproject_dot_toml="[project]")
    write(tree, _dot_venv__x_dot_py="", node_modules__y_dot_py="", tests__t_dot_py="", _dot_git__config="")
    (tree / "link.py").symlink_to(outside / "secret.py")
    (tree / "folder").symlink_to(outside)
    os.mkfifo(tree / "pipe.py")

    assert names(tree) == ["app/a.py", "main.py", "pyproject.toml", "tests/t.py"]
    assert names(tree, "tests/", "app") == ["main.py", "pyproject.toml"]
    with packed(opened(tree)) as archive:
        assert {each.path for each in archive.left_out} == {"folder", "link.py", "pipe.py"}


def test_secrets_that_the_repository_leaves_out_stay_on_this_machine(tmp_path: Path) -> None:
    write(tmp_path, main_dot_py="x = 1", _dot_env="KEY=1", _dot_gitignore=".env*\n")
    assert names(tmp_path) == ["main.py"]
    assert ".env" in SourceTree.open(tmp_path).other_files
    (tmp_path / ".gitignore").write_text("")
    assert names(tmp_path) == [".env", "main.py"]


def test_the_same_content_is_the_same_archive_wherever_and_whenever(tmp_path: Path) -> None:
    made = []
    for name, order in (("one", ("b", "a")), ("two", ("a", "b"))):
        folder = tmp_path / name
        for each in order:
            write(folder, **{f"{each}_dot_py": f"{each} = 1"})
            os.utime(folder / f"{each}.py", (len(made), 1_000_000_000 * (1 + len(made))))
            (folder / f"{each}.py").chmod(0o700 if made else 0o644)
        with packed(opened(folder)) as archive:
            made.append((archive.digest, archive.file.read() if archive.file.seek(0) == 0 else b""))

    assert made[0] == made[1]


def test_no_two_trees_share_a_digest(tmp_path: Path) -> None:
    digests = set()
    for number, files in enumerate(({"a": "b = 1"}, {"ab": " = 1"}, {"a": "", "b": "b = 1"}, {"a": "b = 2"})):
        folder = tmp_path / str(number)
        write(folder, **{f"{name}_dot_py": content for name, content in files.items()})
        with packed(opened(folder)) as archive:
            digests.add(archive.digest)

    assert len(digests) == 4


def test_more_than_a_server_takes_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, a_dot_py="x = 1\n" * 100, b_dot_py="y = 2")
    monkeypatch.setattr(packing, "MAX_TOTAL_BYTES", 500)
    with pytest.raises(ScanRefused, match="--exclude"), packed(opened(tmp_path)):
        pass
    monkeypatch.setattr(packing, "MAX_FILES", 1)
    with pytest.raises(ScanRefused, match="2 files"), packed(opened(tmp_path)):
        pass


def test_nothing_to_review_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    write(tmp_path, README_dot_md="hello")
    with pytest.raises(ScanRefused, match="no Python file"), packed(opened(tmp_path)):
        pass
