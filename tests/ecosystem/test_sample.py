"""Drawing findings and counting verdicts, on made-up findings."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "ecosystem"))

import sample
from sample import Finding, SampleError, Verdict, draw, read_report, read_verdicts, tally


def finding(number: int, project: str = "shop", rule: str = "leak", **more: Any) -> Finding:
    values: dict[str, Any] = {
        "project": project,
        "root": "backend",
        "file": "app.py",
        "line": number,
        "rule": rule,
        "severity": "important",
        "confidence": "firm",
        "message": "",
        "fingerprint": f"{project}-{rule}-{number}",
    }
    return Finding(**{**values, **more})


def verdicts(findings: list[Finding], real: list[bool]) -> dict[tuple[str, str], Verdict]:
    return {f.key: Verdict(f.project, f.fingerprint, r, "x") for f, r in zip(findings, real, strict=True)}


def test_the_same_seed_draws_the_same_findings_in_whatever_order_they_come() -> None:
    findings = [finding(n, project, rule) for n in range(9) for project in "ab" for rule in ("x", "y")]
    assert draw(findings, 10, 7) == draw(findings[::-1], 10, 7)
    assert draw(findings, 10, 7) != draw(findings, 10, 8)


def test_a_large_project_does_not_fill_the_sample() -> None:
    findings = [finding(n, "large") for n in range(100)] + [finding(n, "small") for n in range(5)]
    assert Counter(f.project for f in draw(findings, 10, 1)) == {"large": 5, "small": 5}


def test_a_talkative_rule_does_not_fill_the_sample() -> None:
    findings = [finding(n, rule="talkative") for n in range(100)]
    findings += [finding(n, rule=rule) for rule in ("rare", "rarer") for n in range(3)]
    drawn = Counter(f.rule for f in draw(findings, 9, 1))
    assert drawn == {"talkative": 3, "rare": 3, "rarer": 3}


def test_all_are_drawn_when_there_are_fewer_than_asked_for() -> None:
    findings = [finding(n) for n in range(4)]
    assert sorted(f.line for f in draw(findings, 60, 1)) == [0, 1, 2, 3]
    assert draw([], 60, 1) == []


def test_a_finding_reported_twice_is_drawn_once() -> None:
    assert len(draw([finding(1), finding(1, root="other")], 60, 1)) == 1


def test_a_disagreement_counts_as_false() -> None:
    findings = [finding(n) for n in range(4)]
    judges = [
        verdicts(findings, [True, True, False, False]),
        verdicts(findings, [True, False, True, False]),
    ]
    result = tally(findings, judges)
    assert (result.real, result.disputed, result.share) == (1, 2, 0.25)
    assert result.by_rule == {"leak": (1, 4)}


def test_an_empty_sample_is_no_success() -> None:
    assert tally([], [{}, {}]).share == 0.0


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "1 findings have no verdict"),
        ([{"fingerprint": "shop-leak-1", "real": "yes", "why": "x"}], "needs real"),
        ([{"fingerprint": "shop-leak-1", "real": True, "why": " "}], "needs real"),
        ([{"fingerprint": "unknown", "real": True, "why": "x"}], "no finding 'unknown'"),
    ],
)
def test_verdicts_must_be_complete_and_give_a_reason(
    tmp_path: Path, rows: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(SampleError, match=complaint):
        read_verdicts(write(tmp_path / "judge-1.jsonl", rows), [finding(1)])


def test_the_project_may_be_left_out_where_the_fingerprint_is_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "judge-1.jsonl", [{"fingerprint": "shop-leak-1", "real": True, "why": "x"}])
    assert read_verdicts(path, [finding(1)])["shop", "shop-leak-1"].real is True


def test_a_report_is_read_without_its_source_code() -> None:
    entry = {
        "file": "a.py",
        "line": 3,
        "rule": "leak",
        "severity": "critical",
        "confidence": "certain",
        "issue": "leaks",
        "fingerprint": "f",
        "suggestion": "print(1)",
    }
    [read] = read_report({"findings": [entry]}, "shop", "backend")
    assert read == finding(
        3, file="a.py", severity="critical", confidence="certain", message="leaks", fingerprint="f"
    )


def test_a_sample_of_no_project_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at = [p for p in sample.load_projects() if p.looked_at]
    monkeypatch.setattr(sample, "VERDICTS", tmp_path / "verdicts")
    monkeypatch.setattr(sample, "load_projects", lambda: looked_at)
    assert sample.main(["8", "--trees", str(tmp_path)]) == 2
    assert "next: pin projects that nobody has looked at" in capsys.readouterr().err
    assert not (tmp_path / "verdicts").exists()


REVIEWER = """
import json, pathlib, sys
options = dict(zip(sys.argv[3::2], sys.argv[4::2]))
rows = [dict(file="a.py", line=n, rule=r, severity=s, confidence=c, issue="x", fingerprint=f"{r}{n}")
        for n in (1, 2) for r, s, c in (("one", "critical", "certain"), ("two", "important", "tentative"),
                                        ("three", "minor", "certain"))]
pathlib.Path(options["--output"]).write_text(json.dumps({"findings": rows}))
sys.exit(1)
"""


def test_a_sample_is_drawn_judged_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "stand_in" / "fastapi_architect"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(REVIEWER)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setattr(sample, "VERDICTS", tmp_path / "verdicts")
    pinned = [replace(p, looked_at="") for p in sample.load_projects() if p.unseen][:1]
    monkeypatch.setattr(sample, "load_projects", lambda: pinned)
    (tmp_path / "trees" / pinned[0].name / pinned[0].roots[0]).mkdir(parents=True, exist_ok=True)
    arguments = ["7", "--trees", str(tmp_path / "trees")]

    assert sample.main(arguments) == 0
    folder = tmp_path / "verdicts" / "7"
    drawn = [json.loads(line) for line in (folder / "findings.jsonl").read_text().splitlines()]
    assert sorted((row["rule"], row["line"]) for row in drawn) == [
        ("one", 1),
        ("one", 2),
        ("two", 1),
        ("two", 2),
    ]
    assert sample.main(arguments) == 2  # not judged yet, and not drawn again

    for judge in (1, 2):
        rows = [
            {"fingerprint": row["fingerprint"], "real": row["fingerprint"] != "one2", "why": "x"}
            for row in drawn
        ]
        write(folder / f"judge-{judge}.jsonl", rows)
    capsys.readouterr()
    assert sample.main(arguments) == 1
    printed = capsys.readouterr().out
    assert "real: 1 of 2, 50.0% (bar 85%: NOT reached)" in printed
    assert "tentative ones real: 2 of 2, 100.0%" in printed
    assert "tentative among critical and important: 50.0%" in printed
