"""A rule's page says why, shows bad and good, and where to read on."""

from __future__ import annotations

import ast
import re

from msgspec.structs import replace
from tests.report.samples import NAMES, SQL

from fastapi_architect.report.explain import fenced, render
from fastapi_architect.rules.catalog import all_rules


def test_the_page_of_a_weakness():
    assert render(SQL) == (
        "# 🔒 sql-injection-raw-statement\n\n"
        "A request's text becomes part of an SQL statement\n\n"
        "- category: Security, injection\n"
        "- severity: critical at most\n"
        "- weakness: [CWE-89](https://cwe.mitre.org/data/definitions/89.html)\n"
        "- CVSS: 9.8 before the facts of a place are known, `CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H`\n"
        "\n"
        "## Why\n\n"
        "The database cannot tell the caller's text from the statement.\n\nKnown limits: none.\n\n"
        "## Exploit\n\n"
        "q=' UNION SELECT email, hashed_password FROM users-- reads any table.\n\n"
        f"## Bad\n\n```python\n{SQL.bad}```\n\n"
        f"## Good\n\n```python\n{SQL.good}```\n\n"
        "## Silence it where it is safe\n\n"
        "```python\n# architect: allow(sql-injection-raw-statement): why it is safe here\n```\n\n"
        "## References\n\n- <https://owasp.org/Top10/A03_2021-Injection/>\n"
    )


def test_what_a_rule_does_not_have_is_left_out():
    headings = [line for line in render(NAMES).splitlines() if line.startswith("#")]
    assert headings[:2] == ["# 🌐 resource-naming-convention", "## Silence it where it is safe"]
    assert "## How it shows" in render(replace(NAMES, exploit="51 statements"))


def test_code_cannot_leave_its_fence():
    assert fenced('"""\n````\n"""') == '`````python\n"""\n````\n"""\n`````'


def test_each_file_of_an_example_is_a_block_of_its_own():
    page = render(
        replace(
            NAMES, bad="# requirements.txt\nfastapi==0.1.0\n\n# app/main.py\nx = 1\n\n# Dockerfile\nRUN x"
        )
    )
    assert (
        "## Bad\n\n`requirements.txt`:\n\n```text\nfastapi==0.1.0\n```\n\n"
        "`app/main.py`:\n\n```python\nx = 1\n```\n\n`Dockerfile`:\n\n```text\nRUN x\n```\n"
    ) in page


def test_every_python_block_of_every_page_parses():
    broken = []
    for name, rule in all_rules().items():
        for block in re.findall(r"^(`{3,})python\n(.*?)\n\1$", render(rule.info), re.DOTALL | re.MULTILINE):
            try:
                ast.parse(block[1])
            except SyntaxError as error:
                broken.append((name, str(error)))
    assert broken == []
