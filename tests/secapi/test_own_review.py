"""Our own reviewer has nothing to say about SecAPI."""

from __future__ import annotations

from pathlib import Path

import fastapi_architect.secapi
from fastapi_architect.review.config import load
from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.rules.catalog import all_rules

FOLDER = Path(fastapi_architect.secapi.__file__).parent


def test_the_service_that_reviews_others_scores_100_with_few_exceptions() -> None:
    done = review(Request(path=FOLDER, config=load(FOLDER, all_rules().values())))

    assert [f"{each.rule.name} {each.location}: {each.issue}" for each in done.findings] == []
    assert (done.score.value, done.not_analysed) == (100, ())
    assert len(done.suppressed) <= 5
    assert all(each.by == "comment" and len(each.reason) > 40 for each in done.suppressed)
