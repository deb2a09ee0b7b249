"""Which tokens does a backend make, with which claims and keys, and who reads them?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.identity import TokenDecode, TokenEncode
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir

_MAX_DEPTH = 5
_MAX_CALLERS = 12
_PURPOSES = {
    "refresh": r"refresh", "reset": r"reset|recover|forgot", "verification": r"verif|confirm|activat|email",
    "invitation": r"invit", "login link": r"magic|passwordless|one_?time", "second factor": r"mfa|2fa|otp",
}  # fmt: skip
_PURPOSE = {purpose: lazy_pattern(pattern, re.IGNORECASE) for purpose, pattern in _PURPOSES.items()}
#: Functions that make tokens, by their names.
_MAKES = lazy_pattern(r"creat|make|generat|issue|encod|sign|mint|build|new_|gen_", re.IGNORECASE)
_KIND_CLAIMS = ("type", "typ", "token_type", "token_use", "purpose", "kind", "use")


class Claims(msgspec.Struct, frozen=True):
    """What a payload holds.

    Attributes:
        always: claims that are in it on every path.
        sometimes: claims that are in it on some paths only.
        complete: nothing else can be in it.
    """

    always: frozenset[str] = frozenset()
    sometimes: frozenset[str] = frozenset()
    complete: bool = True

    def joined(self, other: Claims) -> Claims:
        """Both at once: one mapping updated with the other."""
        always = self.always | other.always
        return Claims(always, (self.sometimes | other.sometimes) - always, self.complete and other.complete)

    def either(self, other: Claims) -> Claims:
        """One or the other."""
        always = self.always & other.always
        every = self.always | other.always | self.sometimes | other.sometimes
        return Claims(always, every - always, self.complete and other.complete)


UNKNOWN_CLAIMS = Claims(complete=False)


def claims_of(graph: AppGraph, expr: ir.Expr | None, scope: Scope, depth: int = 0) -> Claims:
    """The claims of a payload expression, followed through names, copies, updates and one call to the callers."""
    if expr is None or depth > _MAX_DEPTH:
        return UNKNOWN_CLAIMS
    if expr.__class__ is ir.Dict:
        found = Claims()
        for key, value in zip(expr.keys, expr.values, strict=True):
            if key is None:
                found = found.joined(claims_of(graph, value, scope, depth + 1))
            else:
                name = graph.program.constants.string(key, scope)
                found = found.joined(Claims(frozenset({name})) if name is not None else UNKNOWN_CLAIMS)
        return found
    if expr.__class__ is ir.Call:
        return _of_call(graph, expr, scope, depth)
    if expr.__class__ is ir.BinOp and expr.op == "|":
        return claims_of(graph, expr.left, scope, depth + 1).joined(
            claims_of(graph, expr.right, scope, depth + 1)
        )
    if expr.__class__ is ir.Name:
        return _of_name(graph, expr.id, scope, depth)
    return UNKNOWN_CLAIMS


def _of_call(graph: AppGraph, call: ir.Call, scope: Scope, depth: int) -> Claims:
    name = last_name(call.func)
    if name in ("copy", "deepcopy"):
        inner = (
            call.args[0] if call.args else call.func.value if call.func.__class__ is ir.Attribute else None
        )
        return claims_of(graph, inner, scope, depth + 1)
    if call.func.__class__ is ir.Name and name == "dict":
        found = claims_of(graph, call.args[0], scope, depth + 1) if call.args else Claims()
        return found.joined(_of_keywords(graph, call, scope, depth))
    return UNKNOWN_CLAIMS


def _of_keywords(graph: AppGraph, call: ir.Call, scope: Scope, depth: int) -> Claims:
    found = Claims()
    for each in call.keywords:
        one = (
            Claims(frozenset({each.arg}))
            if each.arg is not None
            else claims_of(graph, each.value, scope, depth + 1)
        )
        found = found.joined(one)
    return found


def _of_name(graph: AppGraph, name: str, scope: Scope, depth: int) -> Claims:
    bindings = scope.facts.bindings.get(name)
    if not bindings:
        return UNKNOWN_CLAIMS
    found: Claims | None = None
    for binding in bindings:
        if binding.path or binding.kind not in ("assign", "annotated", "parameter", "augmented"):
            return UNKNOWN_CLAIMS
        if binding.kind == "parameter":
            one = _of_parameter(graph, name, scope, depth)
        elif binding.kind == "augmented":
            one = (found or Claims()).joined(claims_of(graph, binding.value, scope, depth + 1))
        elif any(part.__class__ is ir.Name and part.id == name for part in _spread(binding.value)):
            one = (found or UNKNOWN_CLAIMS).joined(_without(graph, binding.value, name, scope, depth))
        else:
            one = claims_of(graph, binding.value, scope, depth + 1)
        found = one
    return (found or UNKNOWN_CLAIMS).joined(_added(graph, name, scope, depth))


def _spread(expr: ir.Expr | None) -> list[ir.Expr]:
    """The mappings that a display takes over: `x` of `{**x, "exp": 1}`."""
    if expr.__class__ is not ir.Dict:
        return []
    return [value for key, value in zip(expr.keys, expr.values, strict=True) if key is None]


def _without(graph: AppGraph, expr: ir.Expr | None, name: str, scope: Scope, depth: int) -> Claims:
    assert expr.__class__ is ir.Dict
    found = Claims()
    for key, value in zip(expr.keys, expr.values, strict=True):
        if key is not None:
            text = graph.program.constants.string(key, scope)
            found = found.joined(Claims(frozenset({text})) if text is not None else UNKNOWN_CLAIMS)
        elif not (value.__class__ is ir.Name and value.id == name):
            found = found.joined(claims_of(graph, value, scope, depth + 1))
    return found


def _of_parameter(graph: AppGraph, name: str, scope: Scope, depth: int) -> Claims:
    if not isinstance(scope, Function) or depth > 2:
        return UNKNOWN_CLAIMS
    names = [p.name for p in scope.parameters]
    if name not in names:
        return UNKNOWN_CLAIMS
    position = names.index(name) - (1 if scope.is_method else 0)
    found: Claims | None = None
    callers = [site for site in graph.program.calls.callers(scope) if site.scope.module.kind != "test"]
    if len(callers) > _MAX_CALLERS:
        return UNKNOWN_CLAIMS
    for site in callers:
        given = claims_of(graph, argument(site.node, position, name), site.scope, depth + 2)
        found = given if found is None else found.either(given)
    return found or UNKNOWN_CLAIMS


def _added(graph: AppGraph, name: str, scope: Scope, depth: int) -> Claims:
    """Claims that are put into the mapping after it was made."""
    writes: list[tuple[Claims, Site]] = []
    for site in scope.facts.sites(ir.Assign):
        for target in site.node.targets:
            if (
                target.__class__ is ir.Subscript
                and target.value.__class__ is ir.Name
                and target.value.id == name
            ):
                key = graph.program.constants.string(target.slice, scope)
                writes.append((Claims(frozenset({key})) if key is not None else UNKNOWN_CLAIMS, site))
    for site in scope.facts.calls_named("update", "setdefault"):
        func = site.node.func
        if func.__class__ is not ir.Attribute or func.value.__class__ is not ir.Name or func.value.id != name:
            continue
        if func.attr == "setdefault":
            key = graph.program.constants.string(site.node.args[0], scope) if site.node.args else None
            writes.append((Claims(frozenset({key})) if key is not None else UNKNOWN_CLAIMS, site))
            continue
        given = claims_of(graph, site.node.args[0], scope, depth + 1) if site.node.args else Claims()
        writes.append((given.joined(_of_keywords(graph, site.node, scope, depth)), site))
    found = Claims()
    for claims, site in writes:
        found = found.joined(
            claims
            if _is_on_every_path(site, claims, writes)
            else Claims(sometimes=claims.always, complete=claims.complete)
        )
    return found


def _is_on_every_path(site: Site, claims: Claims, writes: list[tuple[Claims, Site]]) -> bool:
    """Not under a condition, or both branches of it write the same claims."""
    context = site.context.inside("if", "else", "case", "loop", "handler")
    if context is None:
        return True
    other = {"if": "else", "else": "if"}.get(context.role)
    for more, place in writes:
        around = place.context.inside("if", "else", "case", "loop", "handler")
        if other is not None and around is not None and around.role == other and around.node is context.node:
            return claims.always <= more.always
    return False


# ── keys and purposes ────────────────────────────────────────────────────────────────────────────────────────────


class MadeToken(msgspec.Struct, frozen=True):
    """One place where tokens are made.

    Attributes:
        encode: the call.
        key: symbol of the key, "" when not known.
        purposes: access, refresh, reset ... by the names of the functions that make it and by its claims.
        claims: what it holds.
    """

    encode: TokenEncode
    key: str
    purposes: frozenset[str]
    claims: Claims


@question
def made_tokens(graph: AppGraph) -> tuple[MadeToken, ...]:
    """Every place where a signed token is made, tests left out; itsdangerous, whose tokens hold their age, not among them."""
    return tuple(
        MadeToken(
            encode,
            key_symbol(graph, encode.key, encode.scope),
            frozenset(_purposes(graph, encode)),
            claims_of(graph, encode.payload, encode.scope),
        )
        for encode in graph.facts(TokenEncode)
        if encode.scope.module.kind != "test" and encode.library != "itsdangerous"
    )


def key_symbol(graph: AppGraph, key: ir.Expr | None, scope: Scope) -> str:
    """Full name of what holds a key, the same wherever it is read; "" when it has none."""
    while key.__class__ is ir.Call and last_name(key.func) in ("get_secret_value", "encode", "str"):
        key = key.func.value if key.func.__class__ is ir.Attribute else key.args[0] if key.args else None
    if key is None or key.__class__ not in (ir.Name, ir.Attribute):
        return ""
    found = graph.program.inference.bindings_of(key, scope)
    if found is None:
        return dotted_name(key)
    owner, bindings = found
    if bindings[-1].kind == "parameter":
        return ""
    if bindings[-1].kind == "assign" and bindings[-1].value.__class__ in (ir.Name, ir.Attribute):
        return key_symbol(graph, bindings[-1].value, owner)
    return f"{owner.full_name}.{last_name(key)}"


def _purposes(graph: AppGraph, encode: TokenEncode) -> Iterator[str]:
    for key in encode.payload.keys if encode.payload.__class__ is ir.Dict else ():
        if key is not None and graph.program.constants.string(key, encode.scope) in _KIND_CLAIMS:
            assert encode.payload.__class__ is ir.Dict
            value: Any = graph.program.constants.value(
                encode.payload.values[encode.payload.keys.index(key)], encode.scope
            )
            if isinstance(value, str):
                yield purpose_of(value)
                return
    function = encode.function
    if function is None:
        return
    names = [function.name]
    if purpose_of(function.name) == "access":
        sites = graph.program.calls.callers(function)[:_MAX_CALLERS]
        callers = [s for s in sites if isinstance(s.scope, Function) and s.scope.module.kind != "test"]
        for site in callers:
            given = " ".join(
                str(v.value) for v in site.node.args if v.__class__ is ir.Constant and v.kind == "str"
            )
            caller = site.scope.name
            if _exchanges(caller, site):
                caller = ""
            names.append(f"{caller} {given}")
        if not re.search(r"access", function.name, re.IGNORECASE) and callers:
            names.pop(0)
    for name in names:
        yield purpose_of(name)


def _exchanges(caller: str, site: Site) -> bool:
    """`refresh_token()` hands out another access token, and makes no token for refreshing unless it says so."""
    if purpose_of(caller) != "refresh" or _MAKES.search(caller):
        return False
    targets = getattr(site.statement, "targets", ())
    return not any(purpose_of(last_name(target)) == "refresh" for target in targets)


def purpose_of(name: str) -> str:
    """What a token is for, by a name; access when nothing else is said."""
    return next((purpose for purpose, pattern in _PURPOSE.items() if pattern.search(name)), "access")


def readers_of(graph: AppGraph, decode: TokenDecode, depth: int = 2) -> list[Function]:
    """The function that decodes, and those that call it: where claims may be tested."""
    if decode.function is None:
        return []
    found = [decode.function]
    frontier = [decode.function]
    for _ in range(depth):
        following = [
            site.scope
            for function in frontier
            for site in graph.program.calls.callers(function)[:_MAX_CALLERS]
            if isinstance(site.scope, Function)
            and site.scope.module.kind != "test"
            and site.scope not in found
        ]
        found += [f for f in dict.fromkeys(following) if f not in found]
        frontier = following
    return found
