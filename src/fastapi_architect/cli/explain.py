"""`architect explain RULE [--prove]`."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable

from fastapi_architect.cli.arguments import ArgumentParser
from fastapi_architect.cli.errors import UsageError
from fastapi_architect.report import explain
from fastapi_architect.rules.catalog import all_rules


def parser(rules: Iterable[str] | None = None) -> argparse.ArgumentParser:
    """Options of the command; `rules` are the names to complete."""
    made = ArgumentParser(
        prog="architect explain", description="A rule as a page: why, bad, good, exploit, fix."
    )
    made.add_argument(
        "rule", metavar="RULE", choices=rules, help="name of the rule, such as sql-injection-raw-statement"
    )
    made.add_argument(
        "--prove",
        action="store_true",
        help="run its exploit against the bad and the good example (extra [prove])",
    )
    return made


def run(arguments: list[str]) -> int:
    """Print the page; with --prove, run the proof."""
    given = parser().parse_args(arguments)
    rules = all_rules()
    rule = rules.get(given.rule)
    if rule is None:
        near = difflib.get_close_matches(given.rule, rules, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`architect rules` lists them"
        message = f"there is no rule {given.rule!r}; {hint}"
        raise UsageError(message)
    if not given.prove:
        sys.stdout.write(explain.render(rule.info))
        return 0
    from fastapi_architect.proving.prove import cannot_run, narrate

    obstacle = cannot_run(rule) if rule.demonstration is not None else None
    if obstacle is not None:
        message = f"{rule.name} cannot be proved here: {obstacle.message}"
        raise UsageError(message)
    return 0 if narrate(rule, sys.stdout) else 1
