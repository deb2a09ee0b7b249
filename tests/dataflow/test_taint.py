"""The values of the taint analysis form a lattice, and reading a field commutes with joining."""

import random

import pytest
from tests.appgraph.sample import program_of

from fastapi_architect.dataflow.path import MAX_STEPS, Trace, flattened
from fastapi_architect.dataflow.taint import (
    CLEAN,
    KEYS,
    MAX_LABELS,
    Taint,
    assigned,
    at_position,
    collapsed,
    element_of,
    limited,
    masked,
    merge,
    normal,
    project,
    same,
    whole,
)

STEPS = ("a", "b", "[k]")
LABELS = (("p",), ("q",), ("p", "a"), ("q", "[k]"), ("r", "a", "b"))


def value(chance: random.Random, depth: int = 2) -> Taint:
    labels = {
        label: (chance.randint(1, 3), None) for label in chance.sample(LABELS, chance.choice((0, 0, 1, 2)))
    }
    fields = {}
    if depth:
        fields = {
            step: value(chance, depth - 1) for step in chance.sample(STEPS, chance.choice((0, 0, 1, 2)))
        }
    return normal(labels, fields)


def below(left: Taint, right: Taint) -> bool:
    """Whatever `left` may be, `right` may be, too: as a whole and at every field."""
    return not _missing(left, right) and all(
        below(project(left, step), project(right, step)) for step in left.fields.keys() | right.fields.keys()
    )


def _missing(left: Taint, right: Taint) -> dict:
    there = whole(right)

    def mask_of(label: tuple[str, ...]) -> int:
        mask = 0
        for length in range(1, len(label) + 1):
            mask |= there.get(label[:length], (0, None))[0]
        return mask

    return {label: mask for label, (mask, _) in whole(left).items() if mask & ~mask_of(label)}


@pytest.mark.parametrize("seed", range(300))
def test_a_join_is_above_both_sides_and_adds_nothing_twice(seed):
    chance = random.Random(seed)
    left, right = value(chance), value(chance)
    joined = merge(left, right)
    assert below(left, joined)
    assert below(right, joined)
    assert below(joined, merge(right, left))
    assert merge(joined, left) is joined
    assert merge(joined, right) is joined
    assert merge(joined, joined) is joined


@pytest.mark.parametrize("seed", range(100))
def test_joins_grow_and_end(seed):
    chance = random.Random(seed)
    current, changes = CLEAN, 0
    for _ in range(200):
        following = merge(current, limited(value(chance)))
        assert below(current, following)
        changes += following is not current
        current = following
    assert changes < 60


@pytest.mark.parametrize("seed", range(100))
def test_a_field_that_was_set_is_what_it_was_set_to(seed):
    chance = random.Random(seed)
    old, new = value(chance), limited(value(chance), 1)
    assert same(project(assigned(old, ("a",), new), "a"), new)
    others = [step for step in STEPS if step != "a"]
    assert all(same(project(assigned(old, ("a",), new), s), project(old, s)) for s in others)


def test_a_clean_field_of_a_tainted_value_stays_clean():
    tainted = Taint({("p",): (1, None)})
    changed = assigned(tainted, ("a",), CLEAN)
    assert project(changed, "a") is CLEAN
    assert project(changed, "b").labels == {("p", "b"): (1, None)}
    assert collapsed(changed).labels == {("p",): (1, None)}
    assert project(merge(changed, tainted), "a").labels == {("p", "a"): (1, None)}


def test_kinds_are_cleared_one_by_one():
    both = Taint({("p",): (3, None)}, {"a": Taint({("q",): (2, None)})})
    assert same(masked(both, 1), Taint({("p",): (1, None)}, {"a": CLEAN}))
    assert masked(both, 0) is CLEAN


def test_a_path_within_a_path_adds_nothing():
    order = Taint({("order",): (1, None)})
    assert merge(order, Taint({("order", "name"): (1, None)})) is order


def test_more_labels_than_may_be_are_left_out():
    many = CLEAN
    for number in range(2 * MAX_LABELS):
        many = merge(many, Taint({(f"p{number}",): (1, None)}))
    assert len(many.labels) == MAX_LABELS


def test_paths_deeper_than_may_be_are_folded():
    deep = Taint({("p",): (1, None)})
    for _ in range(5):
        deep = project(deep, "next")
    assert list(deep.labels) == [("p", "next", "next")]


def test_a_way_that_unfolds_without_end_is_cut():
    scope = program_of("def f(): ...").functions[0]
    trace = None
    for _ in range(60):
        trace = Trace("returned", scope, scope.node, "f", previous=trace, inner=trace)
    assert len(flattened(trace)) == MAX_STEPS


def test_parts_of_tuples_and_keys_of_mappings_are_told_apart():
    tainted = Taint({("p",): (1, None)})
    pair = normal({}, {"[0]": CLEAN, "[1]": tainted})
    assert at_position(pair, "[0]") is CLEAN
    assert at_position(pair, "[1]") is tainted
    mapping = normal({}, {"[name]": tainted})
    assert element_of(mapping) is CLEAN
    assert element_of(Taint({("p",): (1, None)}, {KEYS: CLEAN})) is CLEAN
    assert element_of(tainted) is tainted
