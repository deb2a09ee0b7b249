"""Bytes to text: what Python would read, whatever the bytes are."""

import ast
import codecs

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from fastapi_architect.source.decode import Decoded, decode


def test_ordinary_utf_8_is_read_as_it_is() -> None:
    assert decode("x = 'é'\n".encode()) == Decoded("x = 'é'\n", "utf-8")


def test_an_empty_file_is_empty_text() -> None:
    assert decode(b"") == Decoded("", "utf-8")


def test_a_utf_8_mark_is_dropped() -> None:
    assert decode(codecs.BOM_UTF8 + b"x = 1\n") == Decoded("x = 1\n", "utf-8-sig")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_with_a_mark_are_read_and_told(encoding: str) -> None:
    decoded = decode("\ufeffx = 'é'\r\ny = 2\n".encode(encoding))
    assert (decoded.text, decoded.encoding) == ("x = 'é'\ny = 2\n", encoding)
    assert decoded.problem == f"it is encoded as {encoding.upper()}, which Python does not read as source"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognised(encoding: str) -> None:
    decoded = decode("import os\nprint(os)\n".encode(encoding))
    assert (decoded.text, decoded.encoding, decoded.analysable) == ("import os\nprint(os)\n", encoding, True)


def test_a_truncated_utf_16_file_is_still_read() -> None:
    assert decode(codecs.BOM_UTF16_LE + "x = 1\n".encode("utf-16-le") + b"\x41").text.startswith("x = 1\n")


@pytest.mark.parametrize(
    ("cookie", "encoding"),
    [
        ("latin-1", "latin-1"),
        ("iso-8859-15", "iso8859-15"),
        ("Windows-1252", "cp1252"),
        ("latin-1-unix", "latin-1"),
        ("koi8-r", "koi8-r"),
    ],
)
def test_a_declared_character_set_is_used(cookie: str, encoding: str) -> None:
    data = f"# -*- coding: {cookie} -*-\nname = '".encode() + b"\xe9'\n"
    decoded = decode(data)
    assert (decoded.encoding, decoded.problem) == (encoding, None)
    assert decoded.text == data.decode(cookie.removesuffix("-unix"))


@pytest.mark.parametrize(
    "head",
    [
        "\n# coding=latin-1\n",
        "#!/usr/bin/python\n# vim: set fileencoding=latin-1 :\n",
        "\f# coding: latin-1\r",
    ],
)
def test_a_cookie_may_stand_in_the_first_or_second_line(head: str) -> None:
    assert decode(head.encode() + b"# \xe9\n").encoding == "latin-1"


@pytest.mark.parametrize(
    "head", ["x = 1\n# coding: latin-1\n", "\n\n# coding: latin-1\n", "x = '# coding: latin-1'\n"]
)
def test_a_cookie_elsewhere_does_not_count(head: str) -> None:
    assert decode(head.encode() + "y = 'é'\n".encode()) == Decoded(head + "y = 'é'\n", "utf-8")


@pytest.mark.parametrize("cookie", ["utf-8", "UTF8", "utf_8", "utf-8-unix", "u8"])
def test_names_of_utf_8_are_utf_8(cookie: str) -> None:
    assert decode(f"# coding: {cookie}\nx = 'é'\n".encode()).problem is None


@pytest.mark.parametrize(
    "cookie",
    [
        "rot13",
        "rot_13",
        "unicode_escape",
        "raw_unicode_escape",
        "idna",
        "punycode",
        "hex",
        "zlib",
        "undefined",
    ],
)
def test_what_is_no_character_set_is_refused_and_told(cookie: str) -> None:
    text = f"# coding: {cookie}\nx = 'é \\u000aimport os'\n"
    decoded = decode(text.encode())
    assert (decoded.text, decoded.encoding) == (text, "utf-8")
    assert decoded.problem == (
        f"it declares {cookie[:60]!r}, which is no character set known here; read as UTF-8"
    )


