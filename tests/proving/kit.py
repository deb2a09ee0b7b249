"""Runs a demonstration against an example, both written in a test."""

from __future__ import annotations

import textwrap
from pathlib import Path

from fastapi_architect.proving.outcome import Job, Limits, Outcome
from fastapi_architect.proving.prove import run

HEADER = """
from fastapi_architect.rules.kit import Rule, Severity

rule = Rule("made_up_rule", "A made-up rule", severity=Severity.MINOR)
"""


def job(
    folder: Path,
    demonstration: str,
    example: str | dict[str, str],
    limits: Limits | None = None,
    postgres: str = "",
) -> Job:
    """A job whose demonstration is the body of a function of `proof`."""
    path = folder / "made_up_rule.py"
    body = textwrap.indent(textwrap.dedent(demonstration).strip("\n"), "    ")
    path.write_text(f"{HEADER}\n\n@rule.symptom\ndef demonstration(proof):\n{body}\n")
    files = {"main.py": example} if isinstance(example, str) else example
    dedented = {name: textwrap.dedent(text).lstrip("\n") for name, text in files.items()}
    return Job("made_up_rule", str(path), dedented, limits or Limits(), postgres)


def outcome_of(
    folder: Path,
    demonstration: str,
    example: str | dict[str, str],
    limits: Limits | None = None,
    postgres: str = "",
) -> Outcome:
    """What came of a demonstration."""
    return run(job(folder, demonstration, example, limits, postgres))


def holds(folder: Path, demonstration: str, example: str | dict[str, str], postgres: str = "") -> None:
    """The demonstration's assertions all hold."""
    outcome = outcome_of(folder, demonstration, example, postgres=postgres)

    assert outcome.kind == "passed", f"{outcome}\n{outcome.details}"
