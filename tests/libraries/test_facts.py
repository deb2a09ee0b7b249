"""The sample files in `facts/` say in comments which concepts and types each line has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.libraries.facts_format import (
    FACTS,
    expected_concepts,
    expected_types,
    found_concepts,
    found_types,
    load,
    said,
)

SAMPLES = sorted(FACTS.glob("*.py"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_concepts_are_those_of_the_comments(path: Path) -> None:
    sample = load(path)
    expected = expected_concepts(sample)
    actual = {}
    for line, concepts in found_concepts(sample).items():
        named = {name: set().union(*(f for n, f in expected.get(line, []) if n == name)) for name, _ in expected.get(line, [])}
        actual[line] = sorted((said(sample, c, named.get(type(c).__name__, set())) for c in concepts), key=str)
    assert actual == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_types_are_those_of_the_comments(path: Path) -> None:
    sample = load(path)
    expected = expected_types(sample)
    found = found_types(sample)
    assert {line: found.get(line) for line in expected} == expected


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 10
