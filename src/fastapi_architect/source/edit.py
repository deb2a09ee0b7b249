"""Edits: text replaced in a file, applied together or not at all.

`edit_file` works on the bytes of a file and changes nothing that no edit is about: byte order mark, encoding, line ends
(mixed ones, too) and tabs stay.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable

import msgspec

from fastapi_architect.source.decode import decode
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location

_END_OF_LINE = lazy_pattern(r"\r\n?|\n")
_INDENTATION = lazy_pattern(r"\n( +)")
#: Spaces that a rule writes for one level.
_LEVEL = 4


class Edit(msgspec.Struct, frozen=True):
    """Replace the text at `location` (an empty stretch inserts) by `text`."""

    location: Location
    text: str


class OverlappingEdits(ValueError):
    """Two edits want the same stretch of a file; neither is applied."""


class CannotEdit(ValueError):
    """The file cannot be written back as it was read; the message says why."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` (one whole file) with `edits` made; columns are UTF-8 bytes.

    Equal edits are made once. Insertions at one place keep their order.

    Raises:
        OverlappingEdits: when two different edits overlap.
    """
    lines = [line.encode("utf-8", "surrogatepass") for line in text.split("\n")]
    return _spliced(lines, [b"\n"] * (len(lines) - 1), edits).decode("utf-8", "surrogatepass")


def edit_file(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return the bytes of one file with `edits` made; their line ends and indentation become the file's own.

    Raises:
        OverlappingEdits: when two different edits overlap.
        CannotEdit: Python would read the file in another way, or not at all.
    """
    decoded = decode(data)
    if decoded.problem is not None or not decoded.analysable:
        message = decoded.problem or "it cannot be read as text"
        raise CannotEdit(message)
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    encoding = "utf-8" if decoded.encoding == "utf-8-sig" else decoded.encoding
    text = data.removeprefix(mark).decode(encoding)
    ends = _END_OF_LINE.findall(text)
    usual = Counter(ends).most_common(1)[0][0] if ends else "\n"
    lines = [line.encode() for line in _END_OF_LINE.split(text)]
    own = [Edit(e.location, _as_the_file(e, lines).replace("\n", usual)) for e in dict.fromkeys(edits)]
    try:
        return mark + _spliced(lines, [end.encode() for end in ends], own).decode().encode(encoding)
    except UnicodeEncodeError as error:
        message = f"{encoding} has no {text_of(error)!r}"
        raise CannotEdit(message) from None


def text_of(error: UnicodeEncodeError) -> str:
    """The characters that could not be encoded."""
    return str(error.object[error.start : error.end])


def _as_the_file(edit: Edit, lines: list[bytes]) -> str:
    """The new text with the tabs of the line that it goes to: rules indent with as many spaces as that line has bytes."""
    if "\n" not in edit.text or edit.location.line > len(lines):
        return edit.text
    line = lines[edit.location.line - 1].decode()
    leading = line[: len(line) - len(line.lstrip(" \t"))]
    if "\t" not in leading:
        return edit.text

    def indented(match: re.Match[str]) -> str:
        beyond = len(match[1]) - len(leading)
        return (
            match[0] if beyond < 0 else f"\n{leading}" + "\t" * (beyond // _LEVEL) + " " * (beyond % _LEVEL)
        )

    return _INDENTATION.sub(indented, edit.text)


def _spliced(lines: list[bytes], ends: list[bytes], edits: Iterable[Edit]) -> bytes:
    """Lines and their ends with edits made."""
    starts = [0]
    pieces: list[bytes] = []
    for line, end in zip(lines, [*ends, b""], strict=True):
        starts.append(starts[-1] + len(line) + len(end))
        pieces += [line, end]
    data = b"".join(pieces)
    stretches = []
    for edit in dict.fromkeys(edits):
        place = edit.location
        begin = starts[place.line - 1] + place.column
        end_at = starts[(place.end_line or place.line) - 1] + (
            place.end_column if place.end_line else place.column
        )
        stretches.append((begin, max(begin, end_at), edit.text))
    stretches.sort(key=lambda stretch: stretch[:2])

    made, at = [], 0
    for begin, end_at, replacement in stretches:
        if begin < at:
            message = f"edits overlap at byte {begin}"
            raise OverlappingEdits(message)
        made += [data[at:begin], replacement.encode("utf-8", "surrogatepass")]
        at = end_at
    made.append(data[at:])
    return b"".join(made)
