"""Which rights are read from what a token says, although the row of its user was loaded for the same request?

A function decodes a token, loads the user whom it names, looks whether that user is still active, and then gives out the claims: what
they say of a role was true when the token was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.injected_values import names_read, receivers
from fastapi_architect.analyses.tokens import readers_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.program.definitions import Class, Function
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import Instance, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

#: What an administrator may change of a user: rights, by their names.
_RIGHT = lazy_pattern(
    r"^(is_?)?(super_?)?(admin|user_role|super_?user|staff|moderator|roles?)$", re.IGNORECASE
)


class LoadedUser(msgspec.Struct, frozen=True, eq=False):
    """A user who is loaded by what a token says.

    Attributes:
        function: the body.
        claims: the variable that holds what the token says.
        row: the variable that holds the user.
        cls: the user's class.
        site: the call that loads it.
    """

    function: Function
    claims: str
    row: str
    cls: Class
    site: Site


class StaleClaim(msgspec.Struct, frozen=True, eq=False):
    """A right that is read from the claims.

    Attributes:
        loaded: the user who is loaded, and not asked.
        function: who asks for the right.
        test: the `if`.
        right: the claim: `is_admin`.
        written: as the code reads it: `claims["role"]`.
        operations: those whose requests come by.
    """

    loaded: LoadedUser
    function: Function
    test: Site
    right: str
    written: str
    operations: tuple[PathOperation, ...]


@question
def stale_claims(graph: AppGraph) -> tuple[StaleClaim, ...]:
    """All of them, one for each function that asks."""
    found: dict[int, StaleClaim] = {}
    for decode in graph.facts(TokenDecode):
        if decode.verified and decode.scope.module.kind == "source":
            readers = readers_of(graph, decode)
            for reader in readers:
                for loaded in _loaded(graph, reader, decode, readers):
                    for each in _asked(graph, loaded):
                        found.setdefault(id(each.function), each)
    return tuple(found.values())


# ── who is loaded ───────────────────────────────────────────────────────────────────────────────────────────


def _loaded(
    graph: AppGraph, function: Function, decode: TokenDecode, readers: list[Function]
) -> Iterator[LoadedUser]:
    bindings = function.facts.bindings
    claims = {
        name
        for name, those in bindings.items()
        if any(
            b.kind in ("assign", "annotated") and _decodes(graph, b.value, function, decode, readers)
            for b in those
        )
    }
    for name in sorted(claims):
        derived = {name} | {
            other
            for other, those in bindings.items()
            if any(b.value is not None and name in names_read(b.value) for b in those)
        }
        for row, those in bindings.items():
            if row in claims or len(those) != 1 or those[0].kind != "assign":
                continue
            cls = _class_of(graph, row, function)
            site = _call_of(those[0].value, function)
            given = (*site.node.args, *(k.value for k in site.node.keywords)) if site is not None else ()
            if cls is None or site is None or not any(derived & names_read(each) for each in given):
                continue
            if not _fills(function, name, row):
                yield LoadedUser(function, name, row, cls, site)


def _decodes(
    graph: AppGraph, value: ir.Expr | None, function: Function, decode: TokenDecode, readers: list[Function]
) -> bool:
    """The value is what the token says: the decoder's answer, or that of a function around it."""
    site = _call_of(value, function)
    if site is None:
        return False
    return site.node is decode.node or any(target in readers for target in graph.program.calls.targets(site))


def _call_of(value: ir.Expr | None, function: Function) -> Site | None:
    value = value.value if isinstance(value, ir.Await) else value
    return next((site for site in function.facts.calls if site.node is value), None)


def _class_of(graph: AppGraph, name: str, function: Function) -> Class | None:
    """The class of the program that a variable holds an object of."""
    found = [
        o.cls
        for o in options(graph.program.inference.type_of(ir.Name(0, name), function))
        if isinstance(o, Instance)
    ]
    classes = [cls for cls in found if isinstance(cls, Class)]
    return classes[0] if len(classes) == 1 else None


def _fills(function: Function, claims: str, row: str) -> bool:
    """The row's values are put into the claims, or both go on together: `claims.is_admin = user.is_admin`."""
    for kind in (ir.Assign, ir.Return, ir.Call, ir.Compare):
        for site in function.facts.sites(kind):
            names = {node.id for node in walk(site.node) if isinstance(node, ir.Name)}
            if claims in names and row in names and not _is_load(site, row):
                return True
    return False


def _is_load(site: Site, row: str) -> bool:
    target = site.node.targets[0] if isinstance(site.node, ir.Assign) else None
    return isinstance(target, ir.Name) and target.id == row


# ── who asks ────────────────────────────────────────────────────────────────────────────────────────────────


def _asked(graph: AppGraph, loaded: LoadedUser) -> Iterator[StaleClaim]:
    """The function itself, and those that receive its answer as a dependency."""
    yield from _tests(graph, loaded, loaded.function, loaded.claims)
    returned = (site.node.value for site in loaded.function.facts.sites(ir.Return))
    if not any(isinstance(value, ir.Name) and value.id == loaded.claims for value in returned):
        return
    seen: set[int] = set()
    for each in receivers(graph, loaded.function):
        if each.function is not None and id(each.function) not in seen and each.parameter:
            seen.add(id(each.function))
            if each.function is not each.operation.handler:
                yield from _tests(graph, loaded, each.function, each.parameter)


def _tests(graph: AppGraph, loaded: LoadedUser, function: Function, name: str) -> Iterator[StaleClaim]:
    operations = graph.entries(function)
    for site in function.facts.sites(ir.If):
        if not site.node.body or not isinstance(site.node.body[-1], ir.Raise):
            continue
        for right, written in _claims_read(site.node.test, name):
            known = graph.program.inference.hierarchy.member(loaded.cls, right) is not None
            if operations and known and _RIGHT.search(right):
                yield StaleClaim(loaded, function, site, right, written, operations)
                return


def _claims_read(test: ir.Expr, name: str) -> Iterator[tuple[str, str]]:
    """Claims that a condition reads: `claims.role`, `claims["role"]`, `claims.get("role")`."""
    for node in walk(test):
        if isinstance(node, ir.Attribute) and isinstance(node.value, ir.Name) and node.value.id == name:
            yield node.attr, f"{name}.{node.attr}"
        elif isinstance(node, ir.Subscript) and isinstance(node.value, ir.Name) and node.value.id == name:
            if isinstance(node.slice, ir.Constant):
                yield str(node.slice.value), f'{name}["{node.slice.value}"]'
        elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attribute) and node.func.attr == "get":
            receiver, key = node.func.value, next(iter(node.args), None)
            if isinstance(receiver, ir.Name) and receiver.id == name and isinstance(key, ir.Constant):
                yield str(key.value), f'{name}.get("{key.value}")'
