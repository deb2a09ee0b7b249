"""What a rule says arrives whole."""

from __future__ import annotations

import ast
from pathlib import Path

import fastapi_architect

SOURCE = Path(fastapi_architect.__file__).parent


def test_no_text_loses_its_end_to_a_line_of_its_own() -> None:
    """An f-string on a line of its own is a statement without effect: mostly the rest of the text above it."""
    lost = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.JoinedStr)
    ]
    assert lost == []
