"""What stands in a report may be any text of the reviewed code; what leaves the sandbox is what a database can hold."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.secapi.sandbox.archive import FLAWED

from fastapi_architect.review.pipeline import Request, review
from fastapi_architect.review.result import Review
from fastapi_architect.secapi.sandbox.child import _encoded
from fastapi_architect.secapi.sandbox.contract import ContractBroken, checked


@pytest.fixture
def result(tmp_path: Path) -> Review:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "main.py").write_text(FLAWED)
    return review(Request(folder, cache=False))


def test_half_a_character_becomes_one_that_can_be_written(result: Review) -> None:
    report = checked(_encoded(replace(result, notes=("a \ud800 b \U0001f512 c",))))
    assert report["notes"] == ["a \ufffd b \U0001f512 c"]


def test_a_nul_becomes_a_character_that_postgresql_holds(result: Review) -> None:
    report = checked(_encoded(replace(result, notes=("a \0 b",))))
    assert report["notes"] == ["a \ufffd b"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("score", 101),
        ("score", "high"),
        ("severity", "fatal"),
        ("findings", {}),
        ("findings", [{"file": "main.py"}]),
        ("not_analysed", [{"file": 1, "reason": ""}]),
        ("notes", ["x" * 1_000_001]),
        ("failed", None),
    ],
)
def test_a_report_that_is_not_as_the_contract_says_is_refused(
    key: str, value: object, result: Review
) -> None:
    document = json.loads(_encoded(result))
    assert checked(msgspec.json.encode(document)) == document
    with pytest.raises(ContractBroken):
        checked(msgspec.json.encode({**document, key: value}))
    del document[key]
    with pytest.raises(ContractBroken):
        checked(msgspec.json.encode(document))
