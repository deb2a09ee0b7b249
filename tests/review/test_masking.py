"""A secret that was found is not carried further by the report that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastapi_architect.report import html
from fastapi_architect.review.masking import masked
from fastapi_architect.review.pipeline import Request, review

SECRET = "Tz7-quarry-Lark41"
APP = f"""
from fastapi import FastAPI
from sqlalchemy import create_engine

app = FastAPI()
engine = create_engine("postgresql://shop:{SECRET}@db.bookshop.net/shop")
"""


def test_the_page_shows_the_line_without_the_secret(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(APP)
    result = review(Request(tmp_path, cache=False))

    assert [f.rule.name for f in result.findings if f.rule.cwe == 798] == ["hardcoded-credential"]
    assert "create_engine(&quot;***" in html.render(result)
    assert SECRET not in html.render(result)


def test_a_silenced_secret_stays_hidden_in_the_code_around_another_finding(tmp_path: Path) -> None:
    silenced = APP.rstrip("\n") + "  # architect: allow(hardcoded-credential): a throw-away database\n"
    (tmp_path / "main.py").write_text(
        silenced + "import asyncio, time\n\n@app.get('/a')\nasync def a(): time.sleep(1)\n"
    )
    result = review(Request(tmp_path, cache=False))

    assert [f.rule.name for f in result.findings if f.rule.name == "blocking-sleep-in-async"]
    assert SECRET not in html.render(result)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('key = "abc"  # why', 'key = "***"  # why'),
        ("a('x\\'y', b)", "a('****', b)"),
        ("TOKEN=abcd", "TOKEN=****"),
        ("  password: hunter2", "  password: *******"),
        ("MIIEvQIBADANBg", "**************"),
        ('key = """-----BEGIN', 'key = """**********'),
    ],
)
def test_masking_keeps_columns(line: str, shown: str) -> None:
    assert masked(line) == shown
    assert len(shown) == len(line)
