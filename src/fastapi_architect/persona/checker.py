"""Holds an answer to what the persona promises, and says of each broken promise what to do.

It reads the answer, the evidence of the conversation and the project's files; it runs nothing and imports nothing of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from fastapi_architect.persona.answer import PARTS, Answer, NotAnAnswer, parse
from fastapi_architect.persona.evidence import Evidence
from fastapi_architect.persona.judged import Judged, Wrong
from fastapi_architect.persona.promises import claims, code, text
from fastapi_architect.persona.redaction import Redaction

__all__ = ["PROMISES", "Wrong", "check", "check_text"]

#: Each promise, in the order in which what breaks them is told.
PROMISES: tuple[Callable[[Judged], Iterator[Wrong]], ...] = (
    text.parts_are_filled,
    text.follow_ups_are_few,
    claims.findings_were_reported,
    claims.claims_come_from_tools,
    claims.rated_as_reported,
    claims.rules_exist,
    claims.security_comes_first,
    claims.no_all_clear,
    claims.said_without_hedging,
    text.files_exist,
    text.holds_no_secret,
    code.code_has_a_language,
    code.code_names_its_file,
    code.code_parses,
    code.names_are_imported,
    code.code_is_complete,
    code.patches_fit,
    text.is_short,
)


def check(
    answer: Answer,
    evidence: Evidence,
    *,
    rules: Collection[str] | None = None,
    redaction: Redaction | None = None,
) -> list[Wrong]:
    """What is wrong with an answer; empty when it keeps every promise.

    Args:
        answer: the answer.
        evidence: what the tools of the conversation said.
        rules: names of all rules (default: the catalogue's).
        redaction: knows the secrets of the project (default: what looks like one anywhere).
    """
    judged = Judged(answer, evidence, rules=rules, redaction=redaction)
    return [wrong for promise in PROMISES for wrong in promise(judged)]


def check_text(
    markdown: str,
    evidence: Evidence,
    *,
    rules: Collection[str] | None = None,
    redaction: Redaction | None = None,
) -> tuple[Answer | None, list[Wrong]]:
    """The answer in a model's Markdown, and what is wrong with it; None where it has not the six parts."""
    try:
        answer = parse(markdown)
    except NotAnAnswer as error:
        listed = ", ".join(PARTS.values())
        step = f"answer in six parts, each under its own heading, once, in order: {listed}"
        return None, [Wrong("parts", each, step) for each in error.problems]
    return answer, check(answer, evidence, rules=rules, redaction=redaction)
