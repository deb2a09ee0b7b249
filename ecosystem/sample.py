"""Draws findings on the pinned projects for two judges, and counts what they say.

    python ecosystem/sample.py SEED [--only unseen|seen|all] [--size 100] [--tentative 20] [--trees DIR]
    python ecosystem/sample.py SEED --read [--number N]
    python ecosystem/sample.py SEED            (again, once both judges have written)

The first call reviews the projects and writes verdicts/SEED/findings.jsonl (places and messages, no source
code) and measured.json. Each judge reads the findings with ``--read``, which shows the code of the exported
trees, and writes verdicts/SEED/judge-1.jsonl or judge-2.jsonl without seeing the other's: one line a finding,
``{"project": ..., "fingerprint": ..., "real": true, "why": "one line"}``. The last call prints the share of
real ones: both judges must say so, a disagreement counts as false.

Drawn are findings of severity critical or important: certain and firm ones for the bar, and beside them some
tentative ones, which never fail a build. Projects take turns, and within a project the rules that have been
drawn least; so no large project and no talkative rule fills the sample.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from checkout import DEFAULT_WORK, CheckoutError, Project, load_projects  # noqa: E402

VERDICTS = HERE / "verdicts"
REVIEW_SECONDS = 900
GRAVE = frozenset({"critical", "important"})
TRUSTED = frozenset({"certain", "firm"})
BAR = 0.85
SHOWN_LINES = 12


class SampleError(Exception):
    """The sample could not be drawn or counted; the message names the next step."""


@dataclass(frozen=True)
class Finding:
    """One finding to judge. ``root`` is the folder reviewed, ``file`` is relative to it."""

    project: str
    root: str
    file: str
    line: int
    rule: str
    severity: str
    confidence: str
    message: str
    fingerprint: str

    @property
    def key(self) -> tuple[str, str]:
        """What a verdict refers to."""
        return self.project, self.fingerprint


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one finding."""

    project: str
    fingerprint: str
    real: bool
    why: str


@dataclass(frozen=True)
class Tally:
    """The count over the findings of one kind: real where both judges say so."""

    total: int
    real: int
    disputed: int
    by_rule: dict[str, tuple[int, int]]

    @property
    def share(self) -> float:
        """Share of real ones; 0.0 when there are none at all."""
        return self.real / self.total if self.total else 0.0


def read_report(report: dict[str, Any], project: str, root: str) -> list[Finding]:
    """The findings of a JSON report."""
    return [
        Finding(
            project=project,
            root=root,
            file=entry["file"],
            line=int(entry["line"]),
            rule=entry["rule"],
            severity=entry["severity"],
            confidence=entry["confidence"],
            message=entry["issue"],
            fingerprint=entry["fingerprint"],
        )
        for entry in report["findings"]
    ]


def review(tree: Path, project: str, root: str) -> list[Finding]:
    """Reviews one root of an exported project. Raises SampleError when no report comes out."""
    folder = tree / root
    if not folder.is_dir():
        raise SampleError(f"no tree at {folder}; next: python ecosystem/checkout.py {project}")
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "fastapi_architect", "review", str(folder)]
        command += ["--format", "json", "--output", str(output), "--no-cache"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=REVIEW_SECONDS)
        if not output.is_file():
            reason = (done.stderr.strip() or "no message").splitlines()[-1]
            raise SampleError(f"{project}: the review of {folder} wrote no report: {reason}")
        return read_report(json.loads(output.read_text("utf-8")), project, root)


def draw(findings: list[Finding], size: int, seed: int) -> list[Finding]:
    """At most ``size`` findings: projects in turn, in each the rule drawn least so far, then by chance.

    The order of ``findings`` does not matter.
    """
    rng = random.Random(seed)
    pools: dict[str, dict[str, list[Finding]]] = {}
    for finding in sorted(findings, key=lambda f: (f.project, f.rule, f.root, f.file, f.line, f.fingerprint)):
        pools.setdefault(finding.project, {}).setdefault(finding.rule, []).append(finding)
    for rules in pools.values():
        for pool in rules.values():
            rng.shuffle(pool)
    turns = sorted(pools)
    rng.shuffle(turns)
    luck = {rule: rng.random() for rule in sorted({finding.rule for finding in findings})}
    drawn: list[Finding] = []
    counts: Counter[str] = Counter()
    keys: set[tuple[str, str]] = set()
    while len(drawn) < size and any(pools.values()):
        for project in turns:
            rules = pools[project]
            while rules and len(drawn) < size:
                rule = min(rules, key=lambda name: (counts[name], luck[name]))
                finding = rules[rule].pop()
                if not rules[rule]:
                    del rules[rule]
                if finding.key not in keys:
                    keys.add(finding.key)
                    counts[rule] += 1
                    drawn.append(finding)
                    break
    return drawn


