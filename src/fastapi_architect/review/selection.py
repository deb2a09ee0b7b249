"""Which rules run, and which of their findings a project keeps."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from fastapi_architect.findings.finding import Finding, Selectable
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.review.config import Config


def rules_to_run(rules: Iterable[Selectable], config: Config) -> frozenset[str]:
    """Names of the rules that `select` picks (all where it is empty) and `ignore` does not drop everywhere.

    A rule that a pattern of `per-path` selects runs as well; `is_kept` then drops its findings elsewhere.
    """
    wanted = config.select or ("all",)
    some = {selector for settings in config.per_path for selector in settings.select}
    dropped = [ignore.selector for ignore in config.ignore if not ignore.path]
    return frozenset(
        rule.name
        for rule in rules
        if (selects(wanted, rule) or selects(some, rule)) and not selects(dropped, rule)
    )


def is_kept(finding: Finding, config: Config) -> bool:
    """Whether the configuration keeps the finding: selected for its file and ignored by nothing."""
    path, rule = finding.location.path, finding.rule
    if any(selects((ignore.selector,), rule) and covers(ignore.path, path) for ignore in config.ignore):
        return False
    wanted = config.select or ("all",)
    for settings in config.per_path:
        if not matches(settings.pattern, path):
            continue
        if selects(settings.ignore, rule):
            return False
        wanted = settings.select or wanted
    return selects(wanted, rule)


def fails_gate(finding: Finding, config: Config) -> bool:
    """Whether the finding fails the review: at or above the gate of its file, and not tentative."""
    gate = config.gate
    for settings in config.per_path:
        if settings.gate is not None and matches(settings.pattern, finding.location.path):
            gate = settings.gate
    if gate == "none" or finding.confidence is Confidence.TENTATIVE:
        return False
    return finding.severity.rank >= Severity(gate).rank


def selects(selectors: Iterable[str], rule: Selectable) -> bool:
    """Whether one of the selectors is the rule's name, topic or category, or "all"."""
    own = {"all", rule.name, rule.topic, rule.category.value}
    return any(selector in own for selector in selectors)


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern covers a file; the empty pattern covers every file."""
    return not pattern or matches(pattern, path)


def matches(pattern: str, path: str) -> bool:
    """Whether a path (relative, forward slashes) matches a pattern.

    `*` and `?` stay within one folder, `**` crosses folders, `[abc]` is one of these signs. A pattern
    without a slash matches a file or folder of that name at any depth; a pattern that matches a folder
    matches all below it.
    """
    return _compiled(pattern).fullmatch(path) is not None


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("./").rstrip("/")
    anywhere = "" if "/" in text else "(?:.*/)?"
    return re.compile(anywhere + _expression(text.lstrip("/")) + "(?:/.*)?", re.DOTALL)


def _expression(pattern: str) -> str:
    pieces, at = [], 0
    while at < len(pattern):
        rest = pattern[at:]
        if rest.startswith("**/"):
            pieces.append("(?:.*/)?")
            at += 3
        elif rest.startswith("**"):
            pieces.append(".*")
            at += 2
        elif rest[0] in "*?":
            pieces.append("[^/]*" if rest[0] == "*" else "[^/]")
            at += 1
        elif (group := re.match(r"\[([!^]?)([^\]/]+)\]", rest)) is not None:
            signs = group[2].replace("\\", "\\\\").replace("[", "\\[").replace("^", "\\^")
            pieces.append(f"[{'^/' if group[1] else ''}{signs}]")
            at += group.end()
        else:
            pieces.append(re.escape(rest[0]))
            at += 1
    return "".join(pieces)
