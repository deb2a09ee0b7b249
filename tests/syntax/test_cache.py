from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fastapi_architect.source.tree import SourceTree
from fastapi_architect.syntax import cache, ir, workers
from fastapi_architect.syntax.cache import ParseCache, cache_folder, digest_of
from fastapi_architect.syntax.workers import parse_all


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(5):
        (root / f"m{number}.py").write_text(f"def f{number}(): return g({number})\n")
    (root / "broken.py").write_text("def (\n")
    return SourceTree.open(root)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def opened(tree: SourceTree, folder: Path) -> ParseCache:
    found = ParseCache.for_tree(tree.root, folder)
    assert found is not None
    return found


def parse(tree: SourceTree, folder: Path) -> dict[str, ir.ParsedModule | ir.Unparsed]:
    return parse_all(tree, tree.python_files, cache=opened(tree, folder))


def cache_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def forbid_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "parse_file", lambda *_: pytest.fail("parsed"))


def test_cold_and_warm_give_the_same_modules_and_warm_parses_nothing(
    tree: SourceTree, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    uncached = parse_all(tree, tree.python_files)
    cold = parse(tree, folder)
    forbid_parsing(monkeypatch)

    assert (parse(tree, folder), list(cold)) == (uncached, list(uncached))


def test_only_a_changed_file_is_parsed_again(tree: SourceTree, folder: Path, monkeypatch: pytest.MonkeyPatch):
    parse(tree, folder)
    (tree.root / "m1.py").write_text("x = 1\n")
    real = workers.parse_file
    parsed: list[str] = []
    monkeypatch.setattr(
        workers, "parse_file", lambda data, path, size: parsed.append(path) or real(data, path, size)
    )
    parse(tree, folder)
    assert parsed == ["m1.py"]

    parse(tree, folder)
    assert parsed == ["m1.py"]


@pytest.mark.parametrize("position", [0, 5, 22, 26, 40, 200, -1])
def test_a_damaged_cache_is_not_believed_and_is_written_anew(
    tree: SourceTree, folder: Path, position: int, monkeypatch: pytest.MonkeyPatch
):
    expected = parse(tree, folder)
    path = cache_file(folder)
    data = bytearray(path.read_bytes())
    good = bytes(data)
    data[position] ^= 0xFF
    path.write_bytes(data)

    assert parse(tree, folder) == expected
    assert path.read_bytes() == good


@pytest.mark.parametrize("data", [b"", b"x", b"x" * 1000])
def test_a_foreign_or_cut_cache_is_not_believed(tree: SourceTree, folder: Path, data: bytes):
    expected = parse(tree, folder)
    cache_file(folder).write_bytes(data)

    assert parse(tree, folder) == expected


def test_a_cache_of_other_code_is_not_believed(
    tree: SourceTree, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    parse(tree, folder)
    monkeypatch.setattr(cache, "_magic", lambda: b"y" * 20)

    assert opened(tree, folder).get(digest_of((tree.root / "m1.py").read_bytes())) is None


def test_only_the_owner_can_read_the_cache(tree: SourceTree, folder: Path):
    parse(tree, folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cache_file(folder).stat().st_mode) == 0o600


def test_a_cache_that_others_may_write_is_not_read(tree: SourceTree, folder: Path):
    parse(tree, folder)
    cache_file(folder).chmod(0o666)

    assert opened(tree, folder).get(digest_of((tree.root / "m1.py").read_bytes())) is None


def test_a_folder_that_others_may_write_is_not_used(tree: SourceTree, folder: Path):
    folder.mkdir()
    folder.chmod(0o777)

    assert ParseCache.for_tree(tree.root, folder) is None


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="giving a file away takes the superuser")
def test_a_cache_that_belongs_to_somebody_else_is_not_read(tree: SourceTree, folder: Path):
    parse(tree, folder)
    os.chown(cache_file(folder), 12345, 12345)
    assert opened(tree, folder).get(digest_of((tree.root / "m1.py").read_bytes())) is None

    os.chown(folder, 12345, 12345)
    assert ParseCache.for_tree(tree.root, folder) is None


def test_a_link_in_place_of_the_cache_is_not_followed(tree: SourceTree, folder: Path, tmp_path: Path):
    parse(tree, folder)
    path = cache_file(folder)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    assert opened(tree, folder).get(digest_of((tree.root / "m1.py").read_bytes())) is None


def test_the_cache_never_lies_inside_the_reviewed_tree(tree: SourceTree):
    assert ParseCache.for_tree(tree.root, tree.root / ".cache") is None
    assert sorted(path.name for path in tree.root.iterdir()) == ["broken.py", *(f"m{n}.py" for n in range(5))]


def test_without_a_place_to_write_there_is_no_cache(tree: SourceTree, tmp_path: Path):
    (tmp_path / "file").touch()

    assert ParseCache.for_tree(tree.root, tmp_path / "file" / "cache") is None


def test_a_cache_that_cannot_be_written_says_why(
    tree: SourceTree, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    own = opened(tree, folder)
    folder.rmdir()
    results = parse_all(tree, tree.python_files, cache=own)

    assert len(results) == 6
    assert own.problem == "the parse cache cannot be written: No such file or directory"


def test_two_projects_have_two_caches(tree: SourceTree, folder: Path, tmp_path: Path):
    parse(tree, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("x = 1\n")
    parse(SourceTree.open(other), folder)

    assert len(list(folder.iterdir())) == 2


def test_only_the_caches_used_last_are_kept(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cache, "_MAX_PROJECTS", 2)
    for number in range(4):
        root = tmp_path / str(number)
        root.mkdir()
        (root / "a.py").write_text("x = 1\n")
        parse(SourceTree.open(root), folder)

    assert len(list(folder.iterdir())) == 2


def test_entries_no_longer_used_do_not_pile_up(tree: SourceTree, folder: Path):
    parse(tree, folder)
    first = cache_file(folder).stat().st_size
    for number in range(30):
        (tree.root / "m1.py").write_text(f"x = {number}\n")
        parse(tree, folder)

    assert cache_file(folder).stat().st_size < 3 * first


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ARCHITECT_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/fastapi-architect"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/u/.cache/fastapi-architect"),
        ({}, "/home/u/.cache/fastapi-architect"),
    ],
)
def test_the_cache_lies_where_the_user_keeps_caches(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("ARCHITECT_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/u")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert cache_folder() == Path(expected)
