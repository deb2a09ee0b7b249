"""A rule as a page: what goes wrong, how it is exploited, bad and good code, its score, where to read on."""

from __future__ import annotations

import re
import textwrap

from fastapi_architect.findings.cvss import score
from fastapi_architect.findings.finding import RuleInfo


def render(rule: RuleInfo) -> str:
    """The page as Markdown, readable as it stands in a terminal."""
    parts = [f"# {rule.category.emoji} {rule.name}", rule.title, _facts(rule)]
    if rule.why:
        parts += ["## Why", textwrap.dedent(rule.why).strip()]
    if rule.exploit:
        parts += ["## Exploit" if rule.cvss_vector else "## How it shows", rule.exploit]
    if rule.bad:
        parts += ["## Bad", fenced(rule.bad)]
    if rule.good:
        parts += ["## Good", fenced(rule.good)]
    parts += [
        "## Silence it where it is safe",
        fenced(f"# architect: allow({rule.name}): why it is safe here"),
    ]
    if rule.references:
        parts += ["## References", "\n".join(f"- <{address}>" for address in rule.references)]
    return "\n\n".join(parts) + "\n"


def fenced(code: str) -> str:
    """A block of Python that no line of the code can close."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{code.strip(chr(10))}\n{fence}"


def _facts(rule: RuleInfo) -> str:
    topic = f", {rule.topic}" if rule.topic != rule.category.value else ""
    facts = [f"- category: {rule.category.title}{topic}", f"- severity: {rule.severity.value} at most"]
    if rule.cwe is not None:
        facts.append(f"- weakness: [CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html)")
    if rule.cvss_vector:
        facts.append(
            f"- CVSS: {score(rule.cvss_vector)} before the facts of a place are known, `{rule.cvss_vector}`"
        )
    return "\n".join(facts)