@pytest.mark.parametrize("cookie", ["cp037", "utf-16", "base64", "..os", "antigravity"])
def test_what_cannot_hold_a_cookie_is_refused(cookie: str) -> None:
    assert decode(f"# coding: {cookie}\nx = 'é'\n".encode()).text == f"# coding: {cookie}\nx = 'é'\n"


def test_a_refused_codec_is_not_even_looked_up() -> None:
    asked: list[str] = []

    def search(name: str) -> None:
        asked.append(name)

    codecs.register(search)
    try:
        decode(b"# coding: planted_codec\n\xff")
    finally:
        codecs.unregister(search)
    assert asked == []


def test_an_endless_name_of_a_codec_is_cut_short() -> None:
    assert len(decode(b"# coding: " + b"a" * 100_000).problem or "") < 150


def test_code_hidden_by_utf_7_is_brought_to_light() -> None:
    decoded = decode(b"# coding: utf-7\n# harmless +AAo-import os\n")
    assert decoded.text == "# coding: utf-7\n# harmless \nimport os\n"
    assert decoded.problem is not None
    assert "utf-7" in decoded.problem


def test_a_lying_cookie_falls_back() -> None:
    decoded = decode("# coding: ascii\nx = 'é'\n".encode())
    assert (decoded.text, decoded.encoding) == ("# coding: ascii\nx = 'é'\n", "utf-8")
    assert decoded.problem == "it declares 'ascii', but its bytes are not; read as UTF-8"


def test_a_cookie_that_contradicts_the_mark_is_told() -> None:
    decoded = decode(codecs.BOM_UTF8 + "# coding: latin-1\nx = 'é'\n".encode())
    assert decoded.text == "# coding: latin-1\nx = 'é'\n"
    assert decoded.problem == "it begins with a UTF-8 mark and declares 'latin-1'; read as UTF-8"


def test_other_bytes_are_read_as_latin_1_one_column_a_byte() -> None:
    decoded = decode(b"x = 1\ny = '\xe9\xff'\n")
    assert (decoded.text, decoded.encoding) == ("x = 1\ny = 'éÿ'\n", "latin-1")
    assert decoded.problem == (
        "line 2 holds the byte 0xe9, which is not UTF-8, and it declares no other encoding; read as Latin-1"
    )


def test_nul_bytes_are_not_analysed_and_their_place_is_told() -> None:
    decoded = decode(b"x = 1\r\ny = \0\n")
    assert decoded.problem == "not analysed because it contains NUL bytes (the first at line 2, column 5)"
    assert not decoded.analysable


def test_a_lone_surrogate_never_reaches_the_parser() -> None:
    decoded = decode("x = '\ud800é'\n".encode("utf-8", "surrogatepass"))
    assert decoded.text == "x = '\ufffdé'\n"
    assert decoded.problem == "line 1 holds a lone surrogate; read as U+FFFD"


def test_lines_are_numbered_as_an_editor_numbers_them() -> None:
    decoded = decode(b"a = 1\rb = 2\r\n\fc = 3\n\n\rd = '\x0b\xc2\x85\xe2\x80\xa8'\n")
    assert decoded.text == "a = 1\nb = 2\n\fc = 3\n\n\nd = '\x0b\x85\u2028'\n"
    assert [statement.lineno for statement in ast.parse(decoded.text).body] == [1, 2, 3, 6]


_cookies = st.sampled_from(
    [b"", b"# coding: latin-1\n", b"# coding: utf-7\n", b"\n# coding: hz\r", b"#coding=shift_jis\n"]
)
_marks = st.sampled_from(
    [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE]
)


@seed(20)
@settings(max_examples=400, database=None, deadline=None)
@given(mark=_marks, cookie=_cookies, rest=st.binary(max_size=60))
def test_no_bytes_raise_and_the_parser_can_be_given_the_text(mark: bytes, cookie: bytes, rest: bytes) -> None:
    decoded = decode(mark + cookie + rest)
    assert "\r" not in decoded.text
    decoded.text.encode()
    assert decoded.analysable == ("\0" not in decoded.text)
