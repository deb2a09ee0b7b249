"""Edits on the bytes of a file keep everything that they are not about."""

from __future__ import annotations

import codecs

import pytest

from fastapi_architect.source.edit import CannotEdit, Edit, OverlappingEdits, edit_file
from fastapi_architect.source.location import Location


def at(line: int, begin: int, end: int | None = None) -> Location:
    return Location("a.py", line, begin, line, begin if end is None else end)


def test_line_ends_stay_and_new_lines_end_like_most() -> None:
    data = b"a = 1\r\nb = 2\nc = 3\r\n"

    made = edit_file(data, [Edit(at(2, 0), "x = 0\n"), Edit(at(3, 4, 5), "4")])

    assert made == b"a = 1\r\nx = 0\r\nb = 2\nc = 4\r\n"


def test_a_lone_carriage_return_ends_a_line() -> None:
    assert edit_file(b"a = 1\rb = 2\r", [Edit(at(2, 4, 5), "3")]) == b"a = 1\rb = 3\r"


def test_the_byte_order_mark_stays() -> None:
    made = edit_file(codecs.BOM_UTF8 + "ä = 'é'\n".encode(), [Edit(at(1, 5, 9), "'ü'")])

    assert made == codecs.BOM_UTF8 + "ä = 'ü'\n".encode()


def test_a_declared_encoding_stays() -> None:
    data = "# coding: latin-1\nname = 'é' + x\n".encode("latin-1")

    assert edit_file(data, [Edit(at(2, 14, 15), "'ü'")]) == "# coding: latin-1\nname = 'é' + 'ü'\n".encode(
        "latin-1"
    )


def test_what_the_encoding_lacks_is_refused() -> None:
    with pytest.raises(CannotEdit, match="latin-1 has no '→'"):
        edit_file(b"# coding: latin-1\nx = 1\n", [Edit(at(2, 4, 5), "'→'")])


def test_bytes_that_python_would_read_otherwise_are_refused() -> None:
    with pytest.raises(CannotEdit, match="not UTF-8"):
        edit_file(b"x = '\xff'\n", [Edit(at(1, 0, 1), "y")])


def test_new_lines_are_indented_with_the_tabs_of_their_place() -> None:
    data = b"def f():\n\ttry:\n\t\tg()\n\texcept Exception:\n\t\tpass\n"

    made = edit_file(data, [Edit(at(4, 1), "except KeyError:\n     raise\n ")])

    assert (
        made == b"def f():\n\ttry:\n\t\tg()\n\texcept KeyError:\n\t\traise\n\texcept Exception:\n\t\tpass\n"
    )


def test_equal_edits_are_made_once_and_overlapping_ones_never() -> None:
    twice = Edit(at(1, 0), "import secrets\n")

    assert edit_file(b"x = 1\n", [twice, twice]) == b"import secrets\nx = 1\n"
    with pytest.raises(OverlappingEdits):
        edit_file(b"abcdef = 1\n", [Edit(at(1, 0, 4), "x"), Edit(at(1, 2, 6), "y")])
