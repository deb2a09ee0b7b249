"""f-strings and t-strings that Python 3.11 cannot read, through the parser and back.

Such a string, with the literals adjacent to it, is written as a list of the expressions in its replacement
fields. Every expression stays where it is, and all the rest (quotes, literal text, braces) becomes blanks
and punctuation:

    query = f"SELECT {", ".join(columns)!s:>{width}} FROM t"
    query = [         ", ".join(columns),    width ,        ]

After parsing, `restore` puts `ast.JoinedStr` nodes back in the place of these lists, the same as a newer
Python's, with the positions of the expressions exact.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator, Mapping

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax.modern_scan import Field, Piece

_ESCAPE = lazy_pattern(
    r"\\(\n|[\\'\"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\})"
)
_SIMPLE_ESCAPES = {
    "\n": "", "\\": "\\", "'": "'", '"': '"',
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_NOT_BLANK = lazy_pattern(r"[^ \t\f\n]")


class Replacement(msgspec.Struct, frozen=True):
    """A replacement field without its expression: `conversion` as `ast` gives it, `spec` None without one."""

    conversion: int
    spec: Parts | None


#: Literal text and replacement fields in order; their expressions are the elements of the list, in order too.
Parts = tuple[str | Replacement, ...]


class WrittenAsList(msgspec.Struct, frozen=True):
    """A string that the rewritten text holds as a list: its parts, and whether it was a t-string."""

    parts: Parts
    expressions: int
    template: bool


class Change(msgspec.Struct, frozen=True):
    """Replace `text[start:end]`; `string` when a list begins there."""

    start: int
    end: int
    replacement: str
    string: WrittenAsList | None = None


def blank(text: str) -> str:
    """Blanks of the same length in UTF-8, on the same lines, as `text`."""
    if text.isascii():
        return _NOT_BLANK.sub(" ", text)
    return _NOT_BLANK.sub(lambda found: " " * len(found[0].encode("utf-8", "surrogatepass")), text)


def write_as_list(text: str, run: list[Piece]) -> list[Change]:
    """The changes that turn adjacent literals into a list; none when Python cannot concatenate them."""
    templates = sum("t" in piece.prefix for piece in run)
    if templates not in (0, len(run)) or any("b" in piece.prefix for piece in run):
        return []
    fields = [field for piece in run for field in _fields(piece.parts or ())]
    parts: list[str | Replacement] = []
    for piece in run:
        cooked = "r" not in piece.prefix
        if piece.parts is None:
            body = text[piece.start + len(piece.prefix) + len(piece.quote) : piece.end - len(piece.quote)]
            parts.append(unescape(body) if cooked else body)
        else:
            parts += _parts(text, piece.parts, cooked=cooked)
    string = WrittenAsList(_joined(parts), len(fields), bool(templates))

    begin, end = run[0].start, run[-1].end
    changes: list[Change] = []
    needed = "["
    at = begin
    for number, field in enumerate(fields):
        opening = "(" if field.bare else ""
        gap = _punctuated(text[at : field.start + 1], needed, opening)
        changes.append(Change(at, field.start + 1, gap, None if number else string))
        needed = ")," if field.bare else ","
        at = field.expression_end
    if fields:
        needed = needed.removesuffix(",")
    gap = _punctuated(text[at:end], needed, "]")
    changes.append(Change(at, end, gap, None if fields else string))
    return changes


def restore(tree: ast.AST, strings: Mapping[tuple[int, int], WrittenAsList]) -> None:
    """Put the strings back into `tree`, in place.

    Args:
        tree: what `ast.parse` made of the rewritten text.
        strings: by line (from 1) and column (in bytes, from 0) of their lists.

    Raises:
        SyntaxError: a string stands where only a list may stand, such as the target of an assignment.
    """
    missing = dict(strings)
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                stack.append(_restored(value, missing))
                setattr(node, name, stack[-1])
            elif value.__class__ is list:
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        stack.append(_restored(item, missing))
                        value[index] = stack[-1]
    if missing:
        line, column = min(missing)
        raise SyntaxError("an f-string cannot stand here", ("<unknown>", line, column + 1, None))


def _restored(node: ast.AST, missing: dict[tuple[int, int], WrittenAsList]) -> ast.AST:
    if not isinstance(node, ast.List):
        return node
    string = missing.get((node.lineno, node.col_offset))
    if string is None:
        return node
    if not isinstance(node.ctx, ast.Load) or len(node.elts) != string.expressions:
        place = ("<unknown>", node.lineno, node.col_offset + 1, None)
        raise SyntaxError("an f-string cannot stand here, or holds an invalid expression", place)
    del missing[node.lineno, node.col_offset]
    restored = _joined_str(string.parts, iter(node.elts), node)
    # The node class of t-strings is newer than this interpreter may be.
    restored.template = string.template  # type: ignore[attr-defined]
    return restored


def _joined_str(parts: Parts, expressions: Iterator[ast.expr], place: ast.expr) -> ast.JoinedStr:
    values: list[ast.expr] = []
    for part in parts:
        value: ast.expr
        if isinstance(part, str):
            value = ast.Constant(part)
        else:
            expression = next(expressions)
            spec = None if part.spec is None else _joined_str(part.spec, expressions, place)
            value = ast.FormattedValue(expression, part.conversion, spec)
        values.append(ast.copy_location(value, place))
    return ast.copy_location(ast.JoinedStr(values), place)


def _fields(parts: list[str | Field] | tuple[()]) -> Iterator[Field]:
    """All fields, those in format specifications behind the field that has them: the order of the text."""
    for part in parts:
        if isinstance(part, Field):
            yield part
            yield from _fields(part.spec or ())


def _parts(text: str, parts: list[str | Field], *, cooked: bool) -> list[str | Replacement]:
    made: list[str | Replacement] = []
    for part in parts:
        if isinstance(part, str):
            made.append(unescape(part) if cooked else part)
            continue
        conversion = part.conversion
        if part.debug_end:
            made.append(text[part.start + 1 : part.debug_end])
            if part.spec is None:
                conversion = conversion or "r"
        spec = None if part.spec is None else _joined(_parts(text, part.spec, cooked=cooked))
        made.append(Replacement(ord(conversion) if conversion else -1, spec))
    return made


def _joined(parts: list[str | Replacement]) -> Parts:
    """Merge adjacent literal text, and drop empty text, as the parser does."""
    joined: list[str | Replacement] = []
    literal: list[str] = []
    for part in [*parts, None]:
        if isinstance(part, str):
            literal.append(part)
            continue
        if text := "".join(literal):
            joined.append(text)
        literal.clear()
        if part is not None:
            joined.append(part)
    return tuple(joined)


def _punctuated(gap: str, first: str, last: str) -> str:
    """`gap` in blanks, `first` at its beginning and `last` at its end; longer when they need more room."""
    blanks = blank(gap)
    room = len(blanks) - len(blanks.lstrip(" \t\f"))
    blanks = blanks[min(room, len(first)) :]
    if last and blanks and blanks[-1] != "\n":
        blanks = blanks[:-1]
    return first + blanks + last


def unescape(literal: str) -> str:
    """The value of the literal text of a string; an escape that Python refuses stays as it is."""
    return _ESCAPE.sub(_unescaped, literal) if "\\" in literal else literal


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if escape in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[escape]
    try:
        if escape[0] == "N":
            return unicodedata.lookup(escape[2:-1])
        return chr(int(escape, 8) if escape[0] in "01234567" else int(escape[1:], 16))
    except (KeyError, ValueError, OverflowError):
        return found[0]
