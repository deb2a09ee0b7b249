"""Lower the patterns of `match` to what is asked of them: values, classes, captures, wildcard."""

from __future__ import annotations

import ast
from typing import Any

import msgspec

from fastapi_architect.syntax import ir
from fastapi_architect.syntax.lowering import HANDLERS, State, span_of


class LoweredPattern(msgspec.Struct):
    """What one pattern compares with, and what it binds, in the order written.

    Attributes:
        values: literals and dotted names compared with, keys of mapping patterns included.
        classes: classes of class patterns.
        captures: names bound.
        wildcard: the pattern matches everything.
    """

    values: list[ir.Expr] = msgspec.field(default_factory=list)
    classes: list[ir.Expr] = msgspec.field(default_factory=list)
    captures: list[str] = msgspec.field(default_factory=list)
    wildcard: bool = False


def lower_pattern(pattern: ast.pattern, state: State, depth: int) -> LoweredPattern:
    """Lower one pattern, without recursion: patterns nest as deep as their author likes."""
    lowered = LoweredPattern(wildcard=_matches_everything(pattern))
    waiting: list[Any] = [pattern]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(_inside(node, lowered, state, depth)))
    state.identifiers.update(lowered.captures)
    return lowered


def _inside(node: Any, lowered: LoweredPattern, state: State, depth: int) -> list[Any]:
    """Note what this pattern itself says; return the patterns inside it."""
    match node:
        case ast.MatchValue():
            lowered.values.append(HANDLERS[node.value.__class__](node.value, state, depth))
        case ast.MatchSingleton():
            kind = "none" if node.value is None else "bool"
            lowered.values.append(ir.Constant(span_of(node), kind, node.value))
        case ast.MatchSequence() | ast.MatchOr():
            return node.patterns
        case ast.MatchMapping():
            lowered.values.extend(HANDLERS[key.__class__](key, state, depth) for key in node.keys)
            lowered.captures.extend([node.rest] if node.rest else [])
            return node.patterns
        case ast.MatchClass():
            lowered.classes.append(HANDLERS[node.cls.__class__](node.cls, state, depth))
            state.identifiers.update(node.kwd_attrs)
            return node.patterns + node.kwd_patterns
        case ast.MatchStar():
            lowered.captures.extend([node.name] if node.name else [])
        case ast.MatchAs():
            lowered.captures.extend([node.name] if node.name else [])
            return [node.pattern] if node.pattern is not None else []
    return []


def _matches_everything(pattern: Any) -> bool:
    """`_`, a bare name, or an alternative or alias of one."""
    while True:
        if isinstance(pattern, ast.MatchOr):
            pattern = pattern.patterns[-1]  # Python refuses an irrefutable alternative anywhere but last
        elif isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
            pattern = pattern.pattern
        else:
            return isinstance(pattern, ast.MatchAs)
