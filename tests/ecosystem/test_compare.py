"""The comparison with other checkers counts what they say, and the page shows what the command prints."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "comparison.md"


@pytest.fixture(scope="module")
def compare() -> ModuleType:
    specification = importlib.util.spec_from_file_location("compare", ROOT / "ecosystem" / "compare.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["compare"] = module
    specification.loader.exec_module(module)
    return module


def cells(table: str) -> dict[str, list[str]]:
    """First cell of a row to the others."""
    rows = re.findall(r"^\| (.*?) \| (.*) \|$", table, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}


def test_the_page_shows_what_the_command_counts(compare: ModuleType, tmp_path: Path) -> None:
    counted = cells(compare.table(compare.tools(None, None, tmp_path)))
    shown = cells(
        PAGE.read_text(encoding="utf-8")
        .partition("<!-- from ecosystem/compare.py -->")[2]
        .partition("\n\n")[0]
    )

    assert len(counted) > 10
    for name, values in counted.items():
        if not name.startswith("CPU"):
            assert shown[name][: len(values)] == values, name


def test_a_flaw_counts_as_found_when_its_line_is_named(compare: ModuleType) -> None:
    flaws = compare.planted()
    first = flaws[0]

    assert compare._found(flaws, compare.Result({(first.file, first.line)}, 0.0)) >= 1
    assert compare._found(flaws, compare.Result({(first.file, first.line + 100_000)}, 0.0)) == 0


def test_a_tool_that_prints_no_report_is_an_error_and_no_zero(compare: ModuleType) -> None:
    broken = compare.Tool("broken", "", (sys.executable, "-c", "print('oh')"), lambda said: set())

    with pytest.raises(RuntimeError, match="printed no JSON"):
        compare.run(broken, ROOT)
