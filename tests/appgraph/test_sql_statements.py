"""SQL text is read just enough to know what it names."""

import pytest

from fastapi_architect.appgraph.sql_statements import names_in_sql


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT * FROM state", True),
        ('SELECT * FROM public."state" s', True),
        ("UPDATE state SET created = now()", True),
        ("SELECT :state FROM messages", False),
        ("SELECT state FROM messages WHERE state = 'done'", False),
    ],
)
def test_a_table_is_named_where_a_statement_names_tables(text: str, named: bool) -> None:
    assert names_in_sql(text, "state") is named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("SELECT created FROM state", True),
        ("SELECT s.created FROM messages m JOIN state AS s ON s.id = m.state_id", True),
        ("SELECT state.created FROM state", True),
        ("SELECT m.created FROM state s JOIN messages m ON m.id = s.id", False),
        ("SELECT created FROM state s JOIN messages m ON m.id = s.id", False),
        ("SELECT id -- created before\nFROM state", False),
        ("DELETE FROM state; SELECT created FROM messages", False),
        ("SELECT recreated FROM state", False),
    ],
)
def test_a_column_belongs_to_the_table_that_its_alias_stands_for(text: str, named: bool) -> None:
    assert names_in_sql(text, "state", "created") is named
