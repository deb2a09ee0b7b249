"""What tests of rules share, and `python -m tests.rules.kit RULE [--bad | --good]` for whoever writes one."""

from __future__ import annotations

import argparse
import ast
import functools
import importlib
import inspect
import re
import sys
import tempfile
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from fastapi_architect import rules
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Confidence, Severity
from fastapi_architect.proving.prove import prove
from fastapi_architect.review import asking, completion, reading
from fastapi_architect.review.config import Config
from fastapi_architect.rules.kit import Rule, files_of
from fastapi_architect.source.edit import Edit, apply_edits
from fastapi_architect.source.tree import SourceTree

Place = tuple[str, int]

CORPUS = Path(__file__).parent / "corpus"

_MARK = re.compile(r"#\s*finding:\s*(?P<names>[a-z0-9-]+(?:\s*,\s*[a-z0-9-]+)*)")
_FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def write(files: Mapping[str, str], folder: Path) -> Path:
    """Write an example into a folder."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def rule_named(name: str) -> Rule | None:
    """The rule of that name; only its own file is imported, so that a neighbour's mistake stops nobody."""
    root = Path(rules.__file__).parent
    for path in sorted(root.rglob(f"{name.replace('-', '_')}.py")):
        dotted = ".".join((rules.__name__, *path.relative_to(root).with_suffix("").parts))
        module = importlib.import_module(dotted)
        module.rule.docstring = inspect.cleandoc(module.__doc__ or "")
        return cast("Rule", module.rule)
    return None


def review_with(rule: Rule, root: Path) -> list[Finding]:
    """Completed findings of one rule below `root`, in order; suppressions and the gate play no part.

    The parse cache stays off, so that nothing of an earlier run can answer.
    """
    with reading.without_garbage_collection():
        read = reading.read(SourceTree.open(root), Config(), cache=False)
        assert not read.not_analysed, read.not_analysed
        found = asking.ask([rule], read.graph)
        return completion.complete(found, read.graph)


def findings_of(files: Mapping[str, str], rule: Rule) -> list[Finding]:
    """Completed findings of one rule in an example."""
    with tempfile.TemporaryDirectory(prefix="example-") as folder:
        return review_with(rule, write(files, Path(folder).resolve()))


def weights_of(rule: str, files: Mapping[str, str]) -> list[tuple[Severity, Confidence]]:
    """Severity and confidence of a rule's findings in files, which may be indented."""
    known = rule_named(rule)
    assert known is not None
    texts = {path: textwrap.dedent(text).lstrip("\n") for path, text in files.items()}
    return [(finding.severity, finding.confidence) for finding in findings_of(texts, known)]


def confidences_of(rule: str, files: Mapping[str, str]) -> list[Confidence]:
    """How sure a rule is of its findings in files."""
    return [confidence for _, confidence in weights_of(rule, files)]


def severities_of(rule: str, files: Mapping[str, str]) -> list[Severity]:
    """How severe a rule's findings in files are."""
    return [severity for severity, _ in weights_of(rule, files)]


def findings_in(files: Mapping[str, str], rule: Rule) -> list[Place]:
    """Where one rule reports in an example: paths and lines, sorted."""
    return places(findings_of(files, rule))


def places(findings: Sequence[Finding]) -> list[Place]:
    """Paths and lines, sorted, without repeats."""
    return sorted({(f.location.path, f.location.line) for f in findings})


def marked(files: Mapping[str, str], rule: Rule) -> list[Place]:
    """Lines with a comment `# finding: rule-name`, sorted; a comment may name several rules."""
    found = []
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            match = _MARK.search(line)
            if match is not None and rule.name in re.split(r"\s*,\s*", match["names"]):
                found.append((path, number))
    return sorted(found)


def cases() -> list[tuple[str, Path]]:
    """Rule names and their apps, sorted."""
    found = []
    for folder in sorted(p for p in CORPUS.iterdir() if p.is_dir() and p.name != "__pycache__"):
        found += [(folder.name, p) for p in sorted(folder.iterdir()) if p.name != "__pycache__"]
    return found


def files_at(path: Path) -> dict[str, str]:
    """An app as files; a single file keeps its name."""
    if path.is_file():
        return {path.name: path.read_text(encoding="utf-8")}
    inside = (p for p in sorted(path.rglob("*")) if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(path).as_posix(): p.read_text(encoding="utf-8") for p in inside}


