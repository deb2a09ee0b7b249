"""What patterns let through, read from their text and compared with what they match."""

import random
import re

import pytest

from fastapi_architect.dataflow.patterns import is_anchored, is_closed_by_itself, pattern_allows

DANGEROUS = "'\"; ()\\"


@pytest.mark.parametrize(
    ("pattern", "allowed"),
    [
        (r"\w+", ""),
        (r"[a-z_]{1,20}", ""),
        (r"[A-Z]{3}-\d{2,}", ""),
        (r"(?:asc|desc)", ""),
        (r"(?P<name>[a-z]+)(\.[a-z]+)?", ""),
        (r"[\w ]+", " "),
        (r"[\w'-]+", "'"),
        (r".*", DANGEROUS),
        (r"[^;]+", "'\" ()\\"),
        (r"\S+", "'\";()\\"),
        (r"[^\w]", DANGEROUS),
        (r"a\(b\)", "()"),
        (r"[]'a]", "'"),
    ],
)
def test_which_dangerous_characters_a_pattern_lets_through(pattern, allowed):
    assert pattern_allows(pattern, DANGEROUS) == frozenset(allowed)


@pytest.mark.parametrize("pattern", [r"(?i)[a-z]+", r"(?=.*')\w+", r"^a+|.*$", "a" * 501, r"(?!x)y"])
def test_what_is_not_understood_is_no_guard(pattern):
    assert pattern_allows(pattern, DANGEROUS) is None


def test_anchors():
    assert is_anchored(r"^\w+$")
    assert is_anchored(r"\A\w+\Z")
    assert not is_anchored(r"\w+$")
    assert not is_anchored(r"^\w+")
    assert not is_anchored(r"^\w+\$")
    assert is_closed_by_itself(r"\w+$")


@pytest.mark.parametrize("seed", range(300))
def test_no_text_that_matches_has_a_character_that_is_said_not_to_pass(seed):
    chance = random.Random(seed)
    atoms = [r"\w", r"\d", "[a-z]", "[^a-z]", "[' ]", "x", r"\.", ".", "(?:a|b)", "(c)", "[a-]", r"[\]']"]
    pattern = "".join(
        chance.choice(atoms) + chance.choice(("", "*", "+", "?", "{1,2}"))
        for _ in range(chance.randint(1, 4))
    )
    allowed = pattern_allows(pattern, DANGEROUS)
    assert allowed is not None
    alphabet = "abx1. " + DANGEROUS
    for _ in range(300):
        text = "".join(chance.choice(alphabet) for _ in range(chance.randint(0, 5)))
        if re.fullmatch(pattern, text):
            assert {c for c in text if c in DANGEROUS} <= allowed
