"""Tokens of Python source that the running interpreter may be too old to read.

`tokenize` of an older Python cannot read the f-strings of PEP 701, so the text is scanned here: once, without
recursion, in time proportional to its length. What cannot be a token of any Python ends the scan; the
tokens before it are kept, and the parser will say what is wrong.
"""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import msgspec

from fastapi_architect.source.lazy_pattern import lazy_pattern

# The groups of `_TOKEN`, by number.
SPACE, NEWLINE, COMMENT, CONTINUATION, STRING, NAME, NUMBER, OPEN, CLOSE, OPERATOR = range(1, 11)

_TOKEN = lazy_pattern(
    r"""([ \t\f\r]++)"""
    r"""|(\n)"""
    r"""|(\#[^\n]*+)"""
    r"""|(\\\r?\n)"""
    r"""|((?:[rR][bBfFtT]?|[bBfFtT][rR]?|[uU])?(?:\"{3}|'{3}|\"|'))"""
    r"""|([^\W\d]\w*+)"""
    r"""|(\.?\d[\w.]*+)"""
    r"""|([(\[{])"""
    r"""|([)\]}])"""
    r"""|(\*\*=?|//=?|>>=?|<<=?|[-+*/%@&|^=!<>:]=|->|[\s\S])"""
)
_CONVERSION = lazy_pattern(r"([sra])\s*+(?=[:}])")
_BLANK = lazy_pattern(r"(?:\s|#[^\n]*+)*+(?=[!:}])")
_END_OF_FIELD = lazy_pattern(r"\s*+\}")

# The rest of a string after its opening quote. The quantifiers are possessive: nothing is tried twice.
_REST = {
    "'": lazy_pattern(r"(?:[^'\\\n]++|\\[\s\S])*+'"),
    '"': lazy_pattern(r'(?:[^"\\\n]++|\\[\s\S])*+"'),
    "'''": lazy_pattern(r"(?:[^'\\]++|\\[\s\S]|'(?!''))*+'''"),
    '"""': lazy_pattern(r'(?:[^"\\]++|\\[\s\S]|"(?!""))*+"""'),
}
# Literal text of an f-string up to a brace, its closing quote or (in a one-line string) the end of the line.
_LITERAL = {
    "'": r"[^{}\\\n']++",
    '"': r'[^{}\\\n"]++',
    "'''": r"[^{}\\']++|'(?!'')",
    '"""': r'[^{}\\"]++|"(?!"")',
}
_ESCAPE = r"\\(?:[^{}]|(?=[{}]))"
_NAMED_ESCAPE = r"\\N\{[^{}\n]*+\}"
_RAW_LITERAL = {quote: lazy_pattern(f"(?:{plain}|{_ESCAPE})*+") for quote, plain in _LITERAL.items()}
_COOKED_LITERAL = {
    quote: lazy_pattern(f"(?:{plain}|{_NAMED_ESCAPE}|{_ESCAPE})*+") for quote, plain in _LITERAL.items()
}

# What the replacement fields of an f-string hold: before PEP 701 none of it was allowed, or not everywhere.
_BACKSLASH, _COMMENT, _NEWLINE = 1, 2, 4
_SINGLE, _DOUBLE, _TRIPLE_SINGLE, _TRIPLE_DOUBLE = 8, 16, 32, 64
_QUOTE_FLAG = {"'": _SINGLE, '"': _DOUBLE, "'''": _TRIPLE_SINGLE, '"""': _TRIPLE_DOUBLE}
_FLAG_OF_TEXT = (
    ("\\", _BACKSLASH),
    ("\n", _NEWLINE),
    ("'", _SINGLE),
    ('"', _DOUBLE),
    ("'''", _TRIPLE_SINGLE),
    ('"""', _TRIPLE_DOUBLE),
)

# CPython's limit of nested f-strings, and more nested format specifications than CPython allows.
_MAX_STRINGS = 150
_MAX_FIELDS = 10


class Token(NamedTuple):
    """A token outside of replacement fields; brackets have the depth at which they stand.

    Spaces, comments, continuations and ends of lines within brackets are no tokens.
    """

    kind: int
    start: int
    end: int
    depth: int


