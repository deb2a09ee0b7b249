"""Which folders of an archive are reviewed on their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.secapi.sandbox.archive import APP, unpacked

from fastapi_architect.secapi.sandbox.roots import Root, roots_of, tree_of

MANIFEST = "[project]\n"

TREES: dict[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "nothing to review": ({"README.toml": ""}, ("",)),
    "one application": ({"pyproject.toml": MANIFEST, "app/main.py": APP}, ("",)),
    "an application in a folder of its own": ({"backend/pyproject.toml": MANIFEST, "backend/main.py": APP, "x.py": ""}, ("",)),
    "two services": (
        {"r/a/setup.py": "", "r/a/main.py": APP, "r/b/requirements.txt": "", "r/b/main.py": APP, "r/x.toml": ""},
        ("a", "b"),
    ),
    "two services and scripts beside them": (
        {"r/a/setup.py": "", "r/a/main.py": APP, "r/b/requirements.txt": "", "r/b/main.py": APP, "r/tool.py": ""},
        ("", "a", "b"),
    ),
    "two services that share code": (
        {
            "r/a/setup.py": "", "r/a/main.py": f"from shared.db import x\n{APP}",
            "r/b/setup.py": "", "r/b/main.py": APP, "r/libs/shared/db.py": "x = 1\n",
        },
        ("",),
    ),
    "two services of which one imports the other": (
        {"r/a/setup.py": "", "r/a/store/main.py": APP, "r/b/setup.py": "", "r/b/main.py": f"import store.main\n{APP}"},
        ("",),
    ),
    "an application at the top and one below": (
        {"pyproject.toml": MANIFEST, "app/main.py": APP, "extra/pyproject.toml": MANIFEST, "extra/main.py": APP},
        ("", "extra"),
    ),
    "an application in the tests of another": (
        {"pyproject.toml": MANIFEST, "app/main.py": APP, "tests/x/pyproject.toml": MANIFEST, "tests/x/main.py": APP},
        ("",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_roots_are_applications_that_know_nothing_of_each_other(name: str, tmp_path: Path) -> None:
    files, wanted = TREES[name]
    found = unpacked(tmp_path, files)
    assert tuple(root.path for root in roots_of(found)) == wanted
    backwards = unpacked(tmp_path, dict(reversed(files.items())))
    assert roots_of(backwards) == roots_of(found)


@pytest.mark.parametrize("name", TREES)
def test_every_python_file_belongs_to_one_root(name: str, tmp_path: Path) -> None:
    found = unpacked(tmp_path, TREES[name][0])
    held = [
        f"{root.path}/{path}".lstrip("/")
        for root in roots_of(found)
        for path in tree_of(found, root, {}).python_files
    ]
    assert sorted(held) == sorted(path for path in found.files if path.endswith(".py"))


def test_what_is_missing_below_a_root_is_missing_from_its_tree(tmp_path: Path) -> None:
    found = unpacked(
        tmp_path, {"a/main.py": APP, "a/e\u202evil.py": "", "b/\u2025/x.py": "", "b/main.py": APP}
    )
    tree = tree_of(found, Root("a"), {"main.py": "why"})
    assert [(each.path, each.reason) for each in tree.unreadable] == [
        ("e\\u202evil.py", "invisible or control characters in its name"),
        ("main.py", "why"),
    ]
    assert tree.python_files == ()
