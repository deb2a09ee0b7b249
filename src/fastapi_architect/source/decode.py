"""Bytes of a Python file to text, as Python would read them, and never an exception.

The file may be hostile. What Python would refuse or what was guessed is said in `Decoded.problem`; the text
is then the best reading there is. Line endings become `\\n`, so that `ast` counts lines as an editor does.

Traps
-----
* A coding cookie (PEP 263) names any codec Python has, also ones that are no character sets (`rot13`,
  `unicode_escape`, `idna`): they are not looked up at all, because a lookup imports a module by that name.
* U+000B, U+000C, U+0085, U+2028 and their like end a line for `str.splitlines`, but neither for Python nor
  for an editor: they stay as they are.
* A lone surrogate in the text would make `ast.parse` raise `UnicodeEncodeError`.
"""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

_COOKIE = lazy_pattern(rb"[ \t\f]*+#[^\r\n]*?coding[:=][ \t]*+([-\w.]++)")
_EMPTY_LINE = lazy_pattern(rb"[ \t\f]*+(?:#[^\r\n]*+)?(?:\r\n?|\n)")
_SURROGATE = lazy_pattern("[\ud800-\udfff]")
_END_OF_LINE = lazy_pattern(r"\r\n?|\n")

# Longer marks first: the UTF-32 one begins with the UTF-16 one.
_WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Character sets in which a coding cookie can stand, by their module names in `encodings`: EBCDIC and the
# 16-bit ones cannot hold a readable cookie, and what is not here is no character set.
_CHARACTER_SET = lazy_pattern(
    r"ascii|utf_8(?:_sig)?|utf_7|latin_1|iso8859_(?:[1-9]|1[013456])|big5(?:hkscs)?|gb(?:2312|k|18030)|hz|johab"
    r"|cp(?:437|720|737|775|85[025678]|86[0-69]|874|932|949|950|1006|1125|125[0-8])"
    r"|euc_(?:jis_2004|jisx0213|jp|kr)|shift_jis(?:_2004|x0213)?|iso2022_(?:kr|jp(?:_1|_2|_2004|_3|_ext)?)"
    r"|koi8_[rtu]|kz1048|mac_(?:arabic|croatian|cyrillic|farsi|greek|iceland|latin2|roman|romanian|turkish)"
    r"|hp_roman8|palmos|ptcp154|tis_620"
)

# Enough of the file to see that every second byte is NUL.
_SAMPLE = 512


class Decoded(msgspec.Struct, frozen=True):
    """The text of one file.

    Attributes:
        text: the text, lines ended by `\\n`, no byte order mark, no lone surrogate.
        encoding: the encoding it was read in.
        problem: None when Python reads the file the same way; otherwise one sentence: what Python would
            refuse, or what was guessed.
        analysable: False when `text` is not worth parsing; `problem` then says why.
    """

    text: str
    encoding: str
    problem: str | None = None
    analysable: bool = True


def decode(data: bytes) -> Decoded:
    """Return the text of a Python source file, whatever `data` holds; never raises."""
    ordinary = b"\0" not in data and not data.startswith(codecs.BOM_UTF8) and _declared(data) == "utf_8"
    if ordinary:
        try:
            return Decoded(_with_line_feeds(data.decode()), "utf-8")
        except UnicodeDecodeError:
            pass  # read with more care below
    encoding, body = _wide(data)
    if encoding is not None:
        problem = f"it is encoded as {encoding.upper()}, which Python does not read as source"
        return _checked(body.decode(encoding, "replace"), encoding, problem)
    if data.startswith(codecs.BOM_UTF8):
        return _decode_marked(data.removeprefix(codecs.BOM_UTF8))
    return _decode_declared(data)


def _decode_marked(body: bytes) -> Decoded:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return _guessed(body, error, "it begins with a UTF-8 mark")
    problem = None
    if _declared(body) != "utf_8":
        problem = f"it begins with a UTF-8 mark and declares {_cookie_text(body)!r}; read as UTF-8"
    return _checked(text, "utf-8-sig", problem)