def measured(findings: list[Finding], projects: list[Project]) -> dict[str, Any]:
    """Counts of all findings, before anything was drawn, a project a row."""
    rows = {}
    for project in projects:
        own = [finding for finding in findings if finding.project == project.name]
        grave = [finding for finding in own if finding.severity in GRAVE]
        rows[project.name] = {
            "kloc": project.kloc,
            "unseen": project.unseen,
            "findings": len(own),
            "grave": len(grave),
            "grave_tentative": sum(finding.confidence not in TRUSTED for finding in grave),
        }
    return rows


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """Writes one JSON object a line."""
    text = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
    path.write_text(text, "utf-8")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Reads one JSON object a line. Raises SampleError with the number of a line that is none."""
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise SampleError(f"{path.name}, line {number}: no JSON object ({error})") from error
    return rows


def read_verdicts(path: Path, findings: list[Finding]) -> dict[tuple[str, str], Verdict]:
    """A judge's verdicts by finding. Raises SampleError unless there is one, with a reason, for each."""
    verdicts: dict[tuple[str, str], Verdict] = {}
    owners: dict[str, list[str]] = {}
    for finding in findings:
        owners.setdefault(finding.fingerprint, []).append(finding.project)
    for number, row in enumerate(read_lines(path), start=1):
        fingerprint = row.get("fingerprint", "")
        known = owners.get(fingerprint, [])
        project = row.get("project") or (known[0] if len(known) == 1 else "")
        if project not in known:
            raise SampleError(f"{path.name}, line {number}: no finding {fingerprint!r} of {project!r}")
        if not isinstance(row.get("real"), bool) or not str(row.get("why", "")).strip():
            raise SampleError(f"{path.name}, line {number}: needs real (true or false) and why (a line)")
        verdicts[project, fingerprint] = Verdict(project, fingerprint, row["real"], row["why"])
    missing = [finding.key for finding in findings if finding.key not in verdicts]
    if missing:
        raise SampleError(f"{path.name}: {len(missing)} findings have no verdict, first {missing[0]}")
    return verdicts


def tally(findings: list[Finding], judges: list[dict[tuple[str, str], Verdict]]) -> Tally:
    """Counts findings that every judge calls real."""
    real = disputed = 0
    by_rule: dict[str, tuple[int, int]] = {}
    for finding in findings:
        said = [judge[finding.key].real for judge in judges]
        agreed = all(said)
        real += agreed
        disputed += len(set(said)) > 1
        right, total = by_rule.get(finding.rule, (0, 0))
        by_rule[finding.rule] = (right + agreed, total + 1)
    return Tally(len(findings), real, disputed, by_rule)


def revision() -> str:
    """The commit of the tool that made the findings, marked when the source differs from it."""
    git = ["git", "-C", str(HERE.parent)]
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout
    changed = subprocess.run(
        [*git, "status", "--porcelain", "--", "src"], capture_output=True, text=True, check=False
    ).stdout
    return commit.strip() + ("+changes" if changed.strip() else "")


def make_sample(folder: Path, projects: list[Project], options: argparse.Namespace) -> None:
    """Reviews the projects, draws, and writes findings.jsonl and measured.json. Raises SampleError when there is none."""
    if not projects:
        raise SampleError(
            f"no project is left to draw from (--only {options.only}); "
            "next: pin projects that nobody has looked at in ecosystem/projects.toml"
        )
    everything: list[Finding] = []
    for project in projects:
        for root in project.roots:
            found = review(options.trees / project.name, project.name, root)
            print(f"{project.name}: {len(found)} findings in {root}", file=sys.stderr)
            everything += found
    grave = [finding for finding in everything if finding.severity in GRAVE]
    trusted = [finding for finding in grave if finding.confidence in TRUSTED]
    tentative = [finding for finding in grave if finding.confidence not in TRUSTED]
    drawn = draw(trusted, options.size, options.seed) + draw(tentative, options.tentative, options.seed)
    folder.mkdir(parents=True)
    write_lines(folder / "findings.jsonl", [asdict(finding) for finding in drawn])
    figures = {"tool": revision(), "seed": options.seed, "projects": measured(everything, projects)}
    (folder / "measured.json").write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", "utf-8")
    print(
        f"{len(drawn)} findings drawn; next: two judges write {folder.name}/judge-1.jsonl and judge-2.jsonl"
    )


