"""What does a rule, or a weakness, mean?"""

from __future__ import annotations

import re

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.wording import commands, line, place, table
from fastapi_architect.persona.understanding import Understood
from fastapi_architect.rules.catalog import all_rules

_CWE = re.compile(r"CWE-?\s?(\d+)", re.IGNORECASE)
_HERE = 5
_WORDS = 120


def answer(hands: Hands, understood: Understood) -> Answer:
    """The rule's page in short, and where this project breaks it."""
    number = _CWE.search(understood.request)
    names = understood.rules or tuple(
        name for name, rule in all_rules().items() if number and rule.info.cwe == int(number[1])
    )
    if not names:
        listed = sorted(
            {f"CWE-{rule.info.cwe}" for rule in all_rules().values() if rule.info.cwe},
            key=lambda c: int(c[4:]),
        )
        return Answer(
            context=f"Asked about {line(number[0]) if number else 'a weakness'}: no rule of this tool looks for it.",
            approach="Only what a rule looks for is explained here.",
            implementation=f"Weaknesses with rules: {', '.join(listed)}.",
            validation=commands("architect rules"),
            considerations="A weakness without a rule here is not ruled out by a clean review.",
            follow_ups=("Which rule shall I explain?",),
        )
    pages = [hands.explain(name) for name in names]
    page = pages[0]
    here = [] if hands.is_empty else list(hands.review(names).findings)
    info = all_rules()[page.rule].info
    rows = ((f"`{p.rule}`", p.cwe or "none", str(p.cvss_score or "none"), p.severity) for p in pages)
    return Answer(
        context=f"`{page.rule}`: {line(info.title)}.\n\n"
        + table(("Rule", "Weakness", "CVSS at most", "Severity at most"), rows),
        approach=" ".join(info.why.split()[:_WORDS]) or line(info.title),
        implementation=(
            (f"How it is exploited: {line(info.exploit)}\n\n" if info.exploit else "")
            + (
                "Here: " + "; ".join(place(each) for each in here[:_HERE]) + "."
                if here
                else "This project does not break it, as far as it was analysed."
            )
        ),
        validation="Its exploit runs against a bad and a good example before your eyes.\n\n"
        + commands(f"architect explain {page.rule} --prove", f"architect review --select {page.rule}"),
        considerations=f"Where it is safe, silence it on the line, with a reason: `# architect: allow({page.rule}): reason`.",
        follow_ups=("Shall I show the fix of each place?",) if here else (),
    )
