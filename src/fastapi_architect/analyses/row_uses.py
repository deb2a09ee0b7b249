"""Is a row that was looked up used, or only asked for to see whether it exists?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.body_events import Lookup
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.database import RowFetch, SqlExecution
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_TESTS = (ir.If, ir.IfExp, ir.While, ir.Assert)
_MAX_NAMES = 6
#: Functions that only look whether something is there.
_LOOKS = frozenset({"bool", "isinstance", "len", "exists"})


def is_used(graph: AppGraph, lookup: Lookup) -> bool:
    """Somebody on the way from the statement to the operation reads, changes, returns or passes on the row."""
    for site in reversed(lookup.sites):
        verdict = _verdict(graph, site)
        if verdict != "returned":
            return verdict == "used"
    return True


def _verdict(graph: AppGraph, site: Site) -> str:
    """used, tested (only), or returned: then the caller decides."""
    function = site.scope
    statement = site.statement
    if not isinstance(function, Function):
        return "used"
    if isinstance(statement, ir.Return):
        return "tested" if isinstance(statement.value, ir.Compare | ir.UnaryOp) else "returned"
    if isinstance(statement, _TESTS):
        return "tested"
    names = _targets(statement)
    if names is None:
        return "used"
    sends = {id(each.node) for kind in (SqlExecution, RowFetch) for each in graph.within(kind, function)}
    seen: set[str] = set()
    returned = False
    while names and len(seen) < _MAX_NAMES:
        name = names.pop()
        seen.add(name)
        for use in _uses(function, name):
            more = _passed_to(use, name, sends)
            if more is None:
                return "used"
            returned = returned or isinstance(use, ir.Return)
            names |= more - seen
    return "returned" if returned else "tested"


def _targets(statement: ir.Stmt) -> set[str] | None:
    """The name that a statement assigns to; None when it does something else."""
    if (
        isinstance(statement, ir.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ir.Name)
    ):
        return {statement.targets[0].id}
    if isinstance(statement, ir.AnnAssign) and isinstance(statement.target, ir.Name):
        return {statement.target.id}
    return None


def _uses(function: Function, name: str) -> Iterator[ir.Stmt]:
    """Statements that read a name, but for tests of their own."""
    seen: set[int] = set()
    facts = function.facts
    kinds = (
        ir.Return,
        ir.Assign,
        ir.AnnAssign,
        ir.ExprStmt,
        ir.For,
        ir.Yield,
        ir.AugAssign,
        ir.With,
        ir.Raise,
        ir.Delete,
    )
    for kind in kinds:
        for site in facts.sites(kind):
            if id(site.statement) not in seen and _reads(site.node, name):
                seen.add(id(site.statement))
                yield site.statement


def _reads(node: Any, name: str) -> bool:
    if isinstance(node, ir.For):
        parts: list[Any] = [node.iter]
    elif isinstance(node, ir.With):
        parts = [item.context for item in node.items]
    elif isinstance(node, ir.Assign):
        parts = [node.value, *(t for t in node.targets if not isinstance(t, ir.Name))]
    elif isinstance(node, ir.AnnAssign):
        parts = [node.value]
    elif isinstance(node, ir.Raise):
        parts = []
    else:
        parts = [node]
    return any(
        isinstance(each, ir.Name) and each.id == name
        for part in parts
        if part is not None
        for each in walk(part)
    )


def _passed_to(statement: ir.Stmt, name: str, sends: set[int]) -> set[str] | None:
    """Further names that hold the row; None when the statement uses it."""
    if isinstance(statement, ir.Return):
        value = statement.value
        direct = value.value if isinstance(value, ir.Await) else value
        if isinstance(direct, ir.Name) or id(direct) in sends:
            return set()
        return set() if isinstance(direct, ir.Compare | ir.UnaryOp) else None
    targets = _targets(statement)
    if targets is None or not isinstance(statement, ir.Assign | ir.AnnAssign):
        return None
    value = statement.value.value if isinstance(statement.value, ir.Await) else statement.value
    while isinstance(value, ir.Call) and id(value) in sends and isinstance(value.func, ir.Attribute):
        if any(_reads(arg, name) for arg in value.args):
            return targets
        value = value.func.value.value if isinstance(value.func.value, ir.Await) else value.func.value
    if isinstance(value, ir.Name) and value.id == name:
        return targets
    if isinstance(value, ir.Call) and last_name(value.func) in _LOOKS:
        return set()
    if isinstance(value, ir.Call) and isinstance(value.func, ir.Attribute):
        root: ir.Expr = value
        while isinstance(root, ir.Call) and isinstance(root.func, ir.Attribute):
            root = root.func.value
        if (
            isinstance(root, ir.Name)
            and root.id == name
            and last_name(value.func) in ("where", "filter", "options")
        ):
            return targets
    return set() if isinstance(value, ir.Compare | ir.UnaryOp) else None