def _decode_declared(data: bytes) -> Decoded:
    declared = _declared(data)
    problem = None
    if _CHARACTER_SET.fullmatch(declared) is None:
        problem = f"it declares {_cookie_text(data)!r}, which is no character set known here"
    elif declared != "utf_8":
        try:
            text = data.decode(declared)
        except (UnicodeError, LookupError):
            problem = f"it declares {_cookie_text(data)!r}, but its bytes are not"
        else:
            hidden = "it declares 'utf-7', which can hide code in comments; read as Python reads it"
            return _checked(text, declared.replace("_", "-"), hidden if declared == "utf_7" else None)
    try:
        return _checked(data.decode(), "utf-8", problem and f"{problem}; read as UTF-8")
    except UnicodeDecodeError as error:
        if problem:
            return _checked(data.decode("latin-1"), "latin-1", f"{problem}; read as Latin-1")
        return _guessed(data, error, "it declares no other encoding")


def _guessed(data: bytes, error: UnicodeDecodeError, because: str) -> Decoded:
    try:
        return _checked(data.decode("utf-8", "surrogatepass"), "utf-8", None)
    except UnicodeDecodeError:
        line = _line_at(data[: error.start].decode("latin-1"))
    byte = f"0x{data[error.start]:02x}"
    problem = f"line {line} holds the byte {byte}, which is not UTF-8, and {because}; read as Latin-1"
    return _checked(data.decode("latin-1"), "latin-1", problem)


def _checked(text: str, encoding: str, problem: str | None) -> Decoded:
    """Deal with the characters that Python refuses in any encoding."""
    found = _SURROGATE.search(text)
    if found:
        problem = problem or f"line {_line_at(text[: found.start()])} holds a lone surrogate; read as U+FFFD"
        text = _SURROGATE.sub("\ufffd", text)
    text = _with_line_feeds(text)
    at = text.find("\0")
    if at < 0:
        return Decoded(text, encoding, problem)
    line, column = _line_at(text[:at]), at - text.rfind("\n", 0, at)
    reason = f"not analysed because it contains NUL bytes (the first at line {line}, column {column})"
    return Decoded(text, encoding, reason, analysable=False)


def _declared(data: bytes) -> str:
    """The codec module named by the cookie in the first two lines (it may not exist), or UTF-8."""
    name = _cookie_text(data)
    if name is None:
        return "utf_8"
    # As the tokenizer does it: `utf-8-unix` and `latin-1-dos`, which editors write, are UTF-8 and Latin-1.
    name = name.lower().replace("_", "-")
    if name == "utf-8" or name.startswith("utf-8-"):
        return "utf_8"
    if re.match(r"(?:latin-1|iso-8859-1|iso-latin-1)(?:-|$)", name):
        return "latin_1"
    normal = normalize_encoding(name)
    return aliases.get(normal, normal)


def _cookie_text(data: bytes) -> str | None:
    found = _COOKIE.match(data)
    if found is None and (first := _EMPTY_LINE.match(data)) is not None:
        # The second line counts only when the first holds no code.
        found = _COOKIE.match(data, first.end())
    return found[1].decode("ascii", "replace")[:60] if found else None


def _wide(data: bytes) -> tuple[str | None, bytes]:
    """UTF-16 or UTF-32 with a mark; UTF-16 without one when nearly every second byte is NUL and no other."""
    for mark, encoding in _WIDE_MARKS:
        if data.startswith(mark):
            return encoding, data.removeprefix(mark)
    sample = data[:_SAMPLE]
    pairs = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if pairs >= 4 and min(even, odd) == 0 and max(even, odd) >= 0.8 * pairs:
        return "utf-16-le" if odd else "utf-16-be", data
    return None, data


def _line_at(before: str) -> int:
    return len(_END_OF_LINE.findall(before)) + 1


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
