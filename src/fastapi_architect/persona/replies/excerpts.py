"""The code of a finding's suggestion, made whole: the file on top, imports for what the file lacks, bodies as they stand there.

The engine suggests the lines that change. Where they cannot be made whole, no code is shown rather than half of it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from markdown_it import MarkdownIt

from fastapi_architect.persona.hands import Document
from fastapi_architect.persona.judged import read_file
from fastapi_architect.persona.promises.code import PYTHON, left_out, undefined
from fastapi_architect.report.patch import render
from fastapi_architect.source.edit import CannotEdit, Edit, OverlappingEdits, edit_file
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.source.location import Location
from fastapi_architect.source.replace_files import Replacement

_MAX_INLINE = 160
_BAD_AND_GOOD = lazy_pattern(
    r"^[ \t]*# Bad\b.*\n(?:(?![ \t]*# Good\b).*\n)*?[ \t]*# Good\b.*\n", re.MULTILINE
)
_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def excerpt(finding: Document, root: Path, imports: Mapping[str, str]) -> str | None:
    """The first code of the suggestion that is whole, with `# file:line` on top; None where there is none.

    Args:
        finding: as the JSON report has it.
        root: the project.
        imports: name to the line that imports it.
    """
    there = read_file(root, finding["file"]) if str(finding["file"]).endswith(".py") else None
    if there is None:
        return None
    for token in MarkdownIt("commonmark").parse(finding.get("suggestion") or ""):
        if token.type != "fence" or token.info.strip() not in PYTHON:
            continue
        code = _with_imports(_with_bodies(_without_bad(token.content.strip("\n")), there), there, imports)
        if "op." in code and "alembic" in code:
            continue  # belongs into a migration, not here: `migrations.py` writes that
        if _parses(code) and not left_out(code) and not undefined(code, there):
            return f"# {finding['file']}:{finding['line']}\n{code}"
    return None


def patch(finding: Document, root: Path) -> str | None:
    """The finding's own fix as a unified diff; None where a person has to make it, or the file is another one by now."""
    edits = (finding.get("fix") or {}).get("edits") or ()
    by_file: dict[str, list[Edit]] = {}
    for each in edits:
        place = Location(each["file"], each["line"], each["column"], each["end_line"], each["end_column"])
        by_file.setdefault(each["file"], []).append(Edit(place, each["text"]))
    files = {}
    for path, made in by_file.items():
        text = read_file(root, path)
        if text is None:
            return None
        try:
            files[path] = Replacement(text.encode(), edit_file(text.encode(), made))
        except (CannotEdit, OverlappingEdits, IndexError):
            return None
    return render(files).decode("utf-8", "replace").rstrip("\n") if files else None


def inline(finding: Document) -> str:
    """The suggestion's code where it is one short line, to be named in a sentence; "" for none."""
    for token in MarkdownIt("commonmark").parse(finding.get("suggestion") or ""):
        if token.type == "fence" and token.info.strip() in PYTHON:
            code = str(token.content).strip()
            if "\n" not in code and "`" not in code and not left_out(code) and len(code) <= _MAX_INLINE:
                return code
    return ""


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except _UNPARSABLE:
        return False
    return True


def _with_bodies(code: str, there: str) -> str:
    """Functions whose body is `...` get the body of the function of that name in the file."""
    try:
        shown, file = ast.parse(code), ast.parse(there)
    except _UNPARSABLE:
        return code
    bodies = {
        node.name: node for node in ast.walk(file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    lines = code.split("\n")
    for node in reversed(
        [each for each in shown.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    ):
        known, only = bodies.get(node.name), node.body[0]
        if known is None or len(node.body) > 1 or not _is_ellipsis(only):
            continue
        first, last = known.body[0], known.body[-1]
        if first.lineno <= known.lineno:
            continue  # all on one line
        body = textwrap.dedent("\n".join(there.split("\n")[first.lineno - 1 : last.end_lineno]))
        head = lines[only.lineno - 1][: only.col_offset].rstrip()
        kept = [head] if head else []
        lines[only.lineno - 1 : only.end_lineno] = [*kept, *textwrap.indent(body, "    ").split("\n")]
    return "\n".join(lines)


def _is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def _with_imports(code: str, there: str, imports: Mapping[str, str]) -> str:
    """Imports of names that neither the code nor the file binds, as far as somebody knows them."""
    missing = undefined(code, there)
    lines = sorted({imports[name] for name in missing if name in imports})
    return "\n".join([*lines, "", code]) if lines else code


def _without_bad(code: str) -> str:
    """The good half of what shows bad and good in one place."""
    return _BAD_AND_GOOD.sub("", code)
