"""The CVSS 3.1 base score is FIRST's, and facts change a vector only where they are facts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_architect.findings.cvss import CvssError, adjust, base_score, parse, score, severity_for
from fastapi_architect.findings.finding import Context
from fastapi_architect.findings.severity import Severity

ROUTE = "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N"

vectors = st.builds(
    "CVSS:3.1/AV:{}/AC:{}/PR:{}/UI:{}/S:{}/C:{}/I:{}/A:{}".format,
    *map(st.sampled_from, ["NALP", "LH", "NLH", "NR", "UC", "HLN", "HLN", "HLN"]),
)
contexts = st.builds(
    Context,
    access=st.sampled_from([None, "none", "optional", "user", "scoped", "admin", "internal"]),
    network=st.sampled_from(["network", "adjacent", "local"]),
    data=st.sampled_from([None, "secret", "personal", "internal", "public"]),
    writes=st.sampled_from([None, True, False]),
    reads=st.sampled_from([None, True, False]),
    hard=st.booleans(),
    stops_process=st.sampled_from([None, True, False]),
    missing_check=st.booleans(),
)


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        # From FIRST's "CVSS v3.1 Examples": CVE-2013-0375, CVE-2014-3566, CVE-2014-0160, CVE-2014-6271,
        # CVE-2013-1937, CVE-2012-1516 and CVE-2014-2005 are among them.
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", 9.9),
        ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8),
        ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 6.8),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        (ROUTE, 8.1),
    ],
)
def test_published_scores_are_reproduced(vector, expected):
    assert score(vector) == expected


@given(vectors)
def test_a_score_is_a_tenth_between_zero_and_ten(vector):
    value = score(vector)
    assert 0 <= value <= 10
    assert value == round(value, 1)


@given(vectors)
def test_a_vector_survives_parsing_and_printing(vector):
    assert str(parse(vector)) == vector


@given(vectors, st.sampled_from(["AV", "AC", "PR", "UI", "C", "I", "A"]), st.data())
def test_a_harder_attack_or_a_smaller_loss_never_raises_the_score(vector, metric, data):
    order = {"AV": "NALP", "AC": "LH", "PR": "NLH", "UI": "NR", "C": "HLN", "I": "HLN", "A": "HLN"}[metric]
    grave, mild = sorted(data.draw(st.tuples(*[st.sampled_from(range(len(order)))] * 2)))
    parts = dict(part.split(":") for part in vector.split("/"))
    texts = ["/".join(f"{k}:{v}" for k, v in {**parts, metric: order[i]}.items()) for i in (grave, mild)]
    assert score(texts[0]) >= score(texts[1])


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("AV:N/AC:L", "CVSS:3.1/"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.1/"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "lacks A"),
        ("CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV is one of N, A, L, P"),
        ("CVSS:3.1/AV:N/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV twice"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:P", "not a base metric"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:", "A is one of"),
    ],
)
def test_a_wrong_vector_is_refused_with_the_part_that_is_wrong(text, part):
    with pytest.raises(CvssError, match=part):
        parse(text)


@given(vectors)
def test_nothing_known_changes_nothing(vector):
    assert adjust(vector, Context()) == (vector, score(vector), ())


@given(vectors, contexts)
def test_adjusting_twice_by_the_same_facts_changes_nothing_more(vector, context):
    once = adjust(vector, context)
    assert adjust(once.vector, context) == (once.vector, once.score, ())


@given(vectors, contexts)
def test_the_rule_alone_fixes_interaction_and_scope_and_every_change_is_noted(vector, context):
    adjusted = adjust(vector, context)
    before, after = parse(vector), parse(adjusted.vector)
    changed = [
        name
        for name in ("AV", "AC", "PR", "UI", "S", "C", "I", "A")
        if getattr(before, name) != getattr(after, name)
    ]
    assert (after.UI, after.S) == (before.UI, before.S)
    assert sorted(note.split(":")[0] for note in adjusted.notes) == sorted(changed)
    assert adjusted.score == base_score(after)


def test_the_worked_example_of_the_catalogue_is_minor_behind_a_staff_role():
    context = Context(access="admin", data="internal", writes=False, missing_check=True)
    adjusted = adjust(ROUTE, context)
    assert adjusted == (
        "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:L/I:N/A:N",
        2.7,
        (
            "PR:L -> PR:H, needs a privileged account or an internal key",
            "C:H -> C:L, internal data is at stake",
            "I:H -> I:N, nothing is written",
        ),
    )
    assert severity_for(Severity.CRITICAL, adjusted.score, context) is Severity.MINOR


@pytest.mark.parametrize(
    ("access", "privileges"),
    [
        ("none", "N"),
        ("optional", "N"),
        ("user", "L"),
        ("scoped", "L"),
        ("admin", "H"),
        ("internal", "H"),
        (None, "L"),
    ],
)
def test_privileges_follow_the_weakest_way_in(access, privileges):
    adjusted = parse(adjust(ROUTE, Context(access=access)).vector)
    assert privileges == adjusted.PR


def test_a_missing_check_needs_an_account_unless_the_route_is_open():
    open_route = ROUTE.replace("PR:L", "PR:N")
    assert parse(adjust(open_route, Context(missing_check=True)).vector).PR == "L"
    assert parse(adjust(open_route, Context(missing_check=True, access="none")).vector).PR == "N"


def test_a_delete_discloses_nothing():
    assert parse(adjust(ROUTE, Context(data="personal", writes=True, reads=False)).vector).C == "N"


def test_an_unreached_place_is_not_scored_and_one_step_milder():
    context = Context(reached=False)
    assert adjust(ROUTE, context)[:2] == (None, None)
    assert severity_for(Severity.CRITICAL, None, context) is Severity.IMPORTANT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (9.8, Severity.CRITICAL),
        (7.0, Severity.CRITICAL),
        (6.9, Severity.IMPORTANT),
        (4.0, Severity.IMPORTANT),
        (3.9, Severity.MINOR),
        (0.1, Severity.MINOR),
        (0.0, Severity.INFO),
        (None, Severity.CRITICAL),
    ],
)
def test_the_band_of_the_score_bounds_the_severity(value, expected):
    assert severity_for(Severity.CRITICAL, value, Context()) is expected


def test_the_cap_of_the_rule_bounds_the_severity_and_test_code_lowers_it():
    assert severity_for(Severity.MINOR, 9.8, Context()) is Severity.MINOR
    assert severity_for(Severity.IMPORTANT, 9.8, Context(test_code=True)) is Severity.MINOR
    assert severity_for(Severity.INFO, None, Context(test_code=True)) is Severity.INFO
