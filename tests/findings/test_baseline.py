"""A baseline hides what is known, shows what is new, and never destroys a file."""

from __future__ import annotations

import json

import pytest
from tests.findings.samples import a_finding

from fastapi_architect.findings.baseline import (
    Baseline,
    BaselineError,
    Entry,
    baseline_of,
    compare,
    read,
    render,
    write,
)

ONE, TWO, THREE = (f"v1:{letter * 20}:{letter * 8}:1" for letter in "abc")


def known(print_, line=1, **more):
    return a_finding(line=line, fingerprint=print_, **more)


def test_what_is_written_is_read_again(tmp_path):
    baseline = baseline_of([known(TWO, 9), known(ONE, 2, issue="naïve “quote” \n <b>")], units=42)
    write(tmp_path / "b.json", baseline)
    assert read(tmp_path / "b.json") == baseline
    assert [entry.line for entry in baseline.entries] == [2, 9]


def test_the_text_is_the_same_whatever_the_order_of_findings():
    findings = [known(ONE, 3), known(TWO, 2), known(THREE, 1)]
    assert render(baseline_of(findings)) == render(baseline_of(findings[::-1]))
    assert json.loads(render(Baseline()))["findings"] == []


def test_an_entry_speaks_to_people(tmp_path):
    entry = json.loads(render(baseline_of([known(ONE, 3, path="app/a.py", issue="SQL from a request")])))[
        "findings"
    ]
    assert entry == [
        {
            "file": "app/a.py",
            "line": 3,
            "rule": "sql-injection-raw-statement",
            "issue": "SQL from a request",
            "fingerprint": ONE,
        }
    ]


def test_known_findings_are_told_from_new_and_gone_ones():
    baseline = baseline_of([known(ONE), known(TWO)])
    kept, new = known(ONE, 77), known(THREE)
    compared = compare(baseline, [new, kept])
    assert (compared.new, compared.known) == ((new,), (kept,))
    assert compared.gone == (
        Entry(TWO, "sql-injection-raw-statement", "app/users.py", 1, "sql-injection-raw-statement here"),
    )


def test_a_finding_in_a_renamed_function_stays_known():
    renamed = known(ONE.replace("a" * 8 + ":1", "d" * 8 + ":1"))
    assert compare(baseline_of([known(ONE)]), [renamed]).new == ()


def test_an_existing_file_is_replaced_only_when_asked(tmp_path):
    path = tmp_path / "b.json"
    write(path, baseline_of([known(ONE)]))
    before = path.read_bytes()
    with pytest.raises(BaselineError, match="exists already; name another file, or add --replace"):
        write(path, Baseline())
    assert path.read_bytes() == before
    write(path, Baseline(), replace=True)
    assert read(path) == Baseline()
    assert [each.name for each in tmp_path.iterdir()] == ["b.json"]


def test_a_file_of_another_kind_is_never_replaced(tmp_path):
    path = tmp_path / "package.json"
    path.write_text('{"name": "x"}')
    with pytest.raises(BaselineError, match="not a baseline of this tool and was left as it is"):
        write(path, Baseline(), replace=True)
    assert path.read_text() == '{"name": "x"}'


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(BaselineError, match=r"cannot be written .*; choose another place"):
        write(tmp_path / "no" / "b.json", Baseline())


BAD_ENTRY = '{"fingerprint": "x", "rule": "r", "file": "f", "issue": "i"}'
HEAD = '"kind": "fastapi-architect baseline", "version": 1, "fingerprints": "v1"'


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a baseline"),
        (b"[1]", "not a baseline"),
        (b"{}", "not a baseline"),
        (b"[" * 100_000, "not a baseline"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'{"kind": "fastapi-architect baseline", "version": 2}', "another version"),
        (b'{"kind": "fastapi-architect baseline", "version": 9}', "--write-baseline"),
        (f"{{{HEAD}}}".encode(), "no list of findings"),
        (f'{{{HEAD}, "findings": [3]}}'.encode(), "finding 1 lacks"),
        (
            f'{{{HEAD}, "findings": [{BAD_ENTRY}]}}'.encode(),
            "finding 1: 'x' is not a fingerprint",
        ),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_with_the_next_step(tmp_path, content, says):
    path = tmp_path / "b.json"
    path.write_bytes(content)
    with pytest.raises(BaselineError, match=says) as raised:
        read(path)
    assert str(path) in str(raised.value)
    assert ";" in str(raised.value)


def test_a_missing_file_names_the_command_that_writes_it(tmp_path):
    with pytest.raises(
        BaselineError, match="does not exist; write it with `architect review --write-baseline"
    ):
        read(tmp_path / "b.json")


def test_a_folder_is_no_baseline(tmp_path):
    with pytest.raises(BaselineError, match="cannot be read"):
        read(tmp_path)
