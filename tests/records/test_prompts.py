"""Prompt records: no secret gets in, none is overwritten, and findings are compared by their identity."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from fastapi_architect.__main__ import main
from fastapi_architect.records import prompt
from fastapi_architect.records.comparison import Comparison, Seen, Standing
from fastapi_architect.records.place import prompts_folder
from fastapi_architect.records.prompt import PromptRecord
from fastapi_architect.records.redaction import LONGEST, redacted

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def seen(fingerprint: str, severity: str = "critical") -> Seen:
    return Seen(fingerprint, "idor", severity, "app/a.py", 3)


def head_of(text: str) -> dict[str, object]:
    return dict(yaml.safe_load(text.split("---\n")[1]))


def test_a_record_says_what_was_asked_and_what_came_of_it(tmp_path: Path) -> None:
    compared = Comparison(Standing(60, (seen("a"), seen("b"))), Standing(80, (seen("b"), seen("c", "minor"))))
    record = PromptRecord(
        asked="mend it\nall", at=AT, command="ask", done=("did",), files=("a.py",), comparison=compared
    )
    file = prompt.write(prompts_folder(tmp_path), record)
    assert file.relative_to(tmp_path).as_posix() == "docs/prompts/0001-mend-it-all.md"
    text = file.read_text()
    head = head_of(text)
    assert head["score"] == [60, 80]
    assert (head["went"], head["came"], head["files"]) == (["a"], ["c"], ["a.py"])
    assert "> mend it\n> all\n" in text
    assert "| before | 60 | 2 | 0 | 0 | 0 |\n| after | 80 | 1 | 0 | 1 | 0 |" in text
    assert "Went: 1 finding\n\n* critical idor `app/a.py:3` (a)" in text


@pytest.mark.parametrize(
    "asked", ['title: x\n---\ncommand: "rm"', '"]\nscore: [1, 2]\n', "\n---\n# Done\n", "\u2028score: [1,2]"]
)
def test_what_was_asked_adds_nothing_to_the_head_or_the_sections(tmp_path: Path, asked: str) -> None:
    text = prompt.render(PromptRecord(asked="x " + asked, at=AT, command="ask"), 1)
    head = head_of(text)
    assert set(head) == {"number", "title", "date", "command", "files"}
    assert head["command"] == "ask"
    sections = [line for line in text.split("---\n", 2)[2].splitlines() if line.startswith("#")]
    assert sections[1:] == ["## Asked", "## Done"]


KEY = "wq8Zr2Lm5Tn7Yb1Kx4Vc9Hd3Gf6Js0Pa"


@pytest.mark.parametrize(
    "text",
    [
        f"SECRET_KEY={KEY}",
        f"set `api_key: {KEY}`",
        f'{{"client_secret": "{KEY}"}}',
        f"Authorization: Bearer {KEY}",
        f"curl -H 'X-API-Key: {KEY}'",
        f"postgresql://shop:{KEY}@db.shop.io/shop",
        f"https://a.io/x?access_token={KEY}&b=1",
        f"my password is {KEY}",
        f'the password is "{KEY}"',
        f"sk-{KEY}",
        f"ghp_{KEY}",
        f"use {KEY} for it",
        f"use {KEY}.",
        f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----",
        f"eyJ{KEY}.{KEY}.{KEY}",
        f"redis://:{KEY}@cache:6379",
        f"postgresql://shop:a@b/{KEY}@db/shop",
    ],
)
def test_no_secret_gets_into_a_record(tmp_path: Path, text: str) -> None:
    record = PromptRecord(asked=text, at=AT, command="ask", title=text, done=(text,), files=(text,))
    file = prompt.write(prompts_folder(tmp_path), record)
    assert KEY[:12].lower() not in (file.name + file.read_text()).lower()


@pytest.mark.parametrize(
    "text",
    [
        "Add a registration endpoint with e-mail verification and rate limits",
        "the token is validated in app/security/tokens_of_users_and_their_long_names_2024.py",
        "GET /api/v1/organisations/{organisation_id}/members?limit=10 is slow: 51 queries",
        "run test_that_the_limits_of_all_users_are_kept_2024_11 first",
        "hash passwords with argon2id, at least 12 characters",
        "tests/components/rate_limiting/test_that_limits_are_kept_by_everybody_1.py",
    ],
)
def test_sentences_stay_as_they_are(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "sign", ["a", "=", "token", "eyJ", "://a:", "-----BEGIN PRIVATE KEY-----", "a1.", "pin=", "_a1"]
)
def test_redaction_takes_time_in_proportion_to_the_text(sign: str) -> None:
    started = time.process_time()
    redacted(sign * (LONGEST // len(sign)))
    assert time.process_time() - started < 5  # a quadratic pattern needs minutes


def test_a_secret_that_the_cut_parts_in_two_is_not_kept_by_half() -> None:
    assert KEY[:10] not in redacted("x " * (LONGEST // 2 - 8) + KEY)


def test_the_command_compares_two_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(
        "from fastapi import FastAPI\nimport time\napp = FastAPI()\n\n@app.get('/x')\nasync def x():\n    time.sleep(1)\n"
    )
    reports = [tmp_path / "before.json", tmp_path / "after.json"]
    for report in reports:
        main(["review", str(tmp_path), "--format", "json", "--output", str(report), "--gate", "none"])
        (tmp_path / "app.py").write_text(
            (tmp_path / "app.py").read_text().replace("    time.sleep(1)", "    return {}")
        )
    arguments = [
        "phr",
        "new",
        "mend",
        "--before",
        str(reports[0]),
        "--after",
        str(reports[1]),
        "--path",
        str(tmp_path),
    ]
    assert main(arguments) == 0
    text = (tmp_path / "docs/prompts/0001-mend.md").read_text()
    assert "blocking-sleep-in-async" in text.partition("Went:")[2].partition("Came:")[0]
    gone = json.loads(reports[0].read_text())["findings"]
    assert {each["fingerprint"] for each in gone} >= set(head_of(text)["went"])  # type: ignore[call-overload]
    capsys.readouterr()
    assert main(["phr", "list", "--path", str(tmp_path)]) == 0
    assert "mend" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--before", "x.json"], "both reports"),
        (["--before", "no.json", "--after", "no.json"], "no.json cannot be read"),
        (["--before", "x.txt", "--after", "x.txt"], "no JSON"),
        (["--before", "x.json", "--after", "x.json"], "no report of a review"),
    ],
)
def test_what_is_no_report_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("no")
    Path("x.json").write_text('{"findings": [{}]}')
    assert main(["phr", "new", "mend", *arguments]) == 2
    assert named in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
