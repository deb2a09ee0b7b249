"""Which keys of a mapping, and which attributes of a row, does a body name?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_CHOOSING = frozenset({"in", "not in", "==", "!="})


def root_call(expr: ir.Expr | None) -> ir.Call | None:
    """`update(Model)` of `update(Model).where(...)`."""
    found: ir.Call | None = None
    while isinstance(expr, ir.Call):
        found = expr
        expr = expr.func.value if isinstance(expr.func, ir.Attribute) else None
    return found


def is_filtered(site: Site, key: str) -> bool:
    """`if name in ALLOWED:` around it; that the row has such an attribute is no filter."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role not in ("if", "else") or test is None:
            continue
        for each in walk(test):
            if not isinstance(each, ir.Compare) or not _CHOOSING.intersection(each.ops):
                continue
            if any(isinstance(n, ir.Name) and n.id == key for n in walk(each)):
                return True
    for other in site.scope.facts.sites(ir.If):  # `if name not in ALLOWED: continue`
        if isinstance(other.node.body[0] if other.node.body else None, ir.Jump | ir.Raise) and any(
            isinstance(each, ir.Compare) and isinstance(each.left, ir.Name) and each.left.id == key
            for each in walk(other.node.test)
        ):
            return True
    return False


def leaves_none_out(site: Site) -> bool:
    """`if value is not None:` or `if value:` around it."""
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role != "if" or test is None:
            continue
        if isinstance(test, ir.Name) or (isinstance(test, ir.Compare) and test.ops == ["is not"]):
            return True
    return False


def assigned_after(site: Site, function: Function) -> frozenset[str]:
    """Columns that the body writes over: `row = Model(**data)`, then `row.owner_id = user.id`."""
    statement = site.statement
    targets = statement.targets if isinstance(statement, ir.Assign) else []
    names = [target.id for target in targets if isinstance(target, ir.Name)]
    return frozenset(attr for name in names for attr in attributes_assigned(function, name))


def attributes_assigned(function: Function, name: str) -> Iterator[str]:
    """Attributes of a variable that the body assigns."""
    for site in function.facts.sites(ir.Assign):
        for target in site.node.targets:
            if (
                isinstance(target, ir.Attribute)
                and isinstance(target.value, ir.Name)
                and target.value.id == name
            ):
                yield target.attr


def keys_of(expr: ir.Expr | None) -> Iterator[str]:
    """Keys of a display that are constants."""
    for key in expr.keys if isinstance(expr, ir.Dict) else ():
        yield from texts_of(key)


def texts_of(expr: Any) -> Iterator[str]:
    """Constant texts of an expression."""
    for each in walk(expr) if expr is not None else ():
        if isinstance(each, ir.Constant) and each.kind == "str":
            yield str(each.value)
