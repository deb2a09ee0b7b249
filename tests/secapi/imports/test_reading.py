"""What is read of a file of results: in each tool's own form, within limits, and nothing that breaks its reader."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.report.samples import a_review
from tests.secapi.imports.samples import bandit, codeql, log, packed, place, result, ruff, run, semgrep

from fastapi_architect.findings.fingerprint import check
from fastapi_architect.report.json import document
from fastapi_architect.secapi.imports.document import Imported
from fastapi_architect.secapi.imports.everything import read_import
from fastapi_architect.secapi.imports.limits import ImportLimits, ImportRefused
from fastapi_architect.secapi.imports.options import ImportKind, ImportOptions
from fastapi_architect.secapi.imports.sources import source_of
from fastapi_architect.secapi.sandbox import read_untrusted

LIMITS = ImportLimits()
CHECKOUT = "file:///builds/work/shop/shop"


class Reader:
    """Reads what a test writes."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "results"

    def bytes(
        self, data: bytes, kind: str = "sarif", limits: ImportLimits = LIMITS, checkout: str = ""
    ) -> list[Imported]:
        self.file.write_bytes(data)
        options = ImportOptions(checkout=checkout)
        return read_import(self.file, ImportKind(kind), options, limits).imported

    def runs(self, *runs: dict[str, Any], **more: Any) -> list[Imported]:
        return self.bytes(packed(log(*runs)), **more)

    def refusal(self, data: bytes, kind: str = "sarif", limits: ImportLimits = LIMITS) -> str:
        with pytest.raises(ImportRefused) as caught:
            self.bytes(data, kind, limits)
        assert caught.value.message.endswith(".")
        return str(caught.value.code)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.mark.parametrize(
    ("made", "source", "expected"),
    [
        (
            semgrep(),
            "sarif:semgrep-oss",
            ("app/db.py", 12, "important", "tentative", "security", "CWE-89", None),
        ),
        (bandit(), "sarif:bandit", ("app/db.py", 12, "minor", "tentative", "security", "CWE-89", None)),
        (
            codeql(),
            "sarif:codeql:language:python",
            ("app/my main.py", 9, "critical", "firm", "security", "CWE-89", 8.8),
        ),
        (ruff(), "sarif:ruff", ("app/main.py", 1, "important", "firm", "code_quality", None, None)),
    ],
    ids=["semgrep", "bandit", "codeql", "ruff"],
)
def test_each_tool_is_understood_in_its_own_form(
    reader: Reader, made: dict[str, Any], source: str, expected: tuple[object, ...]
) -> None:
    [found] = reader.runs(made, checkout=CHECKOUT)

    [one] = found.report.findings
    assert found.source == source
    assert (
        one.file,
        one.line,
        one.severity,
        one.confidence,
        one.category,
        one.cwe,
        one.cvss_score,
    ) == expected
    assert "](1)" not in one.issue
    assert found.report.score is None
    check(one.fingerprint)


def test_a_fingerprint_follows_the_finding_and_never_another_tool_or_file(reader: Reader) -> None:
    def prints(*runs: dict[str, Any]) -> list[str]:
        return [each.fingerprint for found in reader.runs(*runs) for each in found.report.findings]

    moved = codeql()
    moved["results"][0]["locations"] = [place("app/other.py", 90)]
    [later] = prints(run("T", result(line=30)))
    same = prints(run("T", result(), result(line=9)))

    assert prints(moved) == prints(codeql())
    assert later == same[0]
    assert len(set(same)) == 2
    assert prints(run("T", result(uri="b.py"))) != [later]
    assert prints(run("Other", result())) != [later]
    # "requires login" identifies nothing: two results of it are two findings by what they flag.
    twice = semgrep()
    other = json.loads(json.dumps(twice["results"][0]))
    other["locations"][0]["physicalLocation"]["region"]["snippet"]["text"] = "other"
    [one] = prints(semgrep())
    twice["results"].append(other)
    assert one in prints(twice)
    assert len({each.rpartition(":")[0] for each in prints(twice)}) == 2


def test_what_a_tool_did_not_look_at_is_not_closed(reader: Reader) -> None:
    failed = run("Failed", invocations=[{"executionSuccessful": False}])
    absent = {"tool": {"driver": {"name": "Absent"}}}

    assert {each.source: each.closes for each in reader.runs(failed, absent, run("Well"))} == {
        "sarif:failed": False,
        "sarif:absent": False,
        "sarif:well": True,
    }


def test_what_is_no_open_finding_is_left_out_and_counted(reader: Reader) -> None:
    gone, passed = result(baselineState="absent"), result(kind="pass")
    rejected = result(suppressions=[{"kind": "external", "status": "rejected"}])

    [found] = reader.runs(run("T", gone, passed, rejected))

    assert (len(found.report.findings), found.proposed) == (1, frozenset())
    assert len(found.report.notes) == 2


