"""Security leads, criticals are never hidden, and the same findings always come in the same order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.findings.samples import a_finding, a_rule

from fastapi_architect.findings.order import ordered, select
from fastapi_architect.findings.severity import Category, Confidence, Severity

SQL = a_rule()
DOCS = a_rule("api-docs-exposed", severity=Severity.MINOR)
LOOP = a_rule("query-inside-loop", Category.DATABASE, Severity.IMPORTANT)
SLOW = a_rule("slow-work-in-request", Category.PERFORMANCE, Severity.IMPORTANT)
DEAD = a_rule("dead-code-on-app-graph", Category.CODE_QUALITY, Severity.MINOR)
BLOCK = a_rule("blocking-sleep-in-async", Category.ASYNC_PATTERNS, Severity.CRITICAL)

findings = st.lists(
    st.builds(
        lambda rule, severity, line, impact, confidence: a_finding(
            rule, severity=severity, line=line, impact=impact, confidence=confidence
        ),
        st.sampled_from([SQL, DOCS, LOOP, SLOW, DEAD, BLOCK]),
        st.sampled_from(Severity),
        st.integers(1, 9),
        st.sampled_from([0.0, 1.0, 50.0]),
        st.sampled_from(Confidence),
    ),
    max_size=60,
)


def names(found):
    return [each.rule.name for each in found]


def test_security_leads_even_a_minor_one():
    assert names(ordered([a_finding(LOOP), a_finding(BLOCK), a_finding(DOCS), a_finding(SQL)])) == [
        "sql-injection-raw-statement",
        "api-docs-exposed",
        "blocking-sleep-in-async",
        "query-inside-loop",
    ]


@given(findings, st.randoms())
def test_the_order_does_not_depend_on_the_input(found, random):
    assert ordered(random.sample(found, len(found))) == ordered(found)


@given(findings)
def test_every_critical_finding_is_shown_and_nothing_is_lost_from_the_count(found):
    selection = select(ordered(found))
    criticals = [each for each in found if each.severity is Severity.CRITICAL]
    assert sum(each.severity is Severity.CRITICAL for each in selection.shown) == len(criticals)
    assert len(selection.shown) + sum(selection.hidden.values()) == len(found)
    assert selection.shown == ordered(selection.shown)


@given(findings)
def test_everything_shows_everything(found):
    selection = select(ordered(found), everything=True)
    assert (selection.shown, selection.hidden) == (ordered(found), {})


def test_forty_criticals_of_one_rule_in_one_file_are_all_shown():
    assert len(select([a_finding(SQL, line=line) for line in range(1, 41)]).shown) == 40


def test_the_five_performance_findings_with_the_largest_impact_are_shown():
    found = ordered(
        [
            *[a_finding(LOOP, line=queries, impact=float(queries)) for queries in (2, 51, 7)],
            *[
                a_finding(SLOW, path=f"app/{line}.py", line=line, impact=float(line))
                for line in (90, 3, 60, 1)
            ],
        ]
    )
    selection = select(found)
    assert sorted((each.impact for each in selection.shown), reverse=True) == [90, 60, 51, 7, 3]
    assert selection.hidden == {Category.DATABASE: 1, Category.PERFORMANCE: 1}


def test_five_code_quality_improvements_are_shown():
    found = ordered([a_finding(DEAD, path=f"app/{number}.py") for number in range(9)])
    assert len(select(found).shown) == 5


def test_other_rules_show_three_findings_a_file():
    found = ordered(
        [
            *[a_finding(DOCS, line=line) for line in range(1, 6)],
            *[a_finding(DOCS, path="app/other.py", line=line) for line in range(1, 3)],
        ]
    )
    selection = select(found)
    assert [(each.location.path, each.location.line) for each in selection.shown] == [
        ("app/other.py", 1),
        ("app/other.py", 2),
        ("app/users.py", 1),
        ("app/users.py", 2),
        ("app/users.py", 3),
    ]
    assert selection.hidden == {Category.SECURITY: 2}
