"""What a rule says arrives whole, in the reader's own names, and its code parses."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from tests.rules.kit import cases, does_not_parse, files_at, findings_in_case, findings_of

import fastapi_architect
from fastapi_architect.findings.finding import Finding
from fastapi_architect.report import wording
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.rules.kit import Rule, files_of

SOURCE = Path(fastapi_architect.__file__).parent
CASES = [pytest.param(name, path, id=f"{name}/{path.stem}") for name, path in cases()]
RULES = [pytest.param(rule, id=name) for name, rule in all_rules().items()]

#: Things that our examples are about, and other words for them.
NOUNS = {
    "book": "quern", "shop": "fulcrum", "invoice": "dossier", "review": "critique", "author": "scribe",
    "article": "bulletin", "order": "consignment", "basket": "crate", "note": "memo", "loan": "lease",
}  # fmt: skip
#: Words that are not the noun: `ORDER BY`, in order to, please note.
_ALSO_A_WORD = {
    "order": r"orders|order_id|create_order",
    "note": r"notes|note_id",
    "review": r"reviews|review_id",
}


def texts_of(finding: Finding) -> str:
    """All that a reader is told, examples of the rule's page apart."""
    return "\n".join(
        [
            finding.issue,
            wording.reasoning(finding),
            wording.exploit(finding),
            wording.suggestion(finding),
            finding.fix.title if finding.fix is not None else "",
        ]
    )


def test_no_text_loses_its_end_to_a_line_of_its_own() -> None:
    """An f-string on a line of its own is a statement without effect: mostly the rest of the text above it."""
    lost = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.JoinedStr)
    ]
    assert lost == []


@pytest.mark.parametrize(("name", "path"), CASES)
def test_code_in_texts_about_hard_cases_parses(name: str, path: Path) -> None:
    findings = findings_in_case(name, path)
    texts = [(str(f.location), text) for f in findings for text in (f.issue, f.exploit, f.suggestion)]

    assert [(where, reason) for where, text in texts for reason in does_not_parse(text)] == []
    assert [where for where, text in texts if text.count("```") % 2] == []


def test_every_finding_says_how_it_is_attacked_or_shows_at_its_own_place() -> None:
    """Without `exploit`, reports would show the demonstration's sentence, which is about our example."""
    without = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in sorted((SOURCE / "rules").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "rule.at"
        and "exploit" not in {keyword.arg for keyword in node.keywords}
    ]
    assert without == []


@pytest.mark.parametrize("rule", RULES)
def test_texts_follow_the_readers_nouns(rule: Rule) -> None:
    """The bad example about other things: none of the things it was about is left in what is said."""
    renamed = {in_other_words(path): in_other_words(text) for path, text in files_of(rule.bad).items()}

    assert [said for f in findings_of(renamed, rule) if (said := nouns_in(texts_of(f)))] == []


@pytest.mark.parametrize(("name", "path"), CASES)
def test_texts_about_hard_cases_name_nothing_that_is_not_there(name: str, path: Path) -> None:
    there = nouns_in(" ".join([path.name, *(part for pair in files_at(path).items() for part in pair)]))

    assert [said for f in findings_in_case(name, path) if (said := nouns_in(texts_of(f)) - there)] == []


def in_other_words(text: str) -> str:
    """A program about other things: every noun replaced, in every spelling that names have."""
    for noun, other in NOUNS.items():
        ending = r"(?=s?(?![a-z]))" if noun != "order" else r"(?=s?(?![a-z]|_by))"
        text = re.sub(rf"(?<![A-Za-z]){noun}{ending}", other, text)
        text = re.sub(rf"{noun.capitalize()}{ending}", other.capitalize(), text)
        text = re.sub(rf"(?<![A-Z]){noun.upper()}(?=S?(?![A-Z]| BY))", other.upper(), text)
    return text


def nouns_in(text: str) -> frozenset[str]:
    """Nouns of the examples that stand in a text."""
    return frozenset(
        noun
        for noun in NOUNS
        if re.search(rf"(?<![A-Za-z])(?:{_ALSO_A_WORD.get(noun, f'{noun}s?')})(?![a-z])", text)
        or re.search(rf"(?<=[a-z0-9_`]){noun.capitalize()}s?(?![a-z])", text)
    )
