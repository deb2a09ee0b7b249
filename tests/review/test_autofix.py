"""Fixes are made together, reviewed again, and undone where they do not help."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.rules.kit import write

from fastapi_architect.findings.finding import Finding, Fix
from fastapi_architect.report import patch
from fastapi_architect.review import autofix
from fastapi_architect.review.autofix import Fixes, Wanted, fix, moved
from fastapi_architect.review.config import Config
from fastapi_architect.review.pipeline import Request
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.rules.kit import AppGraph, Function, Rule, files_of
from fastapi_architect.source.edit import Edit
from fastapi_architect.source.location import Location
from fastapi_architect.source.replace_files import replace_files

CATALOGUE = Path(__file__).parents[2] / "docs" / "rule_catalogue.tsv"
EVERYTHING = Wanted(unsafe=True, contract=True)

SHOP = """
import time
import random

from fastapi import FastAPI, HTTPException

app = FastAPI()
orders = {1: "ä"}


@app.get("/wait")
async def wait() -> str:
    time.sleep(1)  # behind the call
    return "done"


@app.delete("/orders/{order_id}")
def cancel(order_id: int) -> str:
    try:
        if order_id not in orders:
            raise HTTPException(404)
        return orders.pop(order_id)
    except Exception as error:
        raise HTTPException(500) from error
