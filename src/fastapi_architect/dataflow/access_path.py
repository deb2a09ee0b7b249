"""Access paths: a variable and up to two steps into it, by attribute or by constant key (`x["a"]`, `x.get("a")`).

A path is a tuple of texts: `("order", "customer", "[name]")` stands for `order.customer["name"]`. Constant keys are
written in brackets so that `x.a` and `x["a"]` stay apart. Deeper steps are folded into the last one kept.
"""

from __future__ import annotations

from typing import Any

from fastapi_architect.syntax import ir

AccessPath = tuple[str, ...]

#: A variable and two steps.
MAX_LENGTH = 3


def access_path(expr: Any) -> AccessPath | None:
    """The path that an expression denotes, cut to `MAX_LENGTH`; None when it is no chain on a name."""
    steps: list[str] = []
    while True:
        kind = expr.__class__
        if kind is ir.Attribute:
            steps.append(expr.attr)
            expr = expr.value
        elif kind is ir.Subscript:
            key = key_step(expr.slice)
            if key is None:
                return None
            steps.append(key)
            expr = expr.value
        elif kind is ir.Call and (key := looked_up_key(expr)) is not None:
            steps.append(key)
            expr = expr.func.value
        elif kind is ir.Name:
            steps.append(expr.id)
            steps.reverse()
            return tuple(steps[:MAX_LENGTH])
        elif kind is ir.Await or kind is ir.NamedExpr:
            expr = expr.value if kind is ir.Await else expr.target
        else:
            return None


def exact_path(expr: Any) -> AccessPath | None:
    """The path of an expression that is not longer than a path can be, else None: what a check may be about."""
    path = access_path(expr)
    if path is None:
        return None
    steps = 0
    while expr.__class__ is not ir.Name:
        if expr.__class__ in (ir.Attribute, ir.Subscript, ir.Call):
            steps += 1
        expr = expr.func if expr.__class__ is ir.Call else expr
        expr = expr.target if expr.__class__ is ir.NamedExpr else expr.value
    return path if steps == len(path) - 1 else None


def key_step(key: Any) -> str | None:
    """`[name]` for a constant key, None for any other."""
    if key.__class__ is ir.Constant and key.kind in ("str", "int"):
        return f"[{key.value}]"
    return None


def looked_up_key(call: Any) -> str | None:
    """The key in `mapping.get("name")`, as a step; None for any other call."""
    if call.func.__class__ is ir.Attribute and call.func.attr == "get" and len(call.args) in (1, 2):
        return key_step(call.args[0])
    return None


def extended(path: AccessPath, step: str) -> AccessPath:
    """The path one step further, or itself when it is as long as it may be."""
    return (*path, step) if len(path) < MAX_LENGTH else path


def written(path: AccessPath) -> str:
    """As a reader writes it: `order.customer["name"]`."""
    text = path[0]
    for step in path[1:]:
        if not step.startswith("["):
            text += f".{step}"
        elif step[1:-1].lstrip("-").isdigit():
            text += step
        else:
            text += f'["{step[1:-1]}"]'
    return text
