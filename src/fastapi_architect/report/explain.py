"""A rule as a page: what goes wrong, how it is exploited, bad and good code, its score, where to read on."""

from __future__ import annotations

import re
import textwrap

from fastapi_architect.findings.cvss import score
from fastapi_architect.findings.finding import RuleInfo
from fastapi_architect.source.lazy_pattern import lazy_pattern

_FILE = lazy_pattern(
    r"^# (?P<path>(?:[\w.-]+/)*(?:Dockerfile|Procfile|\.env|[\w.-]+\.(?:py|txt|toml|ini|cfg|conf|lock|ya?ml|json|sh|env|html|in)))"
    r"[ \t]*\n",
    re.MULTILINE,
)
_LANGUAGES = {
    "py": "python",
    "toml": "toml",
    "yml": "yaml",
    "yaml": "yaml",
    "ini": "ini",
    "sh": "sh",
    "html": "html",
}


def render(rule: RuleInfo) -> str:
    """The page as Markdown, readable as it stands in a terminal."""
    parts = [f"# {rule.category.emoji} {rule.name}", rule.title, _facts(rule)]
    if rule.why:
        parts += ["## Why", textwrap.dedent(rule.why).strip()]
    if rule.exploit:
        parts += ["## Exploit" if rule.cvss_vector else "## How it shows", rule.exploit]
    if rule.bad:
        parts += ["## Bad", *_files(rule.bad)]
    if rule.good:
        parts += ["## Good", *_files(rule.good)]
    parts += [
        "## Silence it where it is safe",
        fenced(f"# architect: allow({rule.name}): why it is safe here"),
    ]
    if rule.references:
        parts += ["## References", "\n".join(f"- <{address}>" for address in rule.references)]
    return "\n\n".join(parts) + "\n"


def _files(example: str) -> list[str]:
    """A block for each file of an example; a line `# name.suffix` begins a file, and one without such lines is Python."""
    names = list(_FILE.finditer(example))
    if not names or example[: names[0].start()].strip():
        return [fenced(example)]
    parts = []
    ends = [*(name.start() for name in names[1:]), len(example)]
    for name, end in zip(names, ends, strict=True):
        path = name["path"]
        language = _LANGUAGES.get(path.rpartition(".")[2], "text")
        parts += [f"`{path}`:", fenced(example[name.end() : end], language)]
    return parts


def fenced(code: str, language: str = "python") -> str:
    """A block of code that no line of the code can close."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code.strip(chr(10))}\n{fence}"


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
