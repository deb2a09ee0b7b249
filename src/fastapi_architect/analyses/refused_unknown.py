"""Which functions refuse a name that they do not find? Behind them a name is one of those that exist.

`row = find(name)` and `if row is None: raise`, `if name not in KNOWN: raise`, here or in a function that is given the name. What only
looks at the form of the name (`re.match`, `len`) lets ever new ones through.
"""

from __future__ import annotations

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: What looks at the form of a text, or makes another text of it.
_OF_FORM = frozenset({
    "match", "fullmatch", "search", "len", "str", "int", "float", "bool", "isinstance", "UUID", "lower", "upper", "strip", "split",
    "replace", "startswith", "endswith", "isalnum", "isidentifier", "quote", "format", "join", "encode", "sub", "hash", "sha256", "md5",
})  # fmt: skip
_ROUNDS = 3


def is_refused_unless_known(name: str, site: Site, graph: AppGraph) -> bool:
    """Something above a place raises for values of a variable that are not found.

    Args:
        name: a variable of the function.
        site: the place.
        graph: the backend.
    """
    function = site.scope
    if not isinstance(function, Function):
        return False
    if _refuses(function, name, site.node.span):
        return True
    return any(
        _refuses(target, received, None)
        for call in function.facts.calls
        if call.node.span < site.node.span
        for target in graph.program.calls.targets(call)
        for received in _received(call.node, target, name)
    )


def _received(call: ir.Call, target: Function, name: str) -> list[str]:
    """Parameters that are given the variable."""
    bound = target.is_method and isinstance(call.func, ir.Attribute)
    return [
        parameter.name
        for position, parameter in enumerate(target.parameters[bound:])
        if getattr(argument(call, position, parameter.name), "id", "") == name
    ]


def _refuses(function: Function, name: str, before: int | None) -> bool:
    found = _found_by(function, name)
    for site in function.facts.sites(ir.Raise):
        if before is not None and site.node.span > before:
            continue
        for context in site.context:
            test = context.node.test if isinstance(context.node, ir.If | ir.Branch) else None
            if context.role == "if" and test is not None and _asks(test, name, found):
                return True
    return False


def _asks(test: ir.Expr, name: str, found: set[str]) -> bool:
    return any(
        (isinstance(node, ir.Name) and node.id in found)
        or (isinstance(node, ir.Compare) and node.ops == ["not in"] and getattr(node.left, "id", "") == name)
        for node in walk(test)
    )


def _found_by(function: Function, name: str) -> set[str]:
    """Variables that hold what was looked up by the name."""
    found: set[str] = set()
    for _ in range(_ROUNDS):
        more = {
            variable
            for variable, bindings in function.facts.bindings.items()
            if variable != name
            and any(b.value is not None and _looks_up(b.value, name, found) for b in bindings)
        }
        if more <= found:
            break
        found |= more
    return found


def _looks_up(value: ir.Expr, name: str, found: set[str]) -> bool:
    for node in walk(value):
        if isinstance(node, ir.Name) and node.id in found:
            return True
        given: list[ir.Expr] = []
        if isinstance(node, ir.Call) and last_name(node.func) not in _OF_FORM:
            given = [*node.args, *(k.value for k in node.keywords)]
        elif isinstance(node, ir.Subscript):
            given = [node.slice]
        if any(isinstance(n, ir.Name) and n.id == name for each in given for n in walk(each)):
            return True
    return False
