"""The sample files in `facts/` say in comments which concepts and types each line has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.libraries.facts_format import FACTS, differences, expected_types, found_types, load

SAMPLES = sorted(FACTS.glob("*.py"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_concepts_are_those_of_the_comments(path: Path) -> None:
    assert differences(load(path)) == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_types_are_those_of_the_comments(path: Path) -> None:
    sample = load(path)
    expected = expected_types(sample)
    found = found_types(sample)
    assert {line: found.get(line) for line in expected} == expected


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 10
