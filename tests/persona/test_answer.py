"""The six-part answer as a value, and what is taken for one."""

import pytest

from fastapi_architect.persona.answer import (
    Answer,
    Citation,
    NotAnAnswer,
    blocks,
    citations,
    parse,
    passages,
    render,
)

ANSWER = Answer(
    context="Read `app/main.py`.",
    approach="One change.",
    implementation="app/orders.py:12 query-inside-loop: text.\n\n```python\n# app/orders.py:12\nx = 1\n```\n\n| a | b |\n|---|---|\n| "
    "c | d |",
    validation="Run it.",
    considerations="None.",
    follow_ups=("One?", "Two?"),
)


def test_what_is_rendered_is_parsed_again() -> None:
    assert parse(render(ANSWER)) == ANSWER


@pytest.mark.parametrize(
    "headings",
    [
        ("# Context", "# Approach", "# Implementation", "# Validation", "# Considerations", "# Follow-ups"),
        ("### 1. Context", "### 2. Approach", "### 3. Implementation", "### 4. Validation", "### 5. Considerations", "### 6. Follow-ups"),
        ("**Context**", "**Approach:**", "**Implementation**", "**Validation**", "**Considerations**", "**Follow-up**"),
        ("Context:\n", "Approach:\n", "Implementation:\n", "Validation:\n", "Considerations:\n", "Follow ups:\n"),
        ("## CONTEXT", "#### Approach", "## Implementation:", "## *Validation*", "## Considerations", "## Followups"),
    ],
)  # fmt: skip
def test_headings_may_look_as_they_like(headings: tuple[str, ...]) -> None:
    text = "\n\n".join(f"{heading}\n\nsaid {n}" for n, heading in enumerate(headings))
    answer = parse(text)
    assert (answer.context, answer.considerations, answer.follow_ups) == ("said 0", "said 4", ("said 5",))


def test_an_answer_in_one_block_of_markdown_is_unwrapped() -> None:
    assert parse("````markdown\n" + render(ANSWER) + "````") == ANSWER


def test_smaller_headings_belong_to_their_part() -> None:
    text = render(ANSWER).replace("One change.", "### Why\n\nOne change.")
    assert parse(text).approach == "### Why\n\nOne change."


def test_a_heading_in_code_is_none() -> None:
    text = render(ANSWER).replace("Run it.", "```markdown\n## Considerations\n```")
    assert "## Considerations" in parse(text).validation


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda t: t.replace("## Validation", ""), "missing: Validation"),
        (lambda t: t + "\n## Context\n\nagain", "more than once: Context"),
        (lambda t: t.replace("## Approach", "## X").replace("## Context", "## Approach").replace("## X", "## Context"), "out of order"),
        (lambda t: t + "\n## Summary\n\nall well", "no part of an answer: 'Summary'"),
        (lambda t: "Sure, here it is.\n\n" + t, "text stands before Context"),
        (lambda t: t.replace("Run it.", ""), "the part Validation is empty"),
        (lambda _: "It is fine.", "missing: Context, Approach"),
    ],
)  # fmt: skip
def test_the_parts_have_to_be_there_once_and_in_order(change, problem: str) -> None:
    with pytest.raises(NotAnAnswer, match=problem):
        parse(change(render(ANSWER)))


def test_no_follow_ups_are_none() -> None:
    assert parse(render(ANSWER).replace("1. One?\n2. Two?", "None.")).follow_ups == ()


def test_blocks_know_their_language_and_file() -> None:
    [block] = blocks(ANSWER)
    assert (block.part, block.language, block.path, block.line) == (
        "implementation",
        "python",
        "app/orders.py",
        12,
    )


def test_passages_leave_code_out_and_know_tables() -> None:
    said = passages(ANSWER)
    assert not any("x = 1" in each.text for each in said)
    assert [each.text for each in said if each.in_table] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("`app/x.py:12` sql-injection-raw-statement", Citation("app/x.py", 12, 12, "sql-injection-raw-statement")),
        ("app/x.py:12-14", Citation("app/x.py", 12, 14)),
        ("12:14:app/x.py", Citation("app/x.py", 12, 14)),
        ("**app/x.py:3**: open-redirect", Citation("app/x.py", 3, 3, "open-redirect")),
        ("Dockerfile:3", Citation("Dockerfile", 3, 3)),
        (".env:2", Citation(".env", 2, 2)),
    ],
)  # fmt: skip
def test_places_are_cited_in_several_ways(text: str, cited: Citation) -> None:
    assert citations(text) == [cited]


@pytest.mark.parametrize(
    "text", ["http://localhost:8000/x", "db.example.net:5432", "at 10:30", "redis://h.io:6379"]
)
def test_an_address_is_no_citation(text: str) -> None:
    assert citations(text) == []
