"""One fix lets everything pass that a broad clause swallows, or there is none."""

from __future__ import annotations

from pathlib import Path

from tests.rules.kit import review_with, rule_named, write

APP = """
from fastapi import FastAPI, HTTPException
{imports}
app = FastAPI()

def find(number: int) -> int:
    if number < 1:
        raise HTTPException(404)
    return number

{below}

@app.post("/orders/{{number}}/cancellation")
def cancel(number: int) -> int:
    try:
        if number == 7:
            raise HTTPException(403)
        {call}
        return find(number)
    except Exception:
        raise HTTPException(500)
"""
CONFLICT = """
class Conflict(HTTPException):
    def __init__(self) -> None:
        super().__init__(status_code=409)

def close(number: int) -> None:
    raise Conflict()
"""


def fixes(tmp_path: Path, app: str, **others: str) -> list[str]:
    """Texts that the fixes of the rule put into `main.py`."""
    rule = rule_named("http-exception-swallowed")
    assert rule is not None
    found = review_with(rule, write({"main.py": app, **others}, tmp_path))
    assert len(found) == 1
    fix = found[0].fix
    return [edit.text.splitlines()[0] for edit in fix.edits] if fix is not None else []


def test_one_name_for_what_is_raised_here_and_below(tmp_path: Path):
    assert fixes(tmp_path, APP.format(imports="", below="", call="pass")) == ["except HTTPException:"]


def test_both_names_where_a_class_of_its_own_is_lost_too(tmp_path: Path):
    app = APP.format(imports="", below=CONFLICT, call="close(number)")
    assert fixes(tmp_path, app) == ["except (HTTPException, Conflict):"]


def test_no_fix_where_a_name_is_not_at_hand(tmp_path: Path):
    app = APP.format(imports="from shop import close", below="", call="close(number)")
    shop = "from fastapi import HTTPException\n" + CONFLICT
    assert fixes(tmp_path, app, **{"shop.py": shop}) == []
