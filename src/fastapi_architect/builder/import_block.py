"""The block of imports at the head of a file, sorted as ruff's isort does by default.

Only what comes from the project itself is sorted: names of other packages did not change.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

import msgspec

LINE_LENGTH = 110
_DIGITS = re.compile(r"(\d+)")


class _Import(msgspec.Struct, frozen=True):
    """One statement with the comment lines above it; `key` is its place among its like."""

    text: str
    key: tuple[object, ...]


def sort_imports(text: str, own: Collection[str]) -> str:
    """Return the file with the imports of its head that come from `own` top-level packages, or are relative, in order.

    Args:
        text: a Python file.
        own: names of the project's top-level packages.
    """
    block = _block(text)
    if not block:
        return text
    lines = text.split("\n")
    begin, end = _first_line(block[0], lines, 0), block[-1].end_lineno or block[-1].lineno
    others: list[str] = []
    first: list[_Import] = []
    local: list[_Import] = []
    before = begin
    for statement in block:
        start, stop = _first_line(statement, lines, before), statement.end_lineno or statement.lineno
        stretch = "\n".join(lines[start:stop])
        if isinstance(statement, ast.ImportFrom) and statement.level:
            local.append(_Import(_wrapped(stretch), _key(statement)))
        elif _top(statement) in own:
            first.append(_Import(_wrapped(stretch), _key(statement)))
        else:
            others.append("\n".join(lines[before:stop]))
        before = stop
    sections = ["\n".join(others).strip("\n")] + [
        "\n".join(each.text for each in sorted(section, key=lambda each: each.key))
        for section in (first, local)
    ]
    return "\n".join([*lines[:begin], "\n\n".join(filter(None, sections)), *lines[end:]])


def insert_import(text: str, statement: str, own: Collection[str]) -> str:
    """Return the file with one more `from x import y` of the project's own at its head, sorted in.

    Names of the same module go into the statement that is there; what is imported already is left.
    """
    wanted = ast.parse(statement).body[0]
    assert isinstance(wanted, ast.ImportFrom)
    lines = text.split("\n")
    block = _block(text)
    for known in block:
        if (
            isinstance(known, ast.ImportFrom)
            and (known.module, known.level) == (wanted.module, wanted.level)
            and "#" not in "".join(lines[known.lineno - 1 : known.end_lineno])
        ):
            missing = [alias for alias in wanted.names if not _holds(known, alias)]
            if not missing:
                return text
            names = sorted([*known.names, *missing], key=lambda alias: member_key(alias.name))
            lines[known.lineno - 1 : known.end_lineno] = [
                _wrapped(ast.unparse(ast.ImportFrom(known.module, names, known.level)))
            ]
            return sort_imports("\n".join(lines), own)
    at = (block[-1].end_lineno or 0) if block else _after_docstring(text)
    added = [statement] if block else ["", statement, ""]
    if not block and at == 0:
        added = [statement, ""]
    elif not block and lines[at : at + 1] == [""]:
        added = ["", statement]
    return sort_imports("\n".join([*lines[:at], *added, *lines[at:]]), own)


def member_key(name: str) -> tuple[int, str, str]:
    """The order of imported names: CONSTANTS, Classes, functions."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return (kind, name.lower(), name)


def _block(text: str) -> list[ast.Import | ast.ImportFrom]:
    """The imports that follow each other at the head of a file, after its docstring."""
    found: list[ast.Import | ast.ImportFrom] = []
    for position, statement in enumerate(ast.parse(text).body):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            found.append(statement)
        elif found or position > 0 or not _is_docstring(statement):
            break
    return found


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _after_docstring(text: str) -> int:
    """The number of lines before which nothing may be imported."""
    body = ast.parse(text).body
    if body and _is_docstring(body[0]):
        return body[0].end_lineno or 0
    lines = text.split("\n")
    return next((n for n, line in enumerate(lines) if not line.startswith("#")), 0)


def _first_line(statement: ast.stmt, lines: list[str], floor: int) -> int:
    """The line, from 0, where the comments above a statement begin."""
    at = statement.lineno - 1
    while at > floor and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    return at


def _top(statement: ast.Import | ast.ImportFrom) -> str:
    module = statement.module or "" if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return module.partition(".")[0]


def _holds(statement: ast.ImportFrom, wanted: ast.alias) -> bool:
    return any((alias.name, alias.asname) == (wanted.name, wanted.asname) for alias in statement.names)


def _key(statement: ast.Import | ast.ImportFrom) -> tuple[object, ...]:
    if isinstance(statement, ast.Import):
        return (0, 0, _natural(statement.names[0].name))
    # `..a` before `.b`: the furthest first.
    return (1, -statement.level, _natural(statement.module or ""))


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers in a name by their value."""
    parts = _DIGITS.split(name.lower())
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part)


def _wrapped(statement: str) -> str:
    """A statement that grew too long, one name a line."""
    if "\n" in statement or len(statement) <= LINE_LENGTH or "#" in statement:
        return statement
    head, _, names = statement.partition(" import ")
    listed = "".join(f"    {name.strip()},\n" for name in names.split(","))
    return f"{head} import (\n{listed})"
