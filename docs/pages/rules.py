"""`docs/rules/`: a page a rule, a page a group of them, and the list of all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fastapi_architect.findings.finding import RuleInfo
from fastapi_architect.findings.severity import Category
from fastapi_architect.report import explain
from fastapi_architect.rules.catalog import all_rules

_HEAD = ["| rule | severity | CWE | what it is |", "|---|---|---|---|"]


def pages() -> dict[str, str]:
    """Path below `docs/` to text."""
    infos = [rule.info for rule in all_rules().values()]
    groups = _groups(infos)
    made = {f"rules/{info.name}.md": explain.render(info) for info in infos}
    made["rules/index.md"] = _index(infos, groups)
    made |= {f"rules/groups/{name}.md": _group(own) for name, own in groups.items()}
    return made


def _groups(infos: Iterable[RuleInfo]) -> dict[str, list[RuleInfo]]:
    """Rules by category, or by category and topic where a category has topics."""
    found: dict[str, list[RuleInfo]] = defaultdict(list)
    for category in Category:
        own = sorted((info for info in infos if info.category is category), key=lambda i: (i.topic, i.name))
        for info in own:
            name = category.value if info.topic == category.value else f"{category.value}-{info.topic}"
            found[name].append(info)
    return found


def _title(info: RuleInfo) -> str:
    topic = "" if info.topic == info.category.value else f": {info.topic}"
    return f"{info.category.emoji} {info.category.title}{topic}"


def _row(info: RuleInfo, folder: str) -> str:
    cwe = f"CWE-{info.cwe}" if info.cwe else ""
    return f"| [{info.name}]({folder}{info.name}.md) | {info.severity.value} | {cwe} | {info.title} |"


def _group(infos: list[RuleInfo]) -> str:
    selector = infos[0].topic
    lines = [f"# {_title(infos[0])}", ""]
    lines += [f"`architect review --select {selector}` runs these {len(infos)} rules alone.", "", *_HEAD]
    lines += [_row(info, "../") for info in infos]
    return "\n".join([*lines, "", *_tree(f"../{info.name}" for info in infos)])


def _index(infos: list[RuleInfo], groups: dict[str, list[RuleInfo]]) -> str:
    lines = [
        "# Rules",
        "",
        f"{len(infos)} rules. `architect explain NAME` prints the page of one, `architect explain NAME --prove` runs its proof,",
        "`architect rules` lists them.",
        "",
    ]
    for own in groups.values():
        lines += [f"## {_title(own[0])}", "", *_HEAD, *(_row(info, "") for info in own), ""]
    return "\n".join([*lines, *_tree(f"groups/{name}" for name in groups)])


def _tree(names: Iterable[str]) -> list[str]:
    return ["```{toctree}", ":hidden:", "", *names, "```", ""]