def show(findings: list[Finding], trees: Path, number: int | None) -> None:
    """Prints findings with the code around them, from the exported trees."""
    for position, finding in enumerate(findings, start=1):
        if number is not None and position != number:
            continue
        print(f"--- {position}. {finding.project}/{finding.root}/{finding.file}:{finding.line}")
        print(f"    {finding.rule} ({finding.severity}, {finding.confidence}) {finding.fingerprint}")
        print(f"    {finding.message}")
        path = trees / finding.project / finding.root / finding.file
        if not path.is_file():
            print(f"    (no file at {path})")
            continue
        lines = path.read_text("utf-8", errors="replace").splitlines()
        first = max(0, finding.line - 1 - SHOWN_LINES)
        for index, line in enumerate(lines[first : finding.line + SHOWN_LINES], start=first + 1):
            print(f"{'>' if index == finding.line else ' '}{index:6} {line}")


def print_density(rows: dict[str, dict[str, Any]]) -> None:
    """Findings per kLOC and the share of tentative ones, over all findings of the reviewed projects."""
    kloc = sum(row["kloc"] for row in rows.values())
    grave = sum(row["grave"] for row in rows.values())
    tentative = sum(row["grave_tentative"] for row in rows.values())
    findings = sum(row["findings"] for row in rows.values())
    print(f"findings per kLOC: {findings / kloc:.2f}, critical and important: {grave / kloc:.2f}")
    print(f"tentative among critical and important: {tentative / grave if grave else 0.0:.1%}")
    for name, row in rows.items():
        print(f"  {name:20}{row['findings']:6} findings {row['findings'] / row['kloc']:7.2f} per kLOC")


def print_result(folder: Path, findings: list[Finding]) -> int:
    """Prints the shares; 0 when the bar is reached, 1 when not."""
    judges = [read_verdicts(folder / f"judge-{number}.jsonl", findings) for number in (1, 2)]
    trusted = tally([f for f in findings if f.confidence in TRUSTED], judges)
    tentative = tally([f for f in findings if f.confidence not in TRUSTED], judges)
    reached = trusted.share >= BAR
    verdict = "reached" if reached else "NOT reached"
    print(f"real: {trusted.real} of {trusted.total}, {trusted.share:.1%} (bar {BAR:.0%}: {verdict})")
    print(f"judges disagree on {trusted.disputed}, counted as false")
    print(f"tentative ones real: {tentative.real} of {tentative.total}, {tentative.share:.1%}")
    for rule, (right, total) in sorted(trusted.by_rule.items(), key=lambda pair: pair[1][0] - pair[1][1]):
        print(f"  {rule:48}{right:3} of {total}")
    return 0 if reached else 1


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when drawn or when the bar is reached, 1 when it is not, 2 when something is missing."""
    parser = argparse.ArgumentParser(description="Draw findings on the pinned projects and count verdicts.")
    parser.add_argument("seed", type=int)
    parser.add_argument("--only", choices=("unseen", "seen", "all"), default="unseen")
    parser.add_argument("--size", type=int, default=100)
    parser.add_argument("--tentative", type=int, default=20)
    parser.add_argument("--trees", type=Path, default=DEFAULT_WORK / "trees")
    parser.add_argument("--read", action="store_true", help="show the drawn findings with their code")
    parser.add_argument("--number", type=int, help="with --read: only this one")
    options = parser.parse_args(arguments)
    folder = VERDICTS / str(options.seed)
    try:
        if not (folder / "findings.jsonl").is_file():
            wanted = {"unseen": (True,), "seen": (False,), "all": (True, False)}[options.only]
            chosen = [p for p in load_projects() if p.unseen in wanted and not (p.unseen and p.looked_at)]
            make_sample(folder, chosen, options)
            return 0
        findings = [Finding(**row) for row in read_lines(folder / "findings.jsonl")]
        if options.read:
            show(findings, options.trees, options.number)
            return 0
        print_density(json.loads((folder / "measured.json").read_text("utf-8"))["projects"])
        absent = [n for n in (1, 2) if not (folder / f"judge-{n}.jsonl").is_file()]
        if absent:
            print(f"not judged yet: {folder.name}/judge-{absent[0]}.jsonl is missing")
            return 2
        return print_result(folder, findings)
    except (SampleError, CheckoutError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