"""


def fixes_of(folder: Path, wanted: Wanted = EVERYTHING, *rules: str) -> Fixes:
    """What `fix` makes of a folder with some rules."""
    return fix(Request(folder, Config(select=rules), cache=False), wanted)


def made_in(folder: Path, fixes: Fixes) -> dict[str, str]:
    """Write the fixes and read the files."""
    replace_files(folder, fixes.files)
    return {path: (folder / path).read_text(encoding="utf-8") for path in fixes.files}


# ── every rule ───────────────────────────────────────────────────────────────────────────────────────────────────

_RULES = [pytest.param(rule, id=name) for name, rule in all_rules().items()]


@pytest.mark.parametrize("rule", _RULES)
def test_the_fix_of_every_rule_goes_through_the_command(rule: Rule, tmp_path: Path) -> None:
    folder = write(files_of(rule.bad), tmp_path / "example")
    fixes = fixes_of(folder, EVERYTHING, rule.name)
    if not fixes.made and not fixes.undone:
        pytest.skip("this rule's fix is left to a person")

    assert fixes.undone == ()
    assert not [each for each in fixes.left if each.fix is not None and each.fix.edits]
    made_in(folder, fixes)
    again = fixes_of(folder, EVERYTHING, rule.name)
    assert (again.made, again.undone, dict(again.files)) == ((), (), {})


@pytest.mark.parametrize("rule", _RULES)
def test_no_fix_claims_to_be_safer_than_the_catalogue_says(rule: Rule, tmp_path: Path) -> None:
    with CATALOGUE.open(encoding="utf-8", newline="") as file:
        known = {row["name"]: row["fix"] for row in csv.DictReader(file, delimiter="\t")}
    folder = write(files_of(rule.bad), tmp_path / "example")
    for finding in fixes_of(folder, Wanted(), rule.name).made:
        assert finding.fix is not None
        assert finding.fix.safe
        assert not finding.fix.changes_contract
        assert known[rule.name] == "safe"


# ── files as they are ────────────────────────────────────────────────────────────────────────────────────────────

_SELECTED = ("blocking-sleep-in-async", "http-exception-swallowed")


def test_two_fixes_in_one_file_and_its_comments_stay(tmp_path: Path) -> None:
    write({"main.py": SHOP}, tmp_path)

    text = made_in(tmp_path, fixes_of(tmp_path, Wanted(), *_SELECTED))["main.py"]

    assert "await asyncio.sleep(1)  # behind the call\n" in text
    assert "    except HTTPException:\n        raise\n    except Exception as error:\n" in text


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_and_line_ends_stay(tmp_path: Path, mark: bytes, end: str) -> None:
    (tmp_path / "main.py").write_bytes(mark + SHOP.replace("\n", end).encode())

    fixes = fixes_of(tmp_path, Wanted(), *_SELECTED)
    after = fixes.files["main.py"].after

    assert len(fixes.made) == 2
    assert after.startswith(mark)
    assert after.count(codecs.BOM_UTF8) == bool(mark)
    assert after.count(b"\r\n") == (after.count(b"\n") if end == "\r\n" else 0)
    assert '"ä"'.encode() in after


def test_tabs_stay_tabs(tmp_path: Path) -> None:
    write({"main.py": SHOP.replace("    ", "\t")}, tmp_path)

    text = made_in(tmp_path, fixes_of(tmp_path, Wanted(), *_SELECTED))["main.py"]

    assert "\texcept HTTPException:\n\t\traise\n\texcept Exception as error:\n" in text
    assert "\n " not in text


def test_one_file_is_fixed_alone(tmp_path: Path) -> None:
    write({"pyproject.toml": "", "main.py": SHOP, "other.py": SHOP}, tmp_path)

    fixes = fix(Request(tmp_path / "other.py", Config(select=_SELECTED), cache=False), Wanted())

    assert list(fixes.files) == ["other.py"]


def test_the_patch_is_what_the_files_become(tmp_path: Path) -> None:
    write({"main.py": SHOP.rstrip("\n")}, tmp_path)
    fixes = fixes_of(tmp_path, Wanted(), "http-exception-swallowed")

    text = patch.render(fixes.files).decode()

    assert text.startswith("--- a/main.py\n+++ b/main.py\n@@ ")
    assert "+    except HTTPException:\n+        raise\n" in text
    assert text.endswith("\n\\ No newline at end of file\n")
    assert (tmp_path / "main.py").read_text() == SHOP.rstrip("\n")


# ── what may be made ─────────────────────────────────────────────────────────────────────────────────────────────


def test_unsafe_fixes_and_those_that_change_the_contract_have_to_be_allowed(tmp_path: Path) -> None:
    rules = all_rules()
    contract = rules["status-code-does-not-match-effect"]
    unsafe = rules["exception-text-returned-to-client"]
    write(files_of(contract.bad), tmp_path / "contract")
    write(files_of(unsafe.bad), tmp_path / "unsafe")

    kept = fixes_of(tmp_path / "contract", Wanted(unsafe=True), contract.name)
    assert not kept.files
    assert kept.lacking["--allow-contract-change"] >= 1
    assert fixes_of(tmp_path / "contract", Wanted(unsafe=True, contract=True), contract.name).files
    kept = fixes_of(tmp_path / "unsafe", Wanted(), unsafe.name)
    assert not kept.files
    assert kept.lacking["--unsafe"] == 1
    assert fixes_of(tmp_path / "unsafe", Wanted(unsafe=True), unsafe.name).files


# ── fixes that fail ──────────────────────────────────────────────────────────────────────────────────────────────

_FUNCTIONS = """
def alpha(): return 1


def beta(): return 2


def gamma(): return 3
"""


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> dict[str, Fix]:
    """A rule that dislikes functions by their names, with a fix for each."""
    fixes: dict[str, Fix] = {}
    made = Rule(
        "fastapi_architect.rules.code_quality.made_up",
        "Made up",
        severity=all_rules()["money-as-float"].severity,
    )

    @made.check(per=Function)
    def disliked(function: Function, graph: AppGraph) -> Iterator[Finding]:
        del graph
        if function.name in fixes:
            yield made.at(function, f"`{function.name}` is disliked.", fix=fixes[function.name])

    for module in (autofix, __import__("fastapi_architect.review.pipeline", fromlist=["pipeline"])):
        monkeypatch.setattr(module, "all_rules", lambda: {"made-up": made}, raising=False)
    return fixes


def renamed(name: str, new: str) -> Fix:
    """Write another name over a function's own."""
    line = next(i for i, text in enumerate(_FUNCTIONS.split("\n"), 1) if text.startswith(f"def {name}("))
    return Fix(f"Call it {new}", (Edit(Location("main.py", line, 4, line, 4 + len(name)), new),), safe=True)


