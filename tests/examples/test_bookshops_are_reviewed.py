"""The planted flaws are found, each on its line, and nothing else is; the same service done right scores 100."""

from __future__ import annotations

import io
import re
import shutil
import tokenize
from pathlib import Path

import pytest

from fastapi_architect.findings.finding import Finding
from fastapi_architect.review.config import Config
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.result import Review
from fastapi_architect.rules.catalog import all_rules

EXAMPLES = Path(__file__).parents[2] / "examples"
VULNERABLE = EXAMPLES / "bookshop_vulnerable"
MARKER = re.compile(r"#\s*finding:\s*([a-z0-9, -]+)")


def planted(root: Path) -> set[tuple[str, int, str]]:
    """(file, line, rule) of every marker in the tree."""
    found = set()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in {".py", ".txt", ".toml", ".ini", ".yml", ".yaml", ""}:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                marker = MARKER.search(line)
                for rule in re.split(r"[,\s]+", marker[1].strip()) if marker else ():
                    found.add((path.relative_to(root).as_posix(), number, rule))
    return found


def later() -> set[str]:
    """Rules that the next issue builds."""
    lines = (VULNERABLE / "expected_later.txt").read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def reviewed(root: Path) -> Review:
    return review(Request(root, Config(), cache=False))


@pytest.fixture(scope="module")
def vulnerable() -> Review:
    return reviewed(VULNERABLE)


def places(findings: tuple[Finding, ...]) -> set[tuple[str, int, str]]:
    return {(f.location.path, f.location.line, f.rule.name) for f in findings}


def test_every_planted_flaw_is_found_and_nothing_else(vulnerable: Review) -> None:
    expected = {mark for mark in planted(VULNERABLE) if mark[2] not in later()}
    found = places(vulnerable.findings)

    assert found - expected == set(), "reported without being planted"
    assert expected - found == set(), "planted without being reported"


def test_rules_that_come_later_are_planted_and_not_built() -> None:
    built = all_rules().keys()
    marked = {rule for _, _, rule in planted(VULNERABLE)}

    assert later() <= marked
    assert later() & built == set(), "built: take them out of expected_later.txt"
    assert marked - built - later() == set(), "planted, neither built nor expected later"


def test_at_least_forty_flaws_in_all_seven_categories_are_found(vulnerable: Review) -> None:
    assert len(vulnerable.findings) >= 40
    assert len({f.rule.category for f in vulnerable.findings}) == 7


def test_comments_have_no_influence(vulnerable: Review, tmp_path: Path) -> None:
    bare = tmp_path / VULNERABLE.name
    shutil.copytree(VULNERABLE, bare, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
    for path in bare.rglob("*.py"):
        path.write_text(without_comments(path.read_text(encoding="utf-8")), encoding="utf-8")

    assert places(reviewed(bare).findings) == places(vulnerable.findings)


def without_comments(text: str) -> str:
    """The same lines with every comment taken out."""
    lines = text.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column].rstrip() + ("\n" if line.endswith("\n") else "")
    return "".join(lines)


def test_the_same_service_done_right_scores_100_without_suppressions() -> None:
    right = reviewed(EXAMPLES / "bookshop")

    assert [f"{f.location} {f.rule.name}: {f.issue}" for f in right.findings] == []
    assert right.suppressed == ()
    assert right.score.value == 100
    assert "architect: allow" not in "".join(p.read_text() for p in (EXAMPLES / "bookshop").rglob("*.py"))
