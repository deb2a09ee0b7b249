"""Imports told from a text: the same ones that its syntax has."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from fastapi_architect.program.import_graph import absolute_imports
from fastapi_architect.source.import_lines import ImportLine, import_lines
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.parse import parse_file

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("text", "target", "names"),
    [
        ("import a", "", [("a", "a")]),
        ("import a.b as c, d", "", [("a.b", "c"), ("d", "d")]),
        ("from a import b", "a", [("b", "b")]),
        ("from .a import b as c", ".a", [("b", "c")]),
        ("from . import b", ".", [("b", "b")]),
        ("from ..a.b import *", "..a.b", [("*", "*")]),
        ("from . a import b", ".a", [("b", "b")]),
        ("from a import (b, c)", "a", [("b", "b"), ("c", "c")]),
        ("from a import(b)", "a", [("b", "b")]),
        ("from a import (  # why: (so)\n    b,  # this\n    c as d,\n)", "a", [("b", "b"), ("c", "d")]),
        ("from a import b, \\\n    c", "a", [("b", "b"), ("c", "c")]),
        ("from a import \\\n    b", "a", [("b", "b")]),
        ("x = 1; import a", "", [("a", "a")]),
        ("import a; import b", "", [("a", "a")]),
        ("from a import b  # later", "a", [("b", "b")]),
        ("from a import (b, c", "a", [("b", "b"), ("c", "c")]),
        ("from a.foreign_import import b", "a.foreign_import", [("b", "b")]),
        ("from .import b", ".", [("b", "b")]),
    ],
)
def test_every_way_to_write_an_import_is_read(text: str, target: str, names: list[tuple[str, str]]) -> None:
    assert import_lines(text)[0] == ImportLine(target, tuple(names), runs=True)


@pytest.mark.parametrize(
    "text",
    [
        "important = 1",
        "reimport(a)",
        "x = 'import'",
        "# import",
        "from a",
        "import",
        "from x import",
        "importlib",
    ],
)
def test_what_is_no_import_gives_none(text: str) -> None:
    assert import_lines(text) == ()


def test_two_statements_of_a_line_are_both_read() -> None:
    assert [line.names[0][0] for line in import_lines("import a; import b")] == ["a", "b"]


def test_an_import_runs_with_its_file_unless_a_function_or_class_holds_it() -> None:
    text = textwrap.dedent(
        """
        try:
            import a
        except ImportError:
            import handled
        if True:
            # why
            import b
        def f():
            import c
        class D:
            import e
        import g
        """
    )
    assert {line.names[0][0]: line.runs for line in import_lines(text)} == {
        "a": True, "handled": False, "b": True, "c": False, "e": False, "g": True,
    }  # fmt: skip


def test_it_reads_what_the_parser_reads_in_every_file_of_this_project() -> None:
    differing = []
    for path in [*ROOT.glob("src/fastapi_architect/[a-p]*/**/*.py"), *ROOT.glob("examples/**/*.py")]:
        parsed = parse_file(path.read_bytes(), path.name)
        if not isinstance(parsed, ir.ParsedModule):
            continue
        told = {
            name
            for line in import_lines(path.read_text(encoding="utf-8"))
            if line.runs and not line.target.startswith(".")
            for name in ([line.target] if line.target else [each for each, _ in line.names])
        }
        if missing := set(absolute_imports(parsed)) - told:
            differing.append((path.name, missing))
    assert differing == []


@pytest.mark.parametrize(
    "text",
    [
        "import a, " * 60_000,
        "from a import (" * 40_000,
        "from a import (\n" * 40_000,
        "from a import (\n" + "# )\n" * 150_000,
        "from a import \\\n" * 40_000,
        "def f():\n" + "    import a\n" * 60_000,
        ";" * 600_000 + "import a",
    ],
)
def test_the_work_grows_with_the_text_and_no_faster(text: str) -> None:
    def steps(given: str) -> int:
        counted = 0

        def count(_frame: object, _event: str, _argument: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            import_lines(given)
        finally:
            sys.setprofile(None)
        return counted

    assert steps(text) < 3 * steps(text[: len(text) // 2]) + 1000
