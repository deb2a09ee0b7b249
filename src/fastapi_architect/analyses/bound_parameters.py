"""A statement with values written into it, as the statement with bound parameters that was meant."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fastapi_architect.program.definitions import Function, Scope, dotted_name
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

#: How a placeholder is written, by driver; `named` for what is not listed.
STYLES = {"psycopg": "pyformat", "mysql": "pyformat", "asyncpg": "numbered"}

_VALUES = r"where|values|set|in|like|ilike|between|and|or|limit|offset|having|on|=|<|>|\("
_IDENTIFIERS = r"from|join|into|update|table|by|select|asc|desc|as|column|index|schema|distinct"
_POSITION = lazy_pattern(
    rf"(?:\b|(?=[=<>(]))(?:(?P<value>{_VALUES})|(?P<identifier>{_IDENTIFIERS}))(?:\b|(?<=[=<>(]))",
    re.IGNORECASE,
)
_BEFORE_NAMES = frozenset({"where", "and", "or", "set", "on", "having", "("})
_COMPARED = lazy_pattern(r"\s*(?:=|<|>|!=|(?:like|ilike|in|is|not|between)\b)", re.IGNORECASE)
_HOLE = "\x00"
_QUOTED = lazy_pattern(rf"'([^'{_HOLE}]*){_HOLE}([^'{_HOLE}]*)'")


class BoundStatement(msgspec.Struct, frozen=True):
    """A statement that binds its values.

    Attributes:
        text: the statement with placeholders.
        values: name of the placeholder and the code of its value, in order, each once.
    """

    text: str
    values: tuple[tuple[str, str], ...]

    @property
    def literal(self) -> str:
        """The statement as a Python literal."""
        return literal(self.text)

    @property
    def mapping(self) -> str:
        """The values as a dict display."""
        return "{" + ", ".join(f'"{name}": {code}' for name, code in self.values) + "}"

    @property
    def keywords(self) -> str:
        """The values as keyword arguments."""
        return ", ".join(f"{name}={code}" for name, code in self.values)


def written_statement(argument: Any, scope: Scope) -> ir.Expr:
    """The expression that builds the statement: the argument, or what its name was assigned once in the same body."""
    if argument.__class__ is ir.Name and isinstance(scope, Function):
        bindings = scope.facts.bindings.get(argument.id, ())
        if len(bindings) == 1 and bindings[0].kind in ("assign", "annotated") and not bindings[0].path:
            value = bindings[0].value
            if value is not None:
                return value
    return argument  # type: ignore[no-any-return]


def bound_statement(built: Any, style: str = "named") -> BoundStatement | None:
    """The statement of an f-string (or of texts joined by `+`) with placeholders for its values.

    Args:
        built: the expression.
        style: named (`:title`), pyformat (`%(title)s`) or numbered (`$1`).

    None where a value is no plain name or attribute, or stands where only an identifier can (`ORDER BY {column}`).
    """
    parts = _parts(built)
    if parts is None:
        return None
    template = "".join(part if isinstance(part, str) else _HOLE for part in parts)
    codes = [dotted_name(part) for part in parts if not isinstance(part, str)]
    if not codes or not all(codes) or _HOLE in "".join(p for p in parts if isinstance(p, str)):
        return None
    return _with_placeholders(template, codes, style)


def _parts(built: Any) -> list[Any] | None:
    """Texts and expressions, in order; None for what is built otherwise."""
    kind = built.__class__
    if kind is ir.JoinedStr and not built.template:
        found: list[Any] = []
        for part in built.values:
            if part.__class__ is ir.FormattedValue:
                if part.conversion or part.format_spec is not None:
                    return None
                found.append(part.value)
            else:
                found.append(str(part.value))
        return found
    if kind is ir.Constant and built.kind == "str":
        return [built.value]
    if kind is ir.BinOp and built.op == "+":
        sides = [
            _parts(side) if side.__class__ in (ir.Constant, ir.BinOp, ir.JoinedStr) else [side]
            for side in (built.left, built.right)
        ]
        return None if None in sides else [part for side in sides for part in side or ()]
    return None


def _with_placeholders(template: str, codes: list[str], style: str) -> BoundStatement | None:
    text = template.replace("%", "%%") if style == "pyformat" else template
    values: list[tuple[str, str]] = []
    for code in codes:
        position = text.index(_HOLE)
        if is_identifier_position(text[:position], text[position + 1 :]):
            return None
        quoted = next((m for m in _QUOTED.finditer(text) if m.start() < position < m.end()), None)
        name = _name(code, values)
        value = code
        begin, end = position, position + 1
        if quoted is not None:
            begin, end = quoted.span()
            before, after = quoted[1].replace("%%", "%"), quoted[2].replace("%%", "%")
            if re.search(r'[{}"\\]', before + after):
                return None
            value = f'f"{before}{{{code}}}{after}"' if before or after else code
        values.append((name, value))
        text = text[:begin] + _placeholder(name, len(values), style) + text[end:]
    return BoundStatement(text, tuple(values))


def _placeholder(name: str, position: int, style: str) -> str:
    return {"pyformat": f"%({name})s", "numbered": f"${position}"}.get(style, f":{name}")


def _name(code: str, values: list[tuple[str, str]]) -> str:
    """A name for a value that no other has."""
    base = code.rpartition(".")[2]
    taken = {name for name, _ in values}
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def is_identifier_position(before: str, after: str) -> bool:
    """What stands here names a table or column or is a keyword; a value cannot be bound in its place."""
    if before.count("'") % 2:
        return False
    if before.endswith((".", '"', "`", "[")) or after.startswith((".", '"', "`", "(")) or not before.strip():
        return True
    found = list(_POSITION.finditer(before))
    if not found or found[-1]["identifier"] is not None:
        return True
    return found[-1]["value"].lower() in _BEFORE_NAMES and _COMPARED.match(after) is not None


def literal(text: str) -> str:
    """A Python literal for a text, in double quotes; in three where it has several lines."""
    escaped = text.replace("\\", "\\\\")
    if "\n" in text and '"""' not in text and not text.endswith('"'):
        return f'"""{escaped}"""'
    if '"' not in text and "\n" not in text:
        return f'"{escaped}"'
    return repr(text)
