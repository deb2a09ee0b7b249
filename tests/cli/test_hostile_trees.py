"""Hostile trees never crash, hang or are silently dropped: the report names what was not analysed, and why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.test_usage import APP, architect

CASES: dict[str, bytes] = {
    "latin1.py": "name = 'caf\xe9'\n".encode("latin-1"),
    "utf8_with_bom.py": b"\xef\xbb\xbfname = 1\n",
    "utf16.py": "name = 1\n".encode("utf-16"),
    "nul.py": b"name = 1\x00\n",
    "carriage_returns.py": b"a = 1\rb = 2\rdef f():\r    return a\r",
    "lying_cookie.py": b"# -*- coding: ascii -*-\nname = '\xc3\xa9'\n",
    "unknown_cookie.py": b"# -*- coding: klingon -*-\nname = 1\n",
    "long_sum.py": b"total = " + b" + ".join(b"1" for _ in range(5000)) + b"\n",
    "long_ladder.py": b"if a == 0:\n    pass\n"
    + b"".join(b"elif a == %d:\n    pass\n" % n for n in range(1, 5000)),
    "deep_nesting.py": b"".join(b" " * n + b"if x:\n" for n in range(95)) + b" " * 95 + b"pass\n",
    "deep_brackets.py": b"x = " + b"[" * 200 + b"]" * 200 + b"\n",
    "template.py": b"{% if cookiecutter.x %}\nimport os\n{% endif %}\n",
    "python2.py": b"print 'hello'\nexcept Exception, e:\n",
    "modern.py": (
        b"type Pair[T] = tuple[T, T]\n\ndef first[T](pair: Pair[T]) -> T:\n    return pair[0]\n\n"
        b"try:\n    pass\nexcept A, B:\n    pass\n"
    ),
    "empty.py": b"",
    "only_a_comment.py": b"# nothing",
    "binary.py": bytes(range(256)) * 8,
}
NOT_ANALYSED = {"nul.py", "template.py", "python2.py", "binary.py"}


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "main.py").write_text(APP)
    for name, data in CASES.items():
        (folder / name).write_bytes(data)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling.py").symlink_to(folder / "nowhere.py")
    return folder


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_every_file_is_analysed_or_named_with_a_reason(hostile: Path, jobs: str) -> None:
    done = architect("review", "--format", "json", "--jobs", jobs, "--no-cache", cwd=hostile)

    assert done.returncode in (0, 1), done.stderr
    document = json.loads(done.stdout)
    named = {entry["file"] for entry in document["not_analysed"]}
    assert not NOT_ANALYSED - named
    assert all(entry["reason"] for entry in document["not_analysed"])
    assert "main.py" not in named


def test_a_file_of_20_megabytes_is_named_and_the_rest_reviewed(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "huge.py").write_bytes(b"x = 1\n" * 3_400_000)
    done = architect("review", "--format", "json", cwd=tmp_path)

    document = json.loads(done.stdout)
    assert [entry["file"] for entry in document["not_analysed"]] == ["huge.py"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    (tmp_path / "secret.py").write_text("x = 1\n")
    (tmp_path / "secret.py").chmod(0)
    document = json.loads(architect("review", "--format", "json", cwd=tmp_path).stdout)

    assert [entry["file"] for entry in document["not_analysed"]] == ["secret.py"]


def test_the_reviewed_code_is_never_run_and_its_tree_never_written(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "main.py").write_text(APP + "\nopen('ran', 'w').write('x')\n")
    (tree / "conftest.py").write_text("raise SystemExit(9)\n")
    for name in ("argparse", "json", "yaml", "msgspec", "rich", "gc", "tomllib"):
        (tree / f"{name}.py").write_text("raise SystemExit(9)\n")
    before = sorted(p.name for p in tree.rglob("*"))
    environment = {**os.environ, "ARCHITECT_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "fastapi_architect", "review", str(tree)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tree, env=environment, timeout=60
    )

    assert done.returncode in (0, 1), done.stderr
    assert sorted(p.name for p in tree.rglob("*")) == before


@pytest.mark.matrix
def test_a_hundred_thousand_files(tmp_path: Path) -> None:
    for number in range(100_000):
        folder = tmp_path / f"p{number // 1000}"
        if number % 1000 == 0:
            folder.mkdir()
        (folder / f"m{number}.py").write_text("x = 1\n")
    (tmp_path / "main.py").write_text(APP)
    environment = {**os.environ, "ARCHITECT_CACHE_DIR": str(tmp_path / ".cache")}
    command = [sys.executable, "-m", "fastapi_architect", "review", str(tmp_path), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=600)

    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["not_analysed"] == []
