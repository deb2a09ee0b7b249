"""The hard cases: every small app in `corpus/<rule-name>/` is reviewed with its rule.

A file there is one app; so is a folder. Lines with `# finding: rule-name` are reported, all others are silent; what
follows the name, or `# silent: ...`, says why.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.rules.kit import cases, files_at, findings_in_case, marked, places, rule_named

from fastapi_architect.rules.catalog import all_rules


@pytest.mark.parametrize(("name", "path"), [pytest.param(n, p, id=f"{n}/{p.stem}") for n, p in cases()])
def test_marked_lines_are_reported_and_all_others_are_silent(name: str, path: Path) -> None:
    rule = rule_named(name)
    assert rule is not None
    files = files_at(path)
    findings = findings_in_case(name, path)

    assert marked(files, rule) == places(findings), [f"{f.location}: {f.issue}" for f in findings]


def test_every_folder_of_the_corpus_is_named_after_a_rule() -> None:
    assert [name for name, _ in cases() if name not in all_rules()] == []
