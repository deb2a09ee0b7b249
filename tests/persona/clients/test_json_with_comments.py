"""Whatever people write in JSON with comments, one member goes in and out without moving anything else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_architect.persona.clients.json_with_comments import parse, value_at, with_member, without_member

VALUE = {"command": "architect", "args": ["mcp"]}
KEYS = ("servers", "ours")

SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", " // note\n", "/* a */", " /* a\n b */ ", "\t"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, object]:
    """A document in any layout, and what it says."""

    def write(value: object) -> str:
        before, behind = draw(SPACE), draw(SPACE)
        if isinstance(value, dict):
            inside = [f"{draw(SPACE)}{json.dumps(k)}{draw(SPACE)}:{write(v)}" for k, v in value.items()]
            inner = ",".join(inside) + (draw(st.sampled_from(["", ","])) if inside else "") + draw(SPACE)
            return f"{before}{{{inner}}}{behind}"
        if isinstance(value, list):
            return f"{before}[{','.join(map(write, value))}{draw(SPACE)}]{behind}"
        return f"{before}{json.dumps(value)}{behind}"

    value = draw(
        st.dictionaries(st.text(max_size=5).filter(lambda key: key != "servers"), VALUES, max_size=3)
    )
    if draw(st.booleans()):
        servers = draw(
            st.dictionaries(st.text(max_size=5).filter(lambda key: key != "ours"), VALUES, max_size=3)
        )
        value = dict(draw(st.permutations([*value.items(), ("servers", servers)])))
    return write(value), value


@settings(max_examples=400, deadline=None)
@given(documents())
def test_one_member_goes_in_and_out(document: tuple[str, object]) -> None:
    text, value = document
    assert parse(text, "x").value == value
    longer, chunk = with_member(text, KEYS, VALUE, "x")
    node = parse(longer, "x")
    assert value_at(node, KEYS) == VALUE
    rest = {k: v for k, v in node.value.items() if k != "servers"}
    assert rest == {k: v for k, v in value.items() if k != "servers"}  # type: ignore[attr-defined]
    others = {k: v for k, v in node.value["servers"].items() if k != "ours"}
    assert others == value.get("servers", {})  # type: ignore[attr-defined]
    assert without_member(longer, KEYS, chunk, "x") == text


@settings(max_examples=200, deadline=None)
@given(documents())
def test_it_goes_out_of_a_file_that_was_written_anew(document: tuple[str, object]) -> None:
    text, value = document
    longer, chunk = with_member(text, KEYS, VALUE, "x")
    anew = json.dumps(parse(longer, "x").value, indent=1)
    assert parse(without_member(anew, KEYS, chunk, "x"), "x").value == value


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ('{"servers": {"ours": 1, "b": 2}}', '{"servers": { "b": 2}}'),
        ('{"servers": {"a": 1, "ours": 2}}', '{"servers": {"a": 1}}'),
        (
            '{"servers": {"a": 1, // one\n "ours": 2, // two\n "b": 3}}',
            '{"servers": {"a": 1, // one // two\n "b": 3}}',
        ),
        (
            '{"servers": {\n  "a": 1, // one\n  "ours": 2 // two\n}}',
            '{"servers": {\n  "a": 1 // one // two\n}}',
        ),
        ('{"servers": {\n  "a": 1,\n  "ours": 2,\n}}', '{"servers": {\n  "a": 1,\n}}'),
    ],
)
def test_an_entry_that_was_moved_goes_with_its_comma_and_comments_stay(text: str, shorter: str) -> None:
    made = without_member(text, KEYS, "nothing that stands there", "x")
    assert made == shorter
    parse(made, "x")


def test_a_comment_on_the_line_of_the_brace_stays_there_and_line_ends_are_the_file_s() -> None:
    text = '{ // mine\r\n    "a": 1\r\n}\r\n'
    longer, chunk = with_member(text, ("ours",), 1, "x")
    assert longer == '{ // mine\r\n    "ours": 1,\r\n    "a": 1\r\n}\r\n'
    assert without_member(longer, ("ours",), chunk, "x") == text


def test_a_file_that_every_reader_could_read_stays_one() -> None:
    """Ours was the only member; somebody put another one in front of it."""
    longer, chunk = with_member('{"servers": {}}', KEYS, VALUE, "x")
    moved = longer.replace('{"servers": {', '{"servers": {"b": 1,')
    assert json.loads(without_member(moved, KEYS, chunk, "x")) == {"servers": {"b": 1}}


def test_a_copy_in_a_comment_is_not_taken_for_the_entry() -> None:
    longer, chunk = with_member('{\n  "servers": {\n    "b": 1\n  }\n}\n', KEYS, VALUE, "x")
    moved = longer.replace(chunk, f'/*{chunk}*/ "ours": {json.dumps(VALUE)},')
    left = without_member(moved, KEYS, chunk, "x")
    assert parse(left, "x").value == {"servers": {"b": 1}}
    assert chunk in left


@pytest.mark.parametrize(
    "text", ['{"a": 01}', '{"a": 1.}', '{"a": +1}', '{"a": NaN}', '{"a": tru}', '{"a": "\n"}', "{} {}", "{]"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"x:\d+:\d+: "):
        parse(text, "x")