class Field(msgspec.Struct, eq=False):
    """A replacement field `{expression=!conversion:spec}`; offsets into the text.

    Attributes:
        start: of the opening brace.
        expression_end: of the first character after the expression.
        debug_end: with `=`, the first character after it and the blanks behind it; else 0.
        conversion: "", "s", "r" or "a".
        spec: literal parts and fields of the format specification, None without one.
        bare: the expression needs parentheses to stand in a list: `a, b`, `*a`, `yield`.
    """

    start: int
    expression_end: int = 0
    debug_end: int = 0
    conversion: str = ""
    spec: list[str | Field] | None = None
    bare: bool = False
    depth: int = 0
    run: list[Piece] | None = None
    empty: bool = True


class Piece(msgspec.Struct, eq=False):
    """One string literal; `parts` (literal text as written, and fields) is None in a plain one."""

    start: int
    end: int
    prefix: str
    quote: str
    parts: list[str | Field] | None = None
    needs_rewrite: bool = False
    # While it is open: its fields that are open, and the flags of its fields and of all its text.
    fields: list[Field] = msgspec.field(default_factory=list)
    inside: int = 0
    outside: int = 0


class Scan(NamedTuple):
    """All tokens of a text, and the runs of adjacent string literals that Python 3.11 cannot read."""

    tokens: list[Token]
    runs: list[list[Piece]]


class _NotPythonError(Exception):
    """No Python reads on from here."""


def scan(text: str) -> Scan:
    """Scan `text`, in which lines end by line feeds; never raises."""
    scanner = _Scanner(text)
    # What was understood counts; `ast.parse` reports the rest.
    with contextlib.suppress(_NotPythonError):
        scanner.scan()
    return Scan(scanner.tokens, scanner.runs)


