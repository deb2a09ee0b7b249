"""Write the pages that come from code: `docs/rules/`, `docs/reference/`; `--check` fails on drift."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path

from fastapi_architect.__main__ import COMMANDS
from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.report import explain
from fastapi_architect.rules.catalog import all_rules

ROOT = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Path to text of every generated page."""
    rules = all_rules()
    made = {ROOT / "rules" / f"{name}.md": explain.render(rule.info) for name, rule in rules.items()}
    made[ROOT / "rules" / "index.md"] = _index()
    made[ROOT / "reference" / "cli.md"] = _reference()
    made[ROOT / "reference" / "components.md"] = _components()
    return made


def _index() -> str:
    lines = ["# Rules", ""]
    infos = [rule.info for rule in all_rules().values()]
    for category in type(infos[0].category) if infos else ():
        own = sorted((i for i in infos if i.category is category), key=lambda i: (i.topic, i.name))
        if own:
            lines += [
                f"## {category.emoji} {category.title}",
                "",
                "| rule | severity | CWE | what it is |",
                "|---|---|---|---|",
            ]
            lines += [
                f"| [{i.name}]({i.name}.md) | {i.severity.value} | {f'CWE-{i.cwe}' if i.cwe else ''} | {i.title} |"
                for i in own
            ]
            lines.append("")
    return "\n".join(lines)


def _reference() -> str:
    lines = ["# Command line", ""]
    for name, (module, text) in COMMANDS.items():
        parser = importlib.import_module(module).parser()
        lines += [f"## architect {name}", "", f"{text[0].upper()}{text[1:]}.", "", *_help(parser)]
        for each, below in _commands(parser).items():
            lines += [f"### architect {name} {each}", "", *_help(below)]
    return "\n".join(lines)


def _help(parser: argparse.ArgumentParser) -> list[str]:
    return ["```text", parser.format_help().rstrip(), "```", ""]


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands below a command, such as `architect adr new`."""
    kinds = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001 - no public way
    return {name: below for each in kinds for name, below in each.choices.items()}


def _components() -> str:
    lines = [
        "# Components",
        "",
        "`architect add NAME` copies one, with all it needs, into a project; `architect new` makes a project of them.",
        "",
    ]
    for spec in sorted(load_catalog(), key=lambda spec: (spec.group, spec.order)):
        page = f"../../src/fastapi_architect/components/{spec.name}/README.md"
        lines += [f"## [{spec.name}]({page})", "", f"{spec.summary} ({spec.group})", ""]
        lines += [f"* {line}" for line in spec.provides]
        facts = {
            "needs": ", ".join(spec.needs),
            "servers": ", ".join(spec.servers),
            "resolves": ", ".join(f"[{rule}](../rules/{rule}.md)" for rule in spec.resolves),
            "tested with": ", ".join(spec.tested),
        }
        lines += ["", *(f"{name.capitalize()}: {text}.  " for name, text in facts.items() if text), ""]
    return "\n".join(lines)


def main() -> int:
    """Write or check."""
    os.environ["COLUMNS"] = "100"  # argparse wraps by the terminal's width
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a page differs")
    given = parser.parse_args()
    made = pages()
    present = {*ROOT.glob("rules/*.md"), *ROOT.glob("reference/*.md")}
    stale = sorted(present - set(made))
    differing = [
        path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if given.check:
        for path in (*stale, *differing):
            print(f"{path.relative_to(ROOT.parent)} differs from the code; run `make docs`", file=sys.stderr)
        return 1 if stale or differing else 0
    for path in stale:
        path.unlink()
    for path in differing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    print(f"{len(made)} pages, {len(differing)} written, {len(stale)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
