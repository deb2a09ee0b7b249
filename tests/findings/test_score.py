"""The score falls with every finding, explains itself, and cannot be padded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.findings.samples import a_finding, a_rule

from fastapi_architect.findings.score import grade, score
from fastapi_architect.findings.severity import Category, Confidence, Severity

NAMES = ["a-rule", "b-rule", "c-rule"]
findings = st.builds(
    lambda name, severity, confidence, cvss: a_finding(
        a_rule(name, list(Category)[NAMES.index(name)]),
        severity=severity,
        confidence=confidence,
        cvss_score=cvss,
    ),
    st.sampled_from(NAMES),
    st.sampled_from(Severity),
    st.sampled_from(Confidence),
    st.one_of(st.none(), st.integers(0, 100).map(lambda tenths: tenths / 10)),
)
projects = st.tuples(st.lists(findings, max_size=25), st.integers(0, 2000))


def test_a_project_without_findings_scores_a_hundred():
    result = score([], 10)
    assert (result.value, result.grade, result.raw, result.losses) == (100, "A", 100.0, ())


@given(projects, findings, st.integers(0, 25))
def test_one_more_finding_never_raises_any_score(project, extra, at):
    before, units = project
    after = [*before[:at], extra, *before[at:]]
    old, new = score(before, units), score(after, units)
    assert new.value <= old.value
    assert new.raw <= old.raw + 1e-9
    assert all(new.by_category[name] <= old.by_category[name] for name in old.by_category)


@given(projects, findings, st.data())
def test_a_graver_or_surer_finding_never_raises_the_score(project, target, data):
    others, units = project
    graver = data.draw(
        st.builds(
            lambda severity, confidence, cvss: replace(
                target, severity=severity, confidence=confidence, cvss_score=cvss
            ),
            st.sampled_from([each for each in Severity if each.rank >= target.severity.rank]),
            st.sampled_from([each for each in Confidence if each.rank >= target.confidence.rank]),
            st.just(None)
            if target.cvss_score is None
            else st.floats(target.cvss_score, 10).map(lambda value: round(value, 1)),
        )
    )
    assert score([*others, graver], units).value <= score([*others, target], units).value


@given(projects)
def test_losses_sum_to_what_is_missing_from_a_hundred(project):
    result = score(*project)
    assert sum(loss.points for loss in result.losses) == pytest.approx(100 - result.raw)


@given(projects)
def test_fixing_a_rule_gives_exactly_the_promised_score(project):
    active, units = project
    result = score(active, units)
    for loss in result.losses:
        rest = [finding for finding in active if finding.rule.name != loss.rule.name]
        assert loss.score_after == score(rest, units).value >= result.value


@given(projects, st.randoms())
def test_the_order_of_findings_does_not_matter(project, random):
    active, units = project
    shuffled = random.sample(active, len(active))
    assert score(shuffled, units) == score(active, units)


@pytest.mark.parametrize(
    ("criticals", "most"), [(0, 100), (1, 69), (2, 59), (3, 49), (4, 39), (5, 29), (9, 29)]
)
def test_criticals_set_a_ceiling(criticals, most):
    assert score([a_finding() for _ in range(criticals)], 100_000).ceiling == most
    assert score([a_finding() for _ in range(criticals)], 1_000_000_000).value == most


def test_a_tentative_critical_sets_no_ceiling():
    assert score([a_finding(confidence=Confidence.TENTATIVE)], 50).ceiling == 100


def test_the_sample_of_the_catalogue_scores_42():
    idor = a_rule("idor-object-fetched-without-owner-scope")
    loading = a_rule("n-plus-one-lazy-attribute-in-loop", Category.DATABASE, Severity.IMPORTANT)
    docs = a_rule("api-docs-exposed", severity=Severity.MINOR)
    active = [
        *[a_finding(idor, confidence=Confidence.FIRM, cvss_score=8.1)] * 2,
        *[a_finding(loading)] * 5,
        a_finding(docs, cvss_score=5.3),
    ]
    result = score(active, 60)
    assert (result.value, round(result.raw, 2), result.ceiling) == (42, 42.95, 59)
    # The catalogue prints 30.3, 25.4 and 1.4: it rounded the raw score before dividing it up.
    assert [(loss.rule.name, round(loss.points, 2)) for loss in result.losses] == [
        ("idor-object-fetched-without-owner-scope", 30.31),
        ("n-plus-one-lazy-attribute-in-loop", 25.35),
        ("api-docs-exposed", 1.39),
    ]


def test_ten_injections_cost_more_than_one():
    values = [score([a_finding()] * count, 50).raw for count in (1, 10)]
    assert values[1] < values[0] / 2


def test_a_category_is_scored_by_its_own_findings_alone():
    result = score([a_finding(a_rule("slow", Category.PERFORMANCE, Severity.IMPORTANT))], 50)
    assert [name for name, value in result.by_category.items() if value < 100] == ["performance"]


def test_grades_begin_where_the_catalogue_says():
    assert [grade(value) for value in (100, 90, 89, 75, 74, 60, 59, 40, 39, 0)] == list("AABBCCDDEE")