class _Scanner:
    """The state of one scan: the strings that are open, and the brackets outside of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.runs: list[list[Piece]] = []
        self.top = Field(-1)
        self.open: list[Piece] = []

    def scan(self) -> None:
        """Read to the end of the text. Raises `_NotPythonError`."""
        at, size = 0, len(self.text)
        while at < size:
            string = self.open[-1] if self.open else None
            if string is not None and not (string.fields and string.fields[-1].spec is None):
                at = self._literal(at, string)
            else:
                at = self._code(at, string)
        self._end_run(self.top)

    def _code(self, at: int, string: Piece | None) -> int:
        """Read code until an f-string begins or the field ends; return where to read on."""
        level = string.fields[-1] if string else self.top
        text, match = self.text, _TOKEN.match
        while found := match(text, at):
            kind = found.lastindex or OPERATOR
            start, at = at, found.end()
            if kind == SPACE:
                continue
            if kind == STRING:
                opened = self._string(start, found[kind], level)
                if opened < 0:
                    return at
                at = opened
            elif string is None:
                self._top_token(kind, start, at)
            else:
                after = self._field_token(kind, start, at, string)
                if after >= 0:
                    return after
        return at

    def _top_token(self, kind: int, start: int, end: int) -> None:
        top = self.top
        if kind in (COMMENT, CONTINUATION) or (kind == NEWLINE and top.depth):
            return
        if top.run is not None:
            self._end_run(top)
        if kind == CLOSE and top.depth:
            top.depth -= 1
        self.tokens.append(Token(kind, start, end, top.depth))
        if kind == OPEN:
            top.depth += 1

    def _field_token(self, kind: int, start: int, end: int, string: Piece) -> int:
        """Take a token of a field; return where to read on when it ends the expression, else -1."""
        level = string.fields[-1]
        if kind in (COMMENT, NEWLINE, CONTINUATION):
            string.inside |= {COMMENT: _COMMENT, NEWLINE: _NEWLINE}.get(kind, _NEWLINE | _BACKSLASH)
            return -1
        self._end_run(level)
        if kind == OPEN:
            level.depth += 1
        elif level.depth:
            level.depth -= kind == CLOSE
        elif kind == CLOSE or (kind == OPERATOR and self.text[start] in "!:=,*"):
            return self._field_operator(start, end, string)
        elif level.empty and self.text[start:end] == "yield":
            level.bare = True
        level.empty = False
        return -1

    def _field_operator(self, start: int, end: int, string: Piece) -> int:
        """Take an operator that may end the expression of a field; return where to read on, or -1."""
        level = string.fields[-1]
        operator = self.text[start:end]
        if operator == "," or (level.empty and operator in ("*", "**")):
            level.bare = True
        if operator in ("!=", "==") or operator[0] in ",*":
            level.empty = False
            return -1
        level.expression_end = start
        at = start
        if operator == "=":
            blank = _BLANK.match(self.text, end)
            if blank is None:
                raise _NotPythonError
            string.inside |= (_NEWLINE if "\n" in blank[0] else 0) | (_COMMENT if "#" in blank[0] else 0)
            at = level.debug_end = blank.end()
        if self.text[at] == "!":
            conversion = _CONVERSION.match(self.text, at + 1)
            if conversion is None:
                raise _NotPythonError
            level.conversion = conversion[1]
            # Blanks behind it are newer than 3.11.
            string.needs_rewrite |= len(conversion[0]) > 1
            at = conversion.end()
        if self.text[at] == ":":
            level.spec = []
        elif self.text[at] == "}":
            string.fields.pop()
        else:
            raise _NotPythonError
        return at + 1

    def _string(self, start: int, opening: str, level: Field) -> int:
        """Read a whole plain string and return its end, or open an f-string and return -1."""
        quote = opening[-3:] if opening[-3:] in ('"""', "'''") else opening[-1]
        prefix = opening[: -len(quote)].lower()
        body = start + len(opening)
        if "f" in prefix or "t" in prefix:
            if len(self.open) >= _MAX_STRINGS:
                raise _NotPythonError
            self.open.append(Piece(start, body, prefix, quote, []))
            return -1
        rest = _REST[quote].match(self.text, body)
        if rest is None:
            raise _NotPythonError
        piece = Piece(start, rest.end(), prefix, quote)
        if self.open:
            self.open[-1].inside |= _flags(self.text[start : piece.end])
        self._add(piece, level)
        return piece.end

    def _literal(self, at: int, string: Piece) -> int:
        """Read literal text of an f-string up to the next field or its end; return where to read on."""
        text, quote = self.text, string.quote
        parts = string.fields[-1].spec if string.fields else string.parts
        assert parts is not None  # `scan` reads code otherwise
        patterns = _RAW_LITERAL if "r" in string.prefix else _COOKED_LITERAL
        found = patterns[quote].match(text, at)
        end = found.end() if found else at
        after = text[end : end + 1]
        # Within a format specification doubled braces have no special meaning.
        doubled = not string.fields and after in ("{", "}") and text[end + 1 : end + 2] == after
        if literal := text[at : end + doubled]:
            parts.append(literal)
            if len(self.open) > 1:
                string.outside |= _flags(literal)
        if doubled:
            return end + 2
        if after == "{":
            return self._open_field(end, string, parts)
        if string.fields and (close := _END_OF_FIELD.match(text, end)) is not None:
            # A one-line string lets its format specification end with the line.
            string.inside |= _NEWLINE if after == "\n" else 0
            string.fields.pop()
            return close.end()
        if string.fields or not text.startswith(quote, end):
            raise _NotPythonError
        return self._finish(end + len(quote), string)

    def _open_field(self, at: int, string: Piece, parts: list[str | Field]) -> int:
        if len(string.fields) >= _MAX_FIELDS:
            raise _NotPythonError
        opened = Field(at)
        parts.append(opened)
        string.fields.append(opened)
        # Python 3.11 allows a field in a format specification, and no further.
        string.needs_rewrite |= len(string.fields) > 2
        return at + 1

    def _finish(self, end: int, string: Piece) -> int:
        self.open.pop()
        string.end = end
        forbidden = _BACKSLASH | _COMMENT | _QUOTE_FLAG[string.quote]
        if len(string.quote) == 1:
            forbidden |= _NEWLINE
        if string.inside & forbidden or "t" in string.prefix:
            string.needs_rewrite = True
        level = self.top
        if self.open:
            parent = self.open[-1]
            level = parent.fields[-1]
            parent.inside |= string.inside | string.outside | _flags(string.quote)
            parent.needs_rewrite |= string.needs_rewrite
        self._add(string, level)
        return end

    def _add(self, piece: Piece, level: Field) -> None:
        if level.run is None:
            level.run = []
        level.run.append(piece)
        level.empty = False
        if level is self.top:
            self.tokens.append(Token(STRING, piece.start, piece.end, level.depth))

    def _end_run(self, level: Field) -> None:
        run, level.run = level.run, None
        if run and any(piece.needs_rewrite for piece in run):
            self.runs.append(run)


def _flags(text: str) -> int:
    flags = 0
    for characters, flag in _FLAG_OF_TEXT:
        if characters in text:
            flags |= flag
    return flags