def outcome(folder: Path, rule: Mapping[str, Fix]) -> tuple[list[str], list[tuple[str, str]], str]:
    """Symbols that were fixed, those undone with the reason, and the text."""
    assert rule
    write({"main.py": _FUNCTIONS}, folder)
    fixes = fixes_of(folder)
    text = made_in(folder, fixes).get("main.py", _FUNCTIONS)
    return [f.symbol for f in fixes.made], [(u.finding.symbol, u.reason) for u in fixes.undone], text


def test_a_fix_that_does_not_parse_is_undone_and_others_stay(tmp_path: Path, rule: dict[str, Fix]) -> None:
    rule["alpha"] = renamed("alpha", "one")
    rule["beta"] = renamed("beta", "not a name")

    made, undone, text = outcome(tmp_path, rule)

    assert made == ["main.alpha"]
    assert undone[0][0] == "main.beta"
    assert "main.py would not parse" in undone[0][1]
    assert text == _FUNCTIONS.replace("alpha", "one")


def test_a_fix_that_does_not_silence_its_finding_is_undone(tmp_path: Path, rule: dict[str, Fix]) -> None:
    rule["alpha"] = Fix("Write a comment", (Edit(Location("main.py", 2, 0, 2, 0), "# liked\n"),), safe=True)
    rule["gamma"] = renamed("gamma", "three")

    made, undone, text = outcome(tmp_path, rule)

    assert made == ["main.gamma"]
    assert undone == [("main.alpha", "the finding is still reported behind it")]
    assert text == _FUNCTIONS.replace("gamma", "three")


def test_overlapping_fixes_follow_each_other_in_order_of_places(tmp_path: Path, rule: dict[str, Fix]) -> None:
    whole = Edit(Location("main.py", 2, 0, 5, 8), "def one(): return 1\n\n\ndef beta")
    rule["alpha"] = Fix("Write it anew", (whole,), safe=True)
    rule["beta"] = renamed("beta", "two")

    made, undone, text = outcome(tmp_path, rule)

    assert made == ["main.alpha", "main.beta"]
    assert undone == []
    assert text == _FUNCTIONS.replace("alpha", "one").replace("beta", "two")


def test_a_fix_that_needs_what_is_not_there_is_undone(tmp_path: Path, rule: dict[str, Fix]) -> None:
    rule["alpha"] = Fix("Mend another file", (Edit(Location("../other.py", 1), "x"),), safe=True)

    made, undone, _ = outcome(tmp_path, rule)

    assert made == []
    assert undone == [("main.alpha", "../other.py cannot be edited: it is no file of the project")]


def test_equal_edits_of_two_fixes_are_made_once(tmp_path: Path, rule: dict[str, Fix]) -> None:
    header = Edit(Location("main.py", 1, 0, 1, 0), "import secrets\n")
    for name, new in (("alpha", "one"), ("gamma", "three")):
        rule[name] = Fix(f"Call it {new}", (header, *renamed(name, new).edits), safe=True)

    made, undone, text = outcome(tmp_path, rule)

    assert (made, undone) == (["main.alpha", "main.gamma"], [])
    assert text.count("import secrets") == 1


def test_lines_are_followed_through_edits() -> None:
    above = Edit(Location("a.py", 2, 0, 2, 0), "x\ny\n")
    inside = Edit(Location("a.py", 6, 4, 6, 9), "one\n    two")

    assert moved(5, 7, [above, inside]) == (7, 10)
    assert moved(1, 1, [above, inside]) == (1, 1)
    assert moved(8, 8, [above, inside]) == (11, 11)
