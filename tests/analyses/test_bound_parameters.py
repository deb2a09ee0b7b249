"""Statements rewritten with bound parameters."""

import pytest

from fastapi_architect.analyses.bound_parameters import bound_statement, literal
from fastapi_architect.syntax.parse import parse_expression


@pytest.mark.parametrize(
    ("code", "text", "values"),
    [
        ('f"SELECT * FROM b WHERE name = {name}"', "SELECT * FROM b WHERE name = :name", {"name": "name"}),
        (
            "f\"SELECT * FROM b WHERE name = '{name}'\"",
            "SELECT * FROM b WHERE name = :name",
            {"name": "name"},
        ),
        ("f\"SELECT * FROM b WHERE n LIKE '%{q}%'\"", "SELECT * FROM b WHERE n LIKE :q", {"q": 'f"%{q}%"'}),
        (
            'f"INSERT INTO b VALUES ({a.x}, {c.x}) LIMIT {n}"',
            "INSERT INTO b VALUES (:x, :x_2) LIMIT :n",
            {"x": "a.x", "x_2": "c.x", "n": "n"},
        ),
        (
            '"SELECT * FROM b WHERE name = \'" + name + "\'"',
            "SELECT * FROM b WHERE name = :name",
            {"name": "name"},
        ),
    ],
)
def test_values_become_parameters(code, text, values):
    bound = bound_statement(parse_expression(code))
    assert bound is not None
    assert bound.text == text
    assert dict(bound.values) == values


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("named", "SELECT 1 WHERE n LIKE '5%' AND a = :a AND b = :b"),
        ("pyformat", "SELECT 1 WHERE n LIKE '5%%' AND a = %(a)s AND b = %(b)s"),
        ("numbered", "SELECT 1 WHERE n LIKE '5%' AND a = $1 AND b = $2"),
    ],
)
def test_placeholders_are_written_as_the_driver_wants_them(style, text):
    bound = bound_statement(
        parse_expression("f\"SELECT 1 WHERE n LIKE '5%' AND a = '{a}' AND b = {b}\""), style
    )
    assert bound is not None
    assert bound.text == text


@pytest.mark.parametrize(
    "code",
    [
        'f"SELECT {column} FROM b"',
        'f"SELECT * FROM {table}"',
        'f"SELECT * FROM b ORDER BY id, {column}"',
        'f"SELECT * FROM b WHERE {column} = 1 ORDER BY {other}"',
        'f"{query}"',
        'f"SELECT * FROM b WHERE {column} = 1"',
        'f"UPDATE b SET a = 1, c = 2 WHERE x = 1 AND {column} LIKE 2"',
        'f"SELECT * FROM b WHERE a = {f(x)}"',
        'f"SELECT * FROM b WHERE a = {x:>10}"',
        'f"SELECT * FROM b WHERE a = {x!r}"',
        '"SELECT %s" % name',
    ],
)
def test_what_cannot_be_bound_is_left_alone(code):
    assert bound_statement(parse_expression(code)) is None


def test_literals_mean_the_same_text():
    for text in ("a", 'say "a"', "two\nlines", "back\\slash", 'both "\n', "it's"):
        assert eval(literal(text)) == text