@functools.cache
def findings_in_case(name: str, path: Path) -> tuple[Finding, ...]:
    """Completed findings of a rule in an app of its corpus, reviewed once for all tests."""
    rule = rule_named(name)
    assert rule is not None
    return tuple(findings_of(files_at(path), rule))


def fixed(files: Mapping[str, str], findings: list[Finding]) -> dict[str, str]:
    """An example with every edit of its findings made."""
    edits: dict[str, list[Edit]] = defaultdict(list)
    for finding in findings:
        for edit in finding.fix.edits if finding.fix is not None else ():
            edits[edit.location.path].append(edit)
    return {path: apply_edits(text, edits[path]) for path, text in files.items()}


def code_blocks(text: str) -> Iterator[str]:
    """Python code between lines of three backticks."""
    for language, code in _FENCE.findall(text):
        if language in ("", "python", "py"):
            yield textwrap.dedent(code)


def does_not_parse(text: str) -> list[str]:
    """Why code blocks of a suggestion do not parse; empty when they do."""
    reasons = []
    for code in code_blocks(text):
        try:
            ast.parse(code)
        except SyntaxError as error:
            reasons.append(f"{error.msg} (line {error.lineno}):\n{code}")
    return reasons


def main(arguments: list[str]) -> int:
    """Print what a rule reports on its examples against the marks, and what its demonstration says."""
    parser = argparse.ArgumentParser(prog="make check-rule", description="Check one rule while writing it.")
    parser.add_argument("rule", metavar="RULE")
    parser.add_argument("--no-prove", action="store_true", help="do not run the demonstration")
    parser.add_argument("--findings", action="store_true", help="print the findings in full")
    given = parser.parse_args(arguments)
    name = Path(given.rule).name.removesuffix(".py").replace("_", "-")
    rule = rule_named(name)
    if rule is None:
        sys.stdout.write(f"there is no rule {name!r}; is its file below src/fastapi_architect/rules/?\n")
        return 2
    problems = 0
    bad, good = files_of(rule.bad), files_of(rule.good)
    found = findings_of(bad, rule)
    problems += _compare("bad", marked(bad, rule), found)
    problems += _compare("good", [], findings_of(good, rule))
    for finding in found:
        if given.findings:
            sys.stdout.write(
                f"  {finding.location}: {finding.issue}\n{textwrap.indent(finding.suggestion, '    ')}\n"
            )
        for reason in does_not_parse(finding.suggestion):
            problems += 1
            sys.stdout.write(f"  suggestion does not parse: {reason}\n")
    if not given.no_prove:
        problems += _prove(rule, bad, found)
    sys.stdout.write("all well\n" if not problems else f"{problems} to mend\n")
    return 1 if problems else 0


def _compare(title: str, expected: list[Place], findings: list[Finding]) -> int:
    actual = places(findings)
    sys.stdout.write(f"{title}: expected {_shown(expected)}, reported {_shown(actual)}\n")
    for path, line in sorted(set(expected) - set(actual)):
        sys.stdout.write(f"  missed {path}:{line}\n")
    for finding in findings:
        if (finding.location.path, finding.location.line) not in expected:
            sys.stdout.write(f"  not expected {finding.location}: {finding.issue}\n")
    return int(expected != actual)


def _shown(found: list[Place]) -> str:
    return ", ".join(f"{path}:{line}" for path, line in found) or "nothing"


def _prove(rule: Rule, bad: dict[str, str], found: list[Finding]) -> int:
    if rule.demonstration is None:
        sys.stdout.write(f"no demonstration: {rule.no_proof or 'say why in no_proof, or write one'}\n")
        return int(not rule.no_proof)
    problems = 0
    runs = [("bad", None, "passed"), ("good", None, "failed")]
    changed = fixed(bad, found)
    if changed != bad:
        left = findings_in(changed, rule)
        sys.stdout.write(f"fixed: reported {_shown(left)}\n")
        problems += bool(left)
        runs.append(("fixed", changed, "failed"))
    for which, files, wanted in runs:
        begin = time.perf_counter()
        outcome = prove(rule, which, files)
        ok = outcome.kind == wanted
        problems += not ok
        seconds = time.perf_counter() - begin
        sys.stdout.write(
            f"{rule.demonstration_kind} on {which}: {outcome} [{seconds:.2f} s]{'' if ok else f'  (wanted {wanted})'}\n"
        )
        if not ok and outcome.details:
            sys.stdout.write(textwrap.indent(outcome.details, "  ") + "\n")
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
