"""`architect rules`: the rules there are, by category."""

from __future__ import annotations

import argparse
import json
import sys
from itertools import groupby

from fastapi_architect.cli.arguments import ArgumentParser
from fastapi_architect.findings.severity import Category
from fastapi_architect.rules.catalog import all_rules


def parser() -> argparse.ArgumentParser:
    """Options of the command."""
    made = ArgumentParser(prog="architect rules", description="The rules there are, by category.")
    made.add_argument("--format", choices=("text", "json"), default="text")
    return made


def run(arguments: list[str]) -> int:
    """List them."""
    given = parser().parse_args(arguments)
    order = list(Category)
    infos = [rule.info for rule in all_rules().values()]
    infos.sort(key=lambda info: (order.index(info.category), info.topic, info.name))
    if given.format == "json":
        rows = [
            {"name": i.name, "title": i.title, "category": i.category.value, "topic": i.topic, "severity": i.severity.value,
             "cwe": f"CWE-{i.cwe}" if i.cwe else None}
            for i in infos
        ]  # fmt: skip
        json.dump(rows, sys.stdout, indent=2)
        print()
        return 0
    for category, group in groupby(infos, key=lambda i: i.category):
        print(f"{category.emoji} {category.title}")
        for info in group:
            print(f"  {info.name:<48} {info.severity.value:<10} {info.title}")
        print()
    print(f"{len(infos)} rules. `architect explain RULE` shows one as a page.")
    return 0
