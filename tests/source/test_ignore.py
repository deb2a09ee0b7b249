from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastapi_architect.source.ignore import IgnorePatterns


def ignored(patterns: str, path: str) -> bool | None:
    return IgnorePatterns(patterns.split("\n")).verdict(path.rstrip("/").split("/"), path.endswith("/"))


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("a.py", "a.py", True),
        ("a.py", "x/a.py", True),
        ("/a.py", "a.py", True),
        ("/a.py", "x/a.py", None),
        ("x/a.py", "x/a.py", True),
        ("x/a.py", "y/x/a.py", None),
        ("*.py", "x/a.py", True),
        ("*.py", "a.pyc", None),
        ("a?.py", "ab.py", True),
        ("[ab].py", "b.py", True),
        ("[!ab].py", "b.py", None),
        ("[^ab].py", "c.py", True),
        ("[a-c].py", "b.py", True),
        ("[[:digit:]].py", "7.py", True),
        ("[]].py", "].py", True),
        ("logs/", "logs/", True),
        ("logs/", "logs", None),
        ("logs/", "x/logs/", True),
        ("**/a.py", "a.py", True),
        ("**/a.py", "x/y/a.py", True),
        ("x/**", "x/y/z.py", True),
        ("x/**", "x/", None),
        ("x/**/z.py", "x/z.py", True),
        ("x/**/z.py", "x/a/b/z.py", True),
        ("x/*/z.py", "x/a/b/z.py", None),
        ("*.py\n!a.py", "a.py", False),
        ("!a.py\n*.py", "a.py", True),
        ("# a.py", "a.py", None),
        ("\\#a.py", "#a.py", True),
        ("\\!a.py", "!a.py", True),
        ("a.py  ", "a.py", True),
        ("a\\ ", "a ", True),
        ("a\\*.py", "a*.py", True),
        ("a\\*.py", "ab.py", None),
        ("", "a.py", None),
        ("/", "a.py", None),
        ("a[", "a[", None),
        ("a.py\r", "a.py", True),
        ("foo/*", "foo/bar/", True),
        ("foo/*", "foo/bar/baz", None),
    ],
)
def test_a_pattern_means_what_git_documents(patterns: str, path: str, expected: bool | None):
    assert ignored(patterns, path) == expected


_NAMES = st.sampled_from(["a", "b", "ab", "a.py", "b.py", "build", "x y", "#a", "!b"])
_PIECES = st.sampled_from(
    [
        "a",
        "b",
        "*",
        "**",
        "?",
        "/",
        "[ab]",
        "[!a]",
        "[a-b]",
        ".py",
        "build",
        "!",
        "\\",
        " ",
        "#",
        "a/",
        "/b",
        "**/",
        "/**",
    ]
)
# Two stars next to something else are one star, says the documentation; git is of two minds about it.
_ODD_STARS = re.compile(r"[^/!*]\*\*|\*\*[^/*]")
_PATTERNS = st.lists(
    st.lists(_PIECES, min_size=1, max_size=5).map("".join).filter(lambda text: not _ODD_STARS.search(text)),
    min_size=1,
    max_size=4,
)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is the oracle")
@given(patterns=_PATTERNS, path=st.lists(_NAMES, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_git_agrees(patterns: list[str], path: list[str], tmp_path_factory: pytest.TempPathFactory):
    root = _repository(tmp_path_factory)
    (root / ".gitignore").write_text("\n".join(patterns) + "\n")
    name = "/".join(path)
    asked = subprocess.run(
        ["git", "-C", root, "check-ignore", "-v", "-n", "--no-index", "--stdin", "-z"],
        input=name + "\0",
        capture_output=True,
        text=True,
        check=False,
        env={
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "PATH": "/usr/bin:/bin:/usr/local/bin",
        },
    )
    pattern = asked.stdout.split("\0")[2]
    expected = bool(pattern) and not pattern.startswith("!")

    assert _walked(IgnorePatterns(patterns), path) == expected, (patterns, name, pattern)


_repositories: list[Path] = []


def _repository(factory: pytest.TempPathFactory) -> Path:
    if not _repositories:
        root = factory.mktemp("repository")
        subprocess.run(["git", "init", "-q", root], check=True)
        _repositories.append(root)
    return _repositories[0]


def _walked(patterns: IgnorePatterns, path: list[str]) -> bool:
    """As the walk does it: what lies below an ignored folder is ignored."""
    for depth in range(1, len(path)):
        if patterns.verdict(path[:depth], True):
            return True
    return bool(patterns.verdict(path, False))


@pytest.mark.parametrize(
    "pattern",
    ["*a" * 60 + "b", "/**/a" * 60 + "/b", "a*" * 100, "[!a]*" * 80 + "x", "*?" * 60 + "b", "**" * 200],
)
def test_no_pattern_is_slow(pattern: str):
    started = time.process_time()
    ignored(pattern, "/".join(["a" * 200] * 40))

    assert time.process_time() - started < 0.5


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=3))
def test_no_pattern_raises(pattern: str, path: list[str]):
    assert IgnorePatterns([pattern]).verdict(path, False) in {True, False, None}
