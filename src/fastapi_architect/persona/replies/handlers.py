"""Small changes of a handler as a patch: read with `ast`, changed as text, so that nothing else of the file moves."""

from __future__ import annotations

import ast
import difflib

from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.judged import read_file

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
Handler = ast.FunctionDef | ast.AsyncFunctionDef


def with_limit(hands: Hands, operation: Document, module: str) -> str:
    """A patch that puts `limit("60/minute")` on a route; "" where its decorator cannot be changed safely."""
    text = read_file(hands.workspace.root, operation["file"])
    handler = handler_of(text, operation) if text is not None else None
    if text is None or handler is None:
        return ""
    decorator = _decorator(handler, operation)
    if decorator is None or decorator.end_lineno is None or decorator.end_col_offset is None:
        return ""
    argument = 'Depends(limit("60/minute"))'
    there = next((k.value for k in decorator.keywords if k.arg == "dependencies"), None)
    lines = text.split("\n")
    if there is not None:
        if not isinstance(there, ast.List):
            return ""
        row, column = there.lineno - 1, there.col_offset + 1
        argument += ", " if there.elts else ""
    else:
        row, column = decorator.end_lineno - 1, decorator.end_col_offset - 1
        argument = f", dependencies=[{argument}]"
    changed = _inserted(lines, row, column, argument)
    return diff(
        operation["file"],
        text,
        with_imports("\n".join(changed), [f"from {module} import limit", "from fastapi import Depends"]),
    )


def handler_of(text: str, operation: Document) -> Handler | None:
    """The function that serves a route."""
    try:
        tree = ast.parse(text)
    except _UNPARSABLE:
        return None
    name = operation["handler"].rpartition(".")[2]
    found = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.name == name
    ]
    near = [n for n in found if _first_line(n) <= operation["line"] <= (n.end_lineno or n.lineno)]
    return near[0] if near else found[0] if len(found) == 1 else None


def with_imports(text: str, lines: list[str]) -> str:
    """The text with import lines behind its last import at the top level; those that it has are left out."""
    tree = ast.parse(text)
    bound = {
        (a.asname or a.name) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names
    }
    missing = [
        each
        for each in lines
        if not {name.strip() for name in each.rpartition("import ")[2].split(",")} <= bound
    ]
    imports = [n.end_lineno or n.lineno for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    at = max(imports, default=0)
    all_lines = text.split("\n")
    return "\n".join([*all_lines[:at], *missing, *all_lines[at:]])


def diff(path: str, before: str, after: str) -> str:
    """A unified diff, as `git apply` takes it."""
    made = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", lineterm=""
    )
    return "\n".join(made)


def _decorator(handler: Handler, operation: Document) -> ast.Call | None:
    methods = {each.lower() for each in operation["methods"]} | {"api_route", "route"}
    for each in handler.decorator_list:
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr in methods:
            return each
    return None


def _first_line(handler: Handler) -> int:
    return min([handler.lineno, *(each.lineno for each in handler.decorator_list)])


def _inserted(lines: list[str], row: int, column: int, text: str) -> list[str]:
    """The lines with a text put in; columns are UTF-8 bytes. A trailing comma in front is kept single."""
    data = lines[row].encode()
    before, after = data[:column].decode(), data[column:].decode()
    if text.startswith(", ") and not before.strip():
        # The closing parenthesis stands on a line of its own, behind a comma.
        return [*lines[:row], f"    {before}{text[2:]},", *lines[row:]]
    if text.startswith(", ") and before.rstrip().endswith((",", "(")):
        text = text[2:]
    return [*lines[:row], before + text + after, *lines[row + 1 :]]
