"""`make new-rule` writes a file that is a rule, in the order rules have."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_architect.proving.child import load_rule
from fastapi_architect.proving.new_rule import BadName, create, main
from fastapi_architect.proving.unproved import unproved


def test_the_file_lies_in_its_category_and_is_a_rule(tmp_path: Path) -> None:
    path = create("security/injection/sql-in-a-made-up-place", tmp_path)

    assert path == tmp_path / "security" / "injection" / "sql_in_a_made_up_place.py"
    assert (tmp_path / "security" / "injection" / "__init__.py").exists()
    rule = load_rule("x.rules.security.injection.sql_in_a_made_up_place", str(path))
    assert rule.name == "sql-in-a-made-up-place"
    assert (rule.demonstration_kind, len(rule.checks)) == ("exploit", 1)
    assert "# finding: sql-in-a-made-up-place" in rule.bad
    text = path.read_text()
    parts = ['"""', "rule = Rule(", "@rule.check", "rule.bad", "rule.good", "@rule.exploit"]
    assert sorted(parts, key=text.index) == parts


def test_other_categories_count_a_symptom(tmp_path: Path) -> None:
    path = create("performance/something_slow", tmp_path)

    assert load_rule("x.rules.performance.something_slow", str(path)).demonstration_kind == "symptom"


@pytest.mark.parametrize(
    "place", ["sql", "nonsense/sql", "security/a/b/c", "security/Injection/x", "security/1x"]
)
def test_a_place_that_is_none_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(BadName, match="must"):
        create(place, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_name_is_never_used_twice(tmp_path: Path) -> None:
    create("security/injection/once", tmp_path)

    with pytest.raises(BadName, match="never reused"):
        create("performance/once", tmp_path)


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense/x"]) == 2
    assert "must begin with a category" in capsys.readouterr().err


def test_rules_without_a_demonstration_are_listed_with_their_reasons(tmp_path: Path) -> None:
    rule = load_rule("x.rules.performance.quiet", str(create("performance/quiet", tmp_path)))
    assert unproved([rule]) == []
    rule.demonstration = None
    rule.no_proof = "it is about names"

    assert unproved([rule]) == [("quiet", "it is about names")]
