"""A suppression silences what it names, where it stands, for a reason; anything else is said aloud."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest
from tests.findings.samples import a_finding

from fastapi_architect.findings.suppression import Block, Comment, apply, read

NO_REASON = (
    "silences nothing without a reason; write # architect: allow(hardcoded-credential): why it is safe"
)
KNOWN = {"sql-injection-raw-statement", "hardcoded-credential", "query-inside-loop"}


def comments_of(text):
    lines = text.split("\n")
    return [
        Comment("m.py", token.start[0], token.string, not lines[token.start[0] - 1][: token.start[1]].strip())
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]


def blocks_of(text):
    return [
        Block(
            "m.py",
            min([node.lineno, *(each.lineno for each in node.decorator_list)]),
            node.lineno,
            node.end_lineno,
        )
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]


def silenced_lines(text, rule="sql-injection-raw-statement"):
    asked = read(comments_of(text), blocks_of(text), KNOWN)
    findings = [a_finding(rule, "m.py", line) for line in range(1, text.count("\n") + 1)]
    return [each.finding.location.line for each in apply(findings, asked.suppressions, KNOWN).suppressed]


def problems(text, findings=(), ran=frozenset(KNOWN)):
    asked = read(comments_of(text), blocks_of(text), KNOWN)
    applied = apply(list(findings), asked.suppressions, ran)
    return [(each.location.line, each.text) for each in (*asked.problems, *applied.problems)]


ALLOW = "# architect: allow(sql-injection-raw-statement): the name comes from a fixed table"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"a = 1\nb = 2  {ALLOW}\nc = 3\n", [2]),
        (f"a = 1\n{ALLOW}\nb = 2\nc = 3\n", [3]),
        (f"{ALLOW}\n# more words about it\nb = 2\nc = 3\n", [3]),
        (f"{ALLOW}\ndef f():\n    a = 1\n    b = 2\nc = 3\n", [2, 3, 4]),
        (f"def f():  {ALLOW}\n    a = 1\nc = 3\n", [1, 2]),
        (f"@g\n{ALLOW}\n@h(\n  1)\ndef f():\n    a = 1\nc = 3\n", [1, 2, 3, 4, 5, 6]),
        (
            f"class C:\n    {ALLOW}\n    def f(self):\n        a = 1\n    def g(self):\n        b = 2\n",
            [3, 4],
        ),
        (f"{ALLOW}\nclass C:\n    def f(self):\n        a = 1\nb = 2\n", [2, 3, 4]),
        (f"def f(\n    a,\n    b=1,  {ALLOW}\n):\n    pass\n", [3]),
        (f"text = '''{ALLOW}'''\n", []),
    ],
)
def test_it_covers_its_line_or_the_line_below_or_the_whole_block(text, lines):
    assert silenced_lines(text) == lines


def test_a_comment_behind_the_last_line_of_a_statement_covers_the_statement():
    text = f"a = (\n  1\n)  {ALLOW}\n"
    asked = read(comments_of(text), [], KNOWN)
    applied = apply([a_finding(path="m.py", line=1, end_line=3)], asked.suppressions, KNOWN)
    assert [each.reason for each in applied.suppressed] == ["the name comes from a fixed table"]


def test_it_silences_only_the_rules_it_names():
    assert silenced_lines(f"a = 1  {ALLOW}\n", "hardcoded-credential") == []
    both = "a = 1  # architect: allow(hardcoded-credential, sql-injection-raw-statement): a fixture\n"
    assert [
        silenced_lines(both, rule) for rule in ("hardcoded-credential", "sql-injection-raw-statement")
    ] == [[1], [1]]


def test_it_does_not_reach_into_another_file():
    asked = read(comments_of(f"a = 1  {ALLOW}\n"), [], KNOWN)
    assert apply([a_finding(path="other.py", line=1)], asked.suppressions, KNOWN).suppressed == ()


def test_an_inner_function_does_not_silence_the_function_around_it():
    text = f"def f():\n    {ALLOW}\n    def g():\n        pass\n    return g\n"
    asked = read(comments_of(text), blocks_of(text), KNOWN)
    whole = a_finding(path="m.py", line=1, end_line=5)
    assert apply([whole], asked.suppressions, KNOWN).active == (whole,)


@pytest.mark.parametrize(
    "comment",
    ["allow(hardcoded-credential)", "allow(hardcoded-credential):", "allow(hardcoded-credential):  "],
)
def test_without_a_reason_nothing_is_silenced_and_that_is_said(comment):
    text = f"a = 1  # architect: {comment}\n"
    assert silenced_lines(text, "hardcoded-credential") == []
    assert problems(text, [a_finding("hardcoded-credential", "m.py", 1)]) == [
        (
            1,
            NO_REASON,
        )
    ]


def test_an_unknown_rule_is_said_with_the_nearest_name():
    text = "a = 1  # architect: allow(hardcoded-credentials): a fixture\n"
    assert problems(text) == [
        (1, "there is no rule 'hardcoded-credentials'; did you mean 'hardcoded-credential'?")
    ]


@pytest.mark.parametrize(
    "comment", ["allow hardcoded-credential: x", "alow(hardcoded-credential): x", "ignore(x): y", "ignore x"]
)
def test_a_misspelt_suppression_is_said(comment):
    assert problems(f"a = 1  # architect: {comment}\n") == [
        (1, "not understood; write # architect: allow(rule-name): reason")
    ]


def test_an_empty_suppression_is_said():
    assert problems("a = 1  # architect: allow(): because\n") == [
        (1, "names no rule; write # architect: allow(rule-name): reason")
    ]


def test_prose_about_an_architect_is_no_suppression():
    assert problems("a = 1  # architect: Ada Lovelace\n# the architect allows nothing\n") == []


def test_a_suppression_that_silences_nothing_is_said_once_per_rule_that_ran():
    text = "a = 1  # architect: allow(hardcoded-credential, query-inside-loop): a fixture\n"
    found = [a_finding("hardcoded-credential", "m.py", 1)]
    assert problems(text, found) == [
        (
            1,
            "query-inside-loop is not reported here any more; remove it from `# architect: allow(...)`",
        )
    ]
    assert problems(text, found, ran={"hardcoded-credential"}) == []


def test_it_stands_beside_other_directives():
    assert silenced_lines(f"a = 1  # noqa: S608 {ALLOW}\n") == [1]
