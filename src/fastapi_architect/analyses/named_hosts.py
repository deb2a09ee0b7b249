"""Does an address lead to the application's own choice of hosts, or to whichever host the data names?

A connection can be kept for the first. For the second, such as the website that a user has entered, there is none to keep.
"""

from __future__ import annotations

import re

from fastapi_architect.analyses.event_loop import event_loop
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_DEPTH = 10
#: `https://shop.example/` and also `https://{host}`, whose host is still to come.
_WRITTEN = lazy_pattern(r"^\w+://[^/{%]")
#: Functions that make an address of an address.
_OF_ADDRESSES = lazy_pattern(
    r"url|uri|^(str|quote|strip|rstrip|lstrip|removesuffix|_replace|encode|join)$", re.IGNORECASE
)
#: Attributes and keys of records that hold an address.
_ADDRESS = lazy_pattern(r"(^|_)(url|uri|href|link|website|homepage|domain|webhook|callback)$", re.IGNORECASE)
#: Names of what holds the application's own settings.
_SETTINGS = lazy_pattern(r"^(self|cls)\b|conf|setting|env|option", re.IGNORECASE)


def comes_with_data(address: ir.Expr | None, function: Function, graph: AppGraph) -> bool:
    """The host is a value of the request, of a record or of an argument that no caller writes down."""
    return address is not None and _Reader(graph).origin(address, function, 0) == "data"


class _Reader:
    """Tells where the host of one address is from: "data", "fixed" (written down or a setting) or "" (not known)."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        #: By function and name; "" while it is being looked for.
        self._known: dict[tuple[int, str], str] = {}
        self._sent = {
            (id(parameter.owner), parameter.name)
            for operation in graph.operations
            for parameter in operation.all_parameters()
            if parameter.is_input
        }

    def origin(self, expr: ir.Expr, function: Function, depth: int) -> str:
        """Of the host in `expr`, read in `function`."""
        if depth > _MAX_DEPTH:
            return ""
        if isinstance(expr, ir.Name):
            return self._of_name(expr.id, function, depth)
        if isinstance(expr, ir.Attribute | ir.Subscript):
            return self._of_own(expr, function, depth) or self._of_part(expr, function)
        if isinstance(expr, ir.Constant) or (isinstance(expr, ir.JoinedStr) and _is_written(expr)):
            return "fixed"
        found = {self.origin(part, function, depth + 1) for part in _where_the_host_stands(expr)}
        return "data" if "data" in found else "fixed" if "fixed" in found else ""

    def _of_name(self, name: str, function: Function, depth: int) -> str:
        key = (id(function), name)
        if key not in self._known:
            self._known[key] = ""
            self._known[key] = self._of_bindings(name, function, depth)
        return self._known[key]

    def _of_bindings(self, name: str, function: Function, depth: int) -> str:
        bindings = function.facts.bindings.get(name, ())
        if not bindings:
            outer = function.parent
            return self._of_name(name, outer, depth + 1) if isinstance(outer, Function) else "fixed"
        found = {self.origin(b.value, function, depth + 1) for b in bindings if b.value is not None}
        if any(binding.kind == "parameter" for binding in bindings):
            found.add(self._of_parameter(name, function, depth))
        return "data" if "data" in found else "fixed" if "fixed" in found else ""

    def _of_parameter(self, name: str, function: Function, depth: int) -> str:
        """One caller that writes the host down is reason enough to keep a client for it."""
        if (id(function), name) in self._sent:
            return "data"
        sites = event_loop(self._graph).callers.sites(function) or self._made_in_loops(function)
        given = [_given(site, name, function) for site in sites]
        found = {
            self.origin(expr, scope, depth + 1) if isinstance(scope, Function) else "fixed"
            for expr, scope in given
            if expr is not None and scope.module.kind == "source"
        }
        return "fixed" if "fixed" in found else "data" if "data" in found else ""

    def _made_in_loops(self, function: Function) -> tuple[Site, ...]:
        """`for kind in STRATEGIES: kind(url)` runs a constructor whose class no call names."""
        if function.name != "__init__":
            return ()
        return tuple(
            site
            for scope in self._graph.program.functions
            if any(b.kind == "loop" for each in scope.facts.bindings.values() for b in each)
            for site in scope.facts.calls
            if isinstance(site.node.func, ir.Name)
            and any(b.kind == "loop" for b in scope.facts.bindings.get(site.node.func.id, ()))
            and function in self._graph.program.calls.targets(site)
        )

    def _of_own(self, expr: ir.Attribute | ir.Subscript, function: Function, depth: int) -> str:
        """`self.url` that the constructor was given: a strategy for one page, or a client for one host."""
        owner = function.owner
        if (
            owner is None
            or dotted_name(expr) != f"self.{last_name(expr)}"
            or not _ADDRESS.search(last_name(expr))
        ):
            return ""
        made = self._graph.program.inference.hierarchy.member(owner, "__init__")
        if made is None or made.function is None:
            return ""
        given = [
            site.node.value
            for site in made.function.facts.sites(ir.Assign)
            if any(dotted_name(target) == dotted_name(expr) for target in site.node.targets)
        ]
        return self.origin(given[0], made.function, depth + 1) if len(given) == 1 else ""

    def _of_part(self, expr: ir.Attribute | ir.Subscript, function: Function) -> str:
        """`webhook.url`, `row["website"]`: an address in something that came from elsewhere."""
        key = expr.attr if isinstance(expr, ir.Attribute) else _text(expr.slice)
        root: ir.Expr = expr
        while isinstance(root, ir.Attribute | ir.Subscript):
            root = root.value
        local = function.facts.bindings.get(root.id, ()) if isinstance(root, ir.Name) else ()
        if not local or _SETTINGS.search(dotted_name(expr)) or any(_is_settings(b.value) for b in local):
            return "fixed"
        return "data" if _ADDRESS.search(key) else ""


def _where_the_host_stands(expr: ir.Expr) -> list[ir.Expr]:
    """The parts of a larger expression that may bring the host along."""
    if isinstance(expr, ir.JoinedStr):
        return [part.value for part in expr.values if isinstance(part, ir.FormattedValue)][:1]
    if isinstance(expr, ir.BinOp) and expr.op in ("+", "/"):
        return [expr.left]
    if isinstance(expr, ir.BoolOp):
        return expr.values
    if isinstance(expr, ir.Await):
        return [expr.value]
    if isinstance(expr, ir.Call) and _OF_ADDRESSES.search(last_name(expr.func)):
        receiver = [expr.func.value] if isinstance(expr.func, ir.Attribute) else []
        return [*receiver, *expr.args[:1]]
    return []


def _is_written(text: ir.JoinedStr) -> bool:
    """The host stands before anything that is filled in."""
    return bool(text.values) and bool(_WRITTEN.search(_text(text.values[0])))


def _text(expr: ir.Expr) -> str:
    return expr.value if isinstance(expr, ir.Constant) and isinstance(expr.value, str) else ""


def _is_settings(value: ir.Expr | None) -> bool:
    called = value.func if isinstance(value, ir.Call) else value
    return called is not None and bool(_SETTINGS.search(dotted_name(called)))


def _given(site: Site, name: str, function: Function) -> tuple[ir.Expr | None, Scope]:
    """What a call gives a parameter, and where the call stands."""
    if not isinstance(site.node, ir.Call):
        return None, site.scope
    names = [p.name for p in function.parameters if p.kind in ("posonly", "normal")]
    if function.is_method and (function.name == "__init__" or isinstance(site.node.func, ir.Attribute)):
        names = names[1:]
    return argument(site.node, names.index(name) if name in names else None, name), site.scope
