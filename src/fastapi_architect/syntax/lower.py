"""Lower a parsed module to the IR, in one walk."""

from __future__ import annotations

import ast

from fastapi_architect.source.comments import find_comments
from fastapi_architect.source.credential_marks import may_hold_credential
from fastapi_architect.syntax import ir, lower_statements
from fastapi_architect.syntax.lowering import HANDLERS, State, needs_normalising, normalise, reserve_lines
from fastapi_architect.syntax.span import pack

__all__ = ["lower", "lower_expression"]


def lower(tree: ast.Module, text: str) -> ir.ParsedModule:
    """Lower one module.

    Args:
        tree: what `ast.parse` made of `text`; its places are clamped in place where a span cannot hold them.
        text: the source, lines ended by `\\n`.

    Returns:
        The module; parts nested too deep are left out and named in `truncated`.

    Raises:
        RecursionError: when the caller itself stands so deep that the kept nesting does not fit.
    """
    lines = text.split("\n")
    reserve_lines(len(lines))
    if needs_normalising(text, len(lines)):
        normalise(tree)
    try:
        return _lower(tree, text, lines)
    except IndexError:
        # Python 3.11 gives some nodes inside f-strings places beyond the file.
        normalise(tree)
        reserve_lines(max((getattr(node, "end_lineno", 0) or 0 for node in ast.walk(tree)), default=0))
        return _lower(tree, text, lines)


def _lower(tree: ast.Module, text: str, lines: list[str]) -> ir.ParsedModule:
    state = State(lines)
    docstring, statements = lower_statements.split_docstring(tree.body)
    body = lower_statements.block(statements, state, 0)
    return ir.ParsedModule(
        body,
        docstring,
        sorted(set(state.called)),
        sorted(state.identifiers),
        state.type_parameters,
        comments_of(text),
        len(lines) - (not lines[-1]),
        state.truncated,
        may_hold_credential(text.encode("utf-8", "surrogatepass")),
        state.empty_display,
        state.may_hold_script,
    )


def comments_of(text: str) -> list[ir.Comment]:
    """The comments that speak to this tool."""
    return [
        ir.Comment(
            pack(found.line, found.column, found.line, found.column + len(found.text.encode())),
            found.text[1:].strip(),
            found.own_line,
        )
        for found in find_comments(text)
    ]


def lower_expression(tree: ast.Expression, text: str) -> ir.Expr:
    """Lower one expression, such as a quoted annotation; its spans are those of `text`."""
    lines = text.split("\n")
    reserve_lines(len(lines))
    normalise(tree)
    node = tree.body
    lowered: ir.Expr = HANDLERS[node.__class__](node, State(lines), 0)
    return lowered
