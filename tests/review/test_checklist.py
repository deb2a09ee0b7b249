"""The checklist passes what was looked at and found right, and never what nobody looked at."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.findings.samples import a_finding

from fastapi_architect.findings.severity import Confidence
from fastapi_architect.review.checklist import GUARANTEES, ITEMS, QUALITY, SECURITY, checklist

EVERY = {name for item in ITEMS for name in (*item.essential, *item.others)}
SUBJECTS = {"operations": 3, "queries": 2, "async functions": 4, "files": 5}
TITLE = "Queries are parameterised"


def verdict(title=TITLE, findings=(), built=EVERY, ran=EVERY, subjects=SUBJECTS):
    [item] = [
        each for each in checklist(findings, built=built, ran=ran, subjects=subjects) if each.title == title
    ]
    return item.verdict, item.findings, item.note


def test_the_sections_have_the_promised_number_of_items():
    assert Counter(item.section for item in ITEMS) == {QUALITY: 10, SECURITY: 6, GUARANTEES: 7}


def test_every_title_is_its_own_and_every_item_has_an_essential_rule():
    assert len({item.title for item in ITEMS}) == len(ITEMS)
    assert [item.title for item in ITEMS if not item.essential] == []
    assert [item.title for item in ITEMS if set(item.essential) & set(item.others)] == []


def test_clean_code_passes_every_item():
    items = checklist([], built=EVERY, ran=EVERY, subjects=SUBJECTS)
    assert {item.verdict for item in items} == {"pass"}
    assert verdict() == ("pass", 0, "4 rules found nothing")


def test_a_finding_fails_the_item_and_the_count_is_named():
    found = [a_finding(line=1), a_finding(line=2), a_finding("nosql-operator-injection")]
    assert verdict(findings=found) == ("fail", 3, "3 findings")


def test_findings_that_are_known_elsewhere_fail_the_item_too():
    items = checklist(
        [], built=EVERY, ran=EVERY, subjects=SUBJECTS, unreported=[a_finding(line=1), a_finding(line=2)]
    )
    [item] = [each for each in items if each.title == TITLE]
    assert (item.verdict, item.findings, item.note) == ("fail", 0, "2 findings not reported here")
    [item] = [
        each
        for each in checklist(
            [a_finding()], built=EVERY, ran=EVERY, subjects=SUBJECTS, unreported=[a_finding(line=2)]
        )
        if each.title == TITLE
    ]
    assert (item.verdict, item.findings, item.note) == ("fail", 1, "1 finding and 1 not reported here")


def test_a_finding_fails_even_when_an_essential_rule_is_missing():
    built = EVERY - {"sql-injection-dynamic-identifier"}
    assert verdict(findings=[a_finding()], built=built, ran=built) == ("fail", 1, "1 finding")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"built": EVERY - {"sql-injection-raw-statement"}}, "not checked yet: sql-injection-raw-statement"),
        ({"ran": EVERY - {"sql-injection-raw-statement"}}, "deselected: sql-injection-raw-statement"),
        ({"subjects": {**SUBJECTS, "queries": 0}}, "no queries found"),
        ({"subjects": {}}, "no queries found"),
    ],
)
def test_what_was_not_looked_at_is_not_assessed(changes, note):
    assert verdict(**changes) == ("not-assessed", 0, note)


def test_a_rule_that_is_not_essential_may_be_missing():
    assert verdict(ran=EVERY - {"nosql-operator-injection"}) == ("pass", 0, "3 rules found nothing")


def test_a_tentative_finding_is_mentioned_and_fails_nothing():
    found = [a_finding(confidence=Confidence.TENTATIVE)]
    assert verdict(findings=found) == ("pass", 0, "4 rules found nothing; 1 tentative")