@pytest.mark.parametrize(
    ("limit", "code", "made"),
    [
        ({"runs": 1}, "import-too-many-runs", log(run("A"), run("B"))),
        ({"results": 1}, "import-too-many-results", log(run("A", result(), result()))),
        ({"rules": 1}, "import-too-many-rules", log(run("A", rules=[{"id": "a"}, {"id": "b"}]))),
        (
            {"tags": 1},
            "import-too-many-tags",
            log(run("A", rules=[{"id": "a", "properties": {"tags": ["x", "y"]}}])),
        ),
        ({"extensions": 0}, "import-too-many-extensions", log(codeql())),
        (
            {"locations": 1},
            "import-too-many-locations",
            log(run("A", result(locations=[place("a", 1), place("a", 2)]))),
        ),
        ({"flow_locations": 1}, "import-too-many-flow-locations", log(codeql())),
        ({"sent_bytes": 10}, "import-too-large", log(run("A"))),
        ({"total_bytes": 50}, "import-too-large", log(run("A"))),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) and "runs" not in value else None,
)
def test_a_file_beyond_a_limit_is_refused_whole(
    reader: Reader, limit: dict[str, int], code: str, made: dict[str, Any]
) -> None:
    assert reader.refusal(packed(made), limits=replace(LIMITS, **limit)) == code
    reader.bytes(packed(made))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import-not-json"),
        (b"{", "import-not-json"),
        (b"[]", "import-wrong-shape"),
        (b'{"a":1}', "import-not-sarif"),
        (b'{"version":"2.1.0"}', "import-no-runs"),
        (b'{"version":"2.0.0","runs":[]}', "import-sarif-version"),
        (b'{"version":"2.1.0","runs":[{"tool":7}]}', "import-wrong-shape"),
        (
            b'{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"a"}},"results":[{"rank":1e400}]}]}',
            "import-wrong-shape",
        ),
        ('{"version":"2.1.0"}'.encode("utf-16"), "import-not-json"),
        (b'{"version":"\xff"}', "import-not-json"),
        (b'{"x":' + b"[" * 60_000 + b"]" * 60_000 + b"}", "import-nested-too-deeply"),
        (packed(log(run("A")))[:-9], "import-damaged"),
        (gzip.compress(b" " * 20_000_000), "import-decompression-bomb"),
    ],
    ids=range(13),
)
def test_what_is_no_sarif_is_refused_with_a_reason(reader: Reader, data: bytes, code: str) -> None:
    assert reader.refusal(data) == code


def test_signs_that_no_database_holds_and_numbers_that_no_column_does_are_made_harmless(
    reader: Reader,
) -> None:
    bad = result(
        "R\0" + "x" * 400,
        "a\0b/../c.py",
        10**30,
        "nul \0, half " + "\ud83d" + ", whole \U0001f600" + "y" * 9_000,
    )
    data = json.dumps(log(run("T\0ool", bad))).encode()
    assert rb"\ud83d," in data

    [found] = reader.bytes(data)

    [one] = found.report.findings
    assert (one.file, one.line, len(one.rule)) == ("c.py", 2**31 - 1, 200)
    assert one.issue.startswith("nul \ufffd, half \ufffd, whole \U0001f600")
    assert one.issue.endswith("characters more)")
    assert "\0" not in found.source


def test_tools_whose_names_look_alike_are_two_sources() -> None:
    names = ["A B", "A-B", "a/b", "工具", "器具", "", "x" * 500, "x" * 501]

    made = [source_of(each) for each in names]

    # "A B" and "A-B" are how one tool writes itself.
    assert len(set(made)) == len(names) - 1
    assert max(map(len, made)) <= 200
    assert "engine" not in made


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"agent": "x"}, "import-not-a-report"),
        ({"model": "other/1"}, "import-not-a-report"),
        ({"model": "fastapi-architect/nine"}, "import-report-version"),
        ({"model": "fastapi-architect/999.0"}, "import-report-version"),
        ({"partial": True}, "import-report-partial"),
        ({"score": 101}, "import-wrong-shape"),
    ],
)
def test_a_report_that_is_not_one_of_this_version_is_refused(
    reader: Reader, change: dict[str, Any], code: str
) -> None:
    whole = json.loads(json.dumps(document(a_review())))

    assert reader.refusal(json.dumps(whole | change).encode(), "report") == code
    whole["findings"][0]["fingerprint"] = "v2:a:b:1"
    assert reader.refusal(json.dumps(whole).encode(), "report") == "import-wrong-shape"


def test_what_a_report_suppressed_is_a_finding_and_a_proposal(reader: Reader) -> None:
    review = a_review()

    [found] = reader.bytes(json.dumps(document(review)).encode(), "report")

    assert len(found.report.findings) == len(review.findings) + len(review.suppressed)
    assert found.proposed == {each.finding.fingerprint for each in review.suppressed}
    assert (found.source, found.report.score) == ("engine", review.score.value)


def test_a_file_that_takes_all_memory_ends_its_process_and_nothing_else(tmp_path: Path) -> None:
    """Through the walls: what is refused there comes out as a reason, and so does a death."""
    bomb, deep = tmp_path / "bomb", tmp_path / "deep"
    # Each property is kept as an object: few bytes become many.
    bags = json.dumps(log(run("T", result(properties={"a": []})))).replace(
        '"a": []', '"a": [' + "{}," * 5_000_000 + "0]"
    )
    bomb.write_bytes(gzip.compress(bags.encode(), 1))
    deep.write_bytes(b'{"x":' + b"[" * 60_000 + b"]" * 60_000 + b"}")

    with pytest.raises(ImportRefused, match="did not live through it") as died:
        read_untrusted(bomb, ImportKind.SARIF, ImportOptions(), memory=230_000_000, base=tmp_path / "base")
    with pytest.raises(ImportRefused, match="nested more deeply"):
        read_untrusted(deep, ImportKind.SARIF, ImportOptions(), base=tmp_path / "base")

    assert died.value.code == "import-died"
