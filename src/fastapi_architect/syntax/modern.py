"""Python syntax newer than 3.11, rewritten so that 3.11 reads the same, every expression at its place.

Covered are type parameters and their defaults (PEP 695, 696), `type` statements (PEP 695), f-strings
without limits (PEP 701), t-strings (PEP 750), `except A, B:` (PEP 758) and lazy imports (PEP 810). Not
covered is unpacking in comprehensions (PEP 798). What is not understood stays as it is, and the parser says
what is wrong with it.

What changes its place
----------------------
* Nothing else on its line, and no line: what is removed becomes blanks of the same length in UTF-8.
* `type X = V` becomes `X      = V`: the name moves to the beginning of the statement. So does `import`
  after `lazy`.
* A type parameter list over several lines becomes part of the parentheses behind it: `def f[` / `T](x)`
  becomes `def f(` / `   x)`; without such parentheses they are added.
* `except A, B: pass` becomes `except(A, B):pass`. Where no blank gives room for a parenthesis
  (`except*A, B:`), the rest of the line moves by one column.
* `f"{a, b}{*c, d}"`, a tuple directly behind another in one string, moves the rest of the line by one column.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from keyword import iskeyword
from types import MappingProxyType

import msgspec

from fastapi_architect.syntax.modern_scan import CLOSE, NAME, NEWLINE, OPERATOR, Token, scan
from fastapi_architect.syntax.modern_strings import Change, WrittenAsList, blank, restore, write_as_list

_COMPOUND = frozenset(
    ["if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "case"]
)
_KINDS = {"*": "TypeVarTuple", "**": "ParamSpec"}


class TypeParameter(msgspec.Struct, frozen=True):
    """A type parameter, as if it had been assigned: `T = TypeVar("T", bound=...)`.

    Attributes:
        name: without stars.
        kind: TypeVar, ParamSpec or TypeVarTuple.
        bound: source of the bound, a valid expression without comments, a tuple for constraints, or None.
        default: the same of the default; `*tuple[int]` is possible for a TypeVarTuple.
        line: of the name, from 1.
        owner: name of the function, class or alias that it belongs to.
        owner_line: line of the word `def`, `class` or `type`.
    """

    name: str
    kind: str
    bound: str | None
    default: str | None
    line: int
    owner: str
    owner_line: int


class TypeAlias(msgspec.Struct, frozen=True):
    """A `type` statement that became an assignment, and its line."""

    name: str
    line: int


class Downleveled(msgspec.Struct, frozen=True):
    """A rewritten text and what the old syntax cannot say.

    Attributes:
        text: for `ast.parse`; the same as the original when there was nothing to rewrite.
        type_parameters: in the order of the text.
        aliases: in the order of the text.
        strings: by line and column in bytes, the strings that `text` holds as lists
            (`modern_strings.restore`).
    """

    text: str
    type_parameters: tuple[TypeParameter, ...] = ()
    aliases: tuple[TypeAlias, ...] = ()
    strings: Mapping[tuple[int, int], WrittenAsList] = msgspec.field(
        default_factory=lambda: MappingProxyType({})
    )


def parse(text: str) -> tuple[ast.Module, Downleveled]:
    """Parse `text`, whatever the age of its syntax and of the running Python; a t-string is a `JoinedStr`.

    A `JoinedStr` that was rewritten has the attribute `template`: True when it was a t-string.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse`, with the line of the original.
    """
    rewritten = downlevel(text)
    tree = ast.parse(rewritten.text)
    if rewritten.strings:
        restore(tree, rewritten.strings)
    return tree, rewritten


def downlevel(text: str) -> Downleveled:
    """Rewrite `text` (lines ended by line feeds) for Python 3.11; never raises, in linear time.

    The strings that became lists have to be put back after parsing; `parse` does all of it.
    """
    scanned = scan(text)
    rewriter = _Rewriter(text, scanned.tokens)
    rewriter.rewrite()
    for run in scanned.runs:
        rewriter.changes += write_as_list(text, run)
    if not rewriter.changes:
        return Downleveled(text)
    rewritten, strings = _apply(text, rewriter.changes)
    return Downleveled(rewritten, tuple(rewriter.type_parameters), tuple(rewriter.aliases), strings)


class _Rewriter:
    """Goes through the statements of a text and collects changes, type parameters and aliases."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = [*tokens, Token(NEWLINE, len(text), len(text), 0)]
        self.changes: list[Change] = []
        self.type_parameters: list[TypeParameter] = []
        self.aliases: list[TypeAlias] = []
        self.line = 1
        self.line_at = 0

    def rewrite(self) -> None:
        """Look at the first word of every statement: all of the syntax in question begins with one."""
        text, tokens = self.text, self.tokens
        handlers = {
            "def": self._definition,
            "class": self._definition,
            "type": self._alias,
            "except": self._except,
            "lazy": self._lazy_import,
        }
        begins, header = True, False
        for index, (kind, start, end, depth) in enumerate(tokens):
            if kind == NEWLINE:
                begins, header = True, False
            elif begins:
                begins = False
                word = text[start:end]
                header = word in _COMPOUND
                if word in handlers:
                    handlers[word](index)
                elif word == "async":
                    begins = True
            elif depth == 0 and kind == OPERATOR:
                character = text[start:end]
                begins = character == ";" or (header and character == ":")
                header = header and not begins

    def _definition(self, index: int) -> None:
        """`def f[T](x)`, `class C[T](Base)`, `class C[T]:`."""
        name, opening = self._token(index + 1), self._token(index + 2)
        if name.kind != NAME or self._text(opening) != "[":
            return
        closing = self._closing(index + 2)
        after = self._token(closing + 1)
        begin, end = opening.start, self.tokens[closing].end
        called = self._text(after) == "("
        unbased = self._text(after) == ":" and self._text(self.tokens[index]) == "class"
        if closing < 0 or not (called or unbased):
            return
        if not self._parameters(index, index + 2, closing):
            return
        inner = self.text[begin:end]
        if "\n" not in inner:
            self.changes.append(Change(begin, end, blank(inner)))
        elif called:
            # Within parentheses lines may end anywhere.
            self.changes.append(Change(begin, end, "(" + blank(inner[1:])))
            self.changes.append(Change(after.start, after.end, " "))
        else:
            self.changes.append(Change(begin, end, "(" + blank(inner[1:-1]) + ")"))

    def _alias(self, index: int) -> None:
        """`type X = ...`, `type X[T] = ...`."""
        name = self._token(index + 1)
        if name.kind != NAME or iskeyword(self._text(name)):
            return
        equals = index + 2
        if self._text(self._token(equals)) == "[":
            closing = self._closing(equals)
            if closing < 0 or self._text(self._token(closing + 1)) != "=":
                return
            if not self._parameters(index, equals, closing):
                return
            equals = closing + 1
        if self._text(self._token(equals)) != "=":
            return
        self.aliases.append(TypeAlias(self._text(name), self._line_of(self.tokens[index].start)))
        self._move_back(index, index + 1, self.tokens[equals].start)

    def _lazy_import(self, index: int) -> None:
        """`lazy import a`, `lazy from a import b`."""
        word = self._token(index + 1)
        if self._text(word) in ("import", "from"):
            self._move_back(index, index + 1, word.end)

    def _move_back(self, first: int, second: int, end: int) -> None:
        """Put the second token in the place of the first one; all behind it up to `end` becomes blank."""
        begin, word = self.tokens[first].start, self._text(self.tokens[second])
        lines = blank(self.text[begin:end]).split("\n")
        width = len(word.encode("utf-8", "surrogatepass"))
        lines[0] = word + lines[0][width:]
        for number in range(len(lines) - 1):
            lines[number] = lines[number].rstrip() + " \\"
        if len(lines) > 1:
            # The first word of a statement also decides about its indentation: that of the original is kept.
            lines[0] = word + " \\"
        self.changes.append(Change(begin, end, "\n".join(lines)))

    def _except(self, index: int) -> None:
        """`except A, B:`, `except* A, B:`."""
        first = index + 1
        if self._text(self._token(first)) == "*":
            first += 1
        depth, commas, at = self.tokens[index].depth, 0, first
        while (token := self._token(at)).kind != NEWLINE:
            word = self._text(token) if token.depth == depth else ""
            if word in (":", ";", "as"):
                break
            commas += word == ","
            at += 1
        if not commas or self._text(token) != ":":
            return
        text, begin = self.text, self.tokens[first].start
        if text[begin - 1] in " \t":
            self.changes.append(Change(begin - 1, begin, "("))
        elif text[begin - 2 : begin] == "\\\n":
            self.changes.append(Change(begin - 2, begin - 1, "("))
        else:
            self.changes.append(Change(begin, begin, "("))
        end, colon = self.tokens[at - 1].end, token.start
        if end < colon and text[end] in " \t":
            self.changes.append(Change(end, end + 1, ")"))
        elif text[colon + 1 : colon + 2] in (" ", "\t"):
            self.changes.append(Change(colon, colon + 2, "):"))
        else:
            self.changes.append(Change(colon, colon, ")"))

    def _parameters(self, owner: int, opening: int, closing: int) -> bool:
        """Record the type parameters between two brackets; False when they are none."""
        depth = self.tokens[opening].depth + 1
        named, line = self._text(self.tokens[owner + 1]), self._line_of(self.tokens[owner].start)
        parameters: list[TypeParameter] = []
        group: list[Token] = []
        for token in self.tokens[opening + 1 : closing + 1]:
            ends = token.depth < depth or (token.depth == depth and self._text(token) == ",")
            if not ends:
                group.append(token)
                continue
            if not group and parameters and token.depth < depth:
                break
            parameter = self._parameter(group, depth, named, line)
            if parameter is None:
                return False
            parameters.append(parameter)
            group = []
        self.type_parameters += parameters
        return True

    def _parameter(self, group: list[Token], depth: int, owner: str, owner_line: int) -> TypeParameter | None:
        kind = _KINDS.get(self._text(group[0]), "TypeVar") if group else ""
        name, *rest = group[kind != "TypeVar" :] or [Token(NEWLINE, 0, 0, 0)]
        if name.kind != NAME or iskeyword(self._text(name)):
            return None
        bound: list[Token] = []
        default: list[Token] = []
        if rest and self._text(rest[0]) == ":":
            equal_signs = (i for i, t in enumerate(rest) if t.depth == depth and self._text(t) == "=")
            equals = next(equal_signs, len(rest))
            bound, rest = rest[1:equals], rest[equals:]
            if not bound or kind != "TypeVar":
                return None
        if rest:
            default = rest[1:]
            if self._text(rest[0]) != "=" or not default:
                return None
        bound_source, default_source = self._source(bound), self._source(default)
        unpacked = (
            default_source.removeprefix("*") if default_source and kind == "TypeVarTuple" else default_source
        )
        if not (_is_expression(bound_source) and _is_expression(unpacked)):
            return None
        return TypeParameter(
            name=self._text(name),
            kind=kind,
            bound=bound_source,
            default=default_source,
            line=self._line_of(name.start),
            owner=owner,
            owner_line=owner_line,
        )

    def _source(self, tokens: list[Token]) -> str | None:
        """The source of an expression, on one line and without comments."""
        pieces: list[str] = []
        for index, token in enumerate(tokens):
            if index and tokens[index - 1].end < token.start:
                pieces.append(" ")
            pieces.append(self._text(token))
        return "".join(pieces) or None

    def _closing(self, opening: int) -> int:
        """The index of the bracket that closes the one at `opening`, or -1."""
        depth = self.tokens[opening].depth
        for index in range(opening + 1, len(self.tokens)):
            token = self.tokens[index]
            if token.depth <= depth and token.kind in (CLOSE, NEWLINE):
                return index if self._text(token) == "]" else -1
        return -1

    def _token(self, index: int) -> Token:
        return self.tokens[min(index, len(self.tokens) - 1)]

    def _text(self, token: Token) -> str:
        return self.text[token.start : token.end]

    def _line_of(self, offset: int) -> int:
        # Nearly every question is about a place behind the last one.
        if offset < self.line_at:
            self.line -= self.text.count("\n", offset, self.line_at)
        else:
            self.line += self.text.count("\n", self.line_at, offset)
        self.line_at = offset
        return self.line


def _is_expression(source: str | None) -> bool:
    if source is not None:
        try:
            ast.parse(source, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _apply(text: str, changes: list[Change]) -> tuple[str, Mapping[tuple[int, int], WrittenAsList]]:
    """Apply changes, of overlapping ones only the first; also where the strings written as lists are now."""
    pieces: list[str] = []
    strings: dict[tuple[int, int], WrittenAsList] = {}
    at, line, column = 0, 1, 0
    for change in sorted(changes, key=lambda change: (change.start, change.end)):
        if change.start < at:
            # A string within a type parameter list that is blank already.
            continue
        kept = text[at : change.start]
        line, column = _advanced(line, column, kept)
        if change.string is not None:
            strings[line, column] = change.string
        line, column = _advanced(line, column, change.replacement)
        pieces += [kept, change.replacement]
        at = change.end
    pieces.append(text[at:])
    return "".join(pieces), MappingProxyType(strings)


def _advanced(line: int, column: int, passed: str) -> tuple[int, int]:
    lines = passed.count("\n")
    if lines:
        line, column, passed = line + lines, 0, passed[passed.rfind("\n") + 1 :]
    return line, column + len(passed.encode("utf-8", "surrogatepass"))


__all__ = ["Downleveled", "TypeAlias", "TypeParameter", "downlevel", "parse"]
