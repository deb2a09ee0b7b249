"""Does a call make what is then kept, so that the next one that comes by finds it?

Two shapes: under a test for absence (`if client is None: client = connect()`), and behind a return of what is there
(`if client is not None: return client`).
"""

from __future__ import annotations

from fastapi_architect.program.definitions import Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir

#: Names whose attributes outlive the request.
LASTING = frozenset({"state", "cls", "app"})


def is_once(site: Site) -> bool:
    """The call makes what is then kept."""
    names = {dotted_name(target) for target in _targets(site.statement)} - {""}
    for context in site.context:
        test = getattr(context.node, "test", None)
        if context.role == "if" and test is not None:
            tested = _tested_for_absence(test)
            if tested and (tested in names or _assigns(context.node, tested)):
                return True
    return _is_behind_return(site)


def _targets(statement: ir.Stmt) -> list[ir.Expr]:
    if isinstance(statement, ir.Assign):
        return statement.targets
    return [statement.target] if isinstance(statement, ir.AnnAssign) else []


def _tested_for_absence(test: ir.Expr) -> str:
    """`x` of `x is None` and `not x`."""
    if test.__class__ is ir.UnaryOp and test.op == "not":
        if test.operand.__class__ is ir.Call and last_name(test.operand.func) == "hasattr":
            return ""
        return dotted_name(test.operand)
    if test.__class__ is ir.Compare and test.ops == ["is"] and _is_none(test.comparators[0]):
        return dotted_name(test.left)
    return ""


def _is_none(expr: ir.Expr) -> bool:
    return expr.__class__ is ir.Constant and expr.kind == "none"


def _assigns(node: ir.Node | None, name: str) -> bool:
    """The branch gives `name` a value; a conditional expression has no statements that could."""
    return isinstance(node, ir.If) and any(
        dotted_name(target) == name
        for statement in node.body
        if isinstance(statement, ir.Assign)
        for target in statement.targets
    )


def _is_behind_return(site: Site) -> bool:
    """What is there was returned before, and what is made is kept where it was looked for."""
    facts = site.scope.facts
    for branch in facts.sites(ir.If):
        if branch.node.span >= site.statement.span:
            break
        last = branch.node.body[-1] if branch.node.body else None
        if isinstance(last, ir.Return):
            name = _tested_for_presence(branch.node.test)
            given = dotted_name(last.value) if last.value is not None else name
            if name and given == name and _is_kept(name, site.scope):
                return True
    return False


def _tested_for_presence(test: ir.Expr) -> str:
    """`x` of `x is not None`, of `x`, and of these with a further condition (`x and not x.closed`)."""
    first = test.values[0] if isinstance(test, ir.BoolOp) and test.op == "and" else test
    if isinstance(first, ir.Compare) and first.ops == ["is not"] and _is_none(first.comparators[0]):
        first = first.left
    return dotted_name(first)


def _is_kept(name: str, scope: Scope) -> bool:
    """The body stores `name` where it outlives the call: as a global, an attribute of its object, of the application, in a table."""
    for site in scope.facts.sites(ir.Assign):
        for target in site.node.targets:
            written = dotted_name(target)
            if written == name and (name in scope.facts.is_global or "." in name):
                return True
            if dotted_name(site.node.value) == name and (
                LASTING & set(written.split(".")[:-1]) or _is_lasting_table(target, scope)
            ):
                return True
    return False


def _is_lasting_table(target: ir.Expr, scope: Scope) -> bool:
    """`clients[key]`, where `clients` is no name of this body: a table of the object or of the module."""
    return isinstance(target, ir.Subscript) and dotted_name(target.value) not in ("", *scope.facts.bindings)
