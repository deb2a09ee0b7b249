"""Finding the files that end the analysis, by what a run without some of them comes to."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import msgspec
import pytest

from fastapi_architect.secapi.sandbox.guilty import Search, find_guilty
from fastapi_architect.secapi.sandbox.job import Result, Walls
from fastapi_architect.secapi.sandbox.process import Outcome

LIVED = Outcome(Result(msgspec.Raw(b"{}"), (), frozenset()), Walls())


class Runs:
    """An analysis that dies with some files, as often as it may be run."""

    def __init__(self, guilty: set[str], most: int = 1000) -> None:
        self.guilty = guilty
        self.most = most
        self.asked: list[frozenset[str]] = []

    def __call__(self, files: Sequence[str]) -> Outcome | None:
        if len(self.asked) == self.most:
            return None
        self.asked.append(frozenset(files))
        return Outcome(None, Walls(), "it failed") if self.guilty & set(files) else LIVED


def searched(number: int, runs: Runs) -> Search:
    return find_guilty([str(each) for each in range(number)], "it failed", runs)


@pytest.mark.parametrize("number", [1, 2, 3, 7, 64, 1000])
def test_one_guilty_file_takes_about_as_many_runs_as_its_number_has_bits(number: int) -> None:
    for guilty in {0, number // 2, number - 1}:
        runs = Runs({str(guilty)})
        found = searched(number, runs)
        assert found.guilty == {str(guilty): "it failed"}
        assert len(runs.asked) <= math.ceil(math.log2(number)) + 1


@pytest.mark.parametrize("seed", range(30))
def test_any_number_of_guilty_files_is_found_and_the_last_run_that_lived_had_all_others(seed: int) -> None:
    chance = random.Random(seed)
    number = chance.randrange(2, 60)
    guilty = {str(chance.randrange(number)) for _ in range(chance.randrange(1, 6))}
    runs = Runs(guilty)
    found = searched(number, runs)
    assert set(found.guilty) == guilty
    others = {str(each) for each in range(number)} - guilty
    if others:
        assert found.outcome is LIVED
        assert max((each for each in runs.asked if not each & guilty), key=len) == others


@pytest.mark.parametrize("most", range(12))
def test_a_search_that_may_not_go_on_leaves_out_whole_what_it_has_not_told_apart(most: int) -> None:
    runs = Runs({"3", "30"}, most)
    found = searched(40, runs)
    lived = [each for each in runs.asked if not each & runs.guilty]
    if found.outcome is None:
        assert not lived
    else:
        assert set(found.guilty) | max(lived, key=len) == {str(each) for each in range(40)}
    assert runs.guilty <= set(found.guilty)
