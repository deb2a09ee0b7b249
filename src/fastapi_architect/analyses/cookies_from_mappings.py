"""Which cookies are set from a mapping (`set_cookie(**params)`), and what does it say?

The mapping is a name of the same body, or each one of a list that other code appends to: `cookies_to_set.append({...})`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.concepts.http import CookieSet
from fastapi_architect.program.definitions import Function, Scope, last_name
from fastapi_architect.syntax import ir

_FLAGS = ("secure", "httponly", "samesite", "max_age", "domain")
_MAX_APPENDS = 400


class MappedCookie(msgspec.Struct, frozen=True, eq=False):
    """A cookie as it is set, with what its mapping says; `written` is the body in which the mapping is written."""

    cookie: CookieSet
    written: Scope


def cookies_of(cookie: CookieSet, graph: AppGraph) -> Iterator[MappedCookie]:
    """The cookies that a call with `**name` sets, as far as their mappings are written out."""
    scope = cookie.scope
    spread = [k.value for k in cookie.node.keywords if k.arg is None]
    if len(spread) != 1 or not isinstance(spread[0], ir.Name) or not isinstance(scope, Function):
        return
    name = spread[0].id
    later = _set_later(name, scope)
    for display, written in _displays(name, scope, graph):
        said = {str(key.value): value for key, value in _entries(display)} | {
            key: value for key, value in later.items() if value is not None
        }
        if "key" not in said or len(said) < len(display.values):
            continue
        flags = {flag: said.get(flag) for flag in _FLAGS}
        yield MappedCookie(replace(cookie, key=said["key"], value=said.get("value"), **flags), written)


def _displays(name: str, scope: Function, graph: AppGraph) -> Iterator[tuple[ir.Dict, Scope]]:
    for binding in scope.facts.bindings.get(name, ()):
        if isinstance(binding.value, ir.Dict):
            yield binding.value, scope
    for site in scope.facts.sites(ir.For):
        held = last_name(site.node.iter)
        if held and isinstance(site.node.target, ir.Name) and site.node.target.id == name:
            yield from _appended(held, graph)


def _appended(held: str, graph: AppGraph) -> Iterator[tuple[ir.Dict, Scope]]:
    """Displays that code of the application appends to a list of that name."""
    for site in graph.program.call_sites_named("append")[:_MAX_APPENDS]:
        func, given = site.node.func, site.node.args
        named = isinstance(func, ir.Attribute) and last_name(func.value) == held
        if named and given and isinstance(given[0], ir.Dict) and site.scope.module.kind == "source":
            yield given[0], site.scope


def _entries(display: ir.Dict) -> Iterator[tuple[ir.Constant, ir.Expr]]:
    for key, value in zip(display.keys, display.values, strict=False):
        if isinstance(key, ir.Constant):
            yield key, value


def _set_later(name: str, scope: Function) -> dict[str, ir.Expr | None]:
    """`name["secure"] = ...` and `name.setdefault("secure", ...)`."""
    found: dict[str, ir.Expr | None] = {}
    for site in scope.facts.calls_named("setdefault"):
        func, given = site.node.func, site.node.args
        if isinstance(func, ir.Attribute) and last_name(func.value) == name and len(given) > 1:
            found[str(getattr(given[0], "value", ""))] = given[1]
    for site in scope.facts.sites(ir.Assign):
        for target in site.node.targets:
            if isinstance(target, ir.Subscript) and last_name(target.value) == name:
                found[str(getattr(target.slice, "value", ""))] = site.node.value
    return found
