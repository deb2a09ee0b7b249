"""The hard cases: every small app in `corpus/<rule-name>/` is reviewed with its rule.

A file there is one app; so is a folder. Lines with `# finding: rule-name` are reported, all others are silent; what
follows the name, or `# silent: ...`, says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.kit import findings_of, marked, places, rule_named

from fastapi_architect.rules.catalog import all_rules

CORPUS = Path(__file__).parent / "corpus"


def cases() -> list[tuple[str, Path]]:
    """Rule names and their apps, sorted."""
    found = []
    for folder in sorted(p for p in CORPUS.iterdir() if p.is_dir() and p.name != "__pycache__"):
        found += [(folder.name, p) for p in sorted(folder.iterdir()) if p.name != "__pycache__"]
    return found


def files_at(path: Path) -> dict[str, str]:
    """An app as files; a single file keeps its name."""
    if path.is_file():
        return {path.name: path.read_text(encoding="utf-8")}
    inside = (p for p in sorted(path.rglob("*")) if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(path).as_posix(): p.read_text(encoding="utf-8") for p in inside}


@pytest.mark.parametrize(("name", "path"), [pytest.param(n, p, id=f"{n}/{p.stem}") for n, p in cases()])
def test_marked_lines_are_reported_and_all_others_are_silent(name: str, path: Path) -> None:
    rule = rule_named(name)
    assert rule is not None
    files = files_at(path)
    findings = findings_of(files, rule)

    assert marked(files, rule) == places(findings), [f"{f.location}: {f.issue}" for f in findings]


def test_every_folder_of_the_corpus_is_named_after_a_rule() -> None:
    assert [name for name, _ in cases() if name not in all_rules()] == []
