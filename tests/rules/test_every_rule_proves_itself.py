"""Every rule keeps its promises: it finds what is marked, is silent on what is well, and its demonstration is real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.rules.kit import code_blocks, does_not_parse, findings_in, findings_of, fixed, marked

from fastapi_architect.findings import cvss
from fastapi_architect.findings.severity import Category
from fastapi_architect.proving.outcome import Outcome
from fastapi_architect.proving.prove import prove
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.rules.kit import Rule, files_of

DECISIONS = Path(__file__).parents[2] / "docs" / "decisions"
RULES = [pytest.param(rule, id=name) for name, rule in all_rules().items()]
DEMONSTRATED = [
    pytest.param(rule, id=name) for name, rule in all_rules().items() if rule.demonstration is not None
]
SECURITY = [pytest.param(r, id=n) for n, r in all_rules().items() if r.info.category is Category.SECURITY]


def runnable(outcome: Outcome) -> Outcome:
    """The outcome of a demonstration that could run: other versions skip, a missing package fails."""
    if outcome.kind == "unsuitable":
        pytest.skip(outcome.message)
    assert outcome.kind != "missing", outcome.message
    return outcome


def told(outcome: Outcome) -> str:
    return f"{outcome}\n{outcome.details}"


@pytest.mark.parametrize("rule", RULES)
def test_reports_the_marked_lines_of_the_bad_example_and_no_others(rule: Rule) -> None:
    bad = files_of(rule.bad)
    expected = marked(bad, rule)

    assert expected, f"the bad example has no comment `# finding: {rule.name}`"
    assert expected == findings_in(bad, rule)


@pytest.mark.parametrize("rule", RULES)
def test_is_silent_on_the_good_example(rule: Rule) -> None:
    good = files_of(rule.good)

    assert good != {"main.py": ""}
    assert findings_in(good, rule) == []


@pytest.mark.parametrize("rule", DEMONSTRATED)
def test_the_demonstration_works_on_the_bad_example(rule: Rule) -> None:
    outcome = runnable(prove(rule, "bad"))

    assert outcome.kind == "passed", told(outcome)


@pytest.mark.parametrize("rule", DEMONSTRATED)
def test_the_demonstration_fails_on_the_good_example_by_an_assertion_of_its_own(rule: Rule) -> None:
    outcome = runnable(prove(rule, "good"))

    assert outcome.kind == "failed", told(outcome)


@pytest.mark.parametrize("rule", RULES)
def test_the_fix_silences_the_finding_and_stops_the_demonstration(rule: Rule) -> None:
    bad = files_of(rule.bad)
    findings = findings_of(bad, rule)
    if not any(f.fix is not None and f.fix.edits for f in findings):
        pytest.skip("this rule's fix is left to a person")
    changed = fixed(bad, findings)

    assert changed != bad
    left = findings_of(changed, rule)
    for_people = [f for f in findings if f.fix is None or not f.fix.edits]
    assert len(left) <= len(for_people), f"still reported after the fix: {[str(f.location) for f in left]}"
    if rule.demonstration is not None:
        outcome = runnable(prove(rule, "fixed", changed))
        assert outcome.kind == "failed", told(outcome)


@pytest.mark.parametrize("rule", RULES)
def test_has_a_demonstration_or_says_why_there_is_none(rule: Rule) -> None:
    assert (rule.demonstration is None) == bool(rule.no_proof)
    if rule.demonstration is not None:
        assert (rule.demonstration.__doc__ or "").strip(), "its docstring is what readers are told about it"


@pytest.mark.parametrize("rule", SECURITY)
def test_a_security_rule_is_demonstrated_or_a_decision_says_why_not(rule: Rule) -> None:
    decided = sorted(DECISIONS.glob(f"*-{rule.name}.md"))

    assert rule.demonstration is not None or decided, (
        f"write docs/decisions/NNNN-{rule.name}.md, or an exploit"
    )


@pytest.mark.parametrize("rule", SECURITY)
def test_a_security_rule_names_its_weakness_and_has_a_vector_that_parses(rule: Rule) -> None:
    assert rule.cwe is not None
    assert rule.info.cvss_vector is not None
    assert cvss.score(rule.info.cvss_vector) > 0


@pytest.mark.parametrize("rule", RULES)
def test_describes_itself_in_full(rule: Rule) -> None:
    first = rule.docstring.split("\n")[0]

    assert re.fullmatch(r"[A-Z`\"'].{10,98}[^.]", rule.title), "one line, a capital first, no full stop"
    assert first.endswith("."), "the docstring begins with one sentence on one line"
    assert len(rule.docstring.splitlines()) > 1, "what goes wrong, and the known limits"
    assert rule.references, "at least one address"
    assert [r for r in rule.references if not re.fullmatch(r"https://[^\s<>]+\.[^\s<>]+", r)] == []
    if rule.cvss is not None:
        assert cvss.score(f"CVSS:3.1/{rule.cvss}") > 0


@pytest.mark.parametrize("rule", RULES)
def test_code_in_suggestions_parses(rule: Rule) -> None:
    findings = findings_of(files_of(rule.bad), rule)

    assert [reason for finding in findings for reason in does_not_parse(finding.suggestion)] == []
    assert [f.suggestion for f in findings if f.suggestion.count("```") % 2] == []


@pytest.mark.parametrize("rule", RULES)
def test_messages_and_suggestions_speak_in_the_readers_own_names(rule: Rule) -> None:
    bad = files_of(rule.bad)
    everything = " ".join([*bad, *bad.values()])
    nameless = []
    for finding in findings_of(bad, rule):
        said = re.findall(r"`([^`\n]+)`", finding.issue + "\n" + finding.suggestion)
        said += list(code_blocks(finding.suggestion))
        names = set(re.findall(r"[^\W\d]\w{2,}", " ".join(said)))
        if not any(re.search(rf"\b{re.escape(name)}\b", everything) for name in names):
            nameless.append(str(finding.location))

    assert nameless == []


def test_there_are_rules_to_prove() -> None:
    assert RULES
