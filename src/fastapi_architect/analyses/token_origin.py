"""Where does a token come from, and who else has checked it, when somebody reads it without checking its signature?

Harmless are a token that a guard of every operation verified before, one that the function hands to a verifier, one
that the application fetched from a provider itself, and one that somebody types on a command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.security import AccessLevel
from fastapi_architect.concepts.http import OutboundRequest
from fastapi_architect.concepts.identity import TokenDecode
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site, runs_as_script
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_MAX_DEPTH = 5
#: Names and callers through which a fetched token is followed.
_MAX_HOPS = 10
_MAX_CALLERS = 12
_FETCHES = frozenset({"authorize_access_token", "fetch_token", "fetch_access_token"})
#: What holds the caller's own credential: `request.headers`, `HTTPAuthorizationCredentials.credentials`.
_CREDENTIAL = lazy_pattern(r"^(headers|credentials|authorization|auth_?header)$", re.IGNORECASE)
#: Names for what a provider's token endpoint answers.
_ANSWER = lazy_pattern(r"tokens$|token_(response|set|data|result)$", re.IGNORECASE)
_THREADS = ("to_thread", "run_in_threadpool", "run_sync", "run_in_executor")
_COMMANDS = ("command", "callback", "group")


# ── who else verifies it ─────────────────────────────────────────────────────────────────────────────────────────


def verifies(graph: AppGraph, function: Function, depth: int = _MAX_DEPTH) -> bool:
    """The function checks the signature of a token, itself or in what it calls."""
    return any(
        _decodes_in_a_thread(each) or any(decode.verified for decode in graph.within(TokenDecode, each))
        for each in _called_by(graph, function, depth)
    )


def _decodes_in_a_thread(function: Function) -> bool:
    return any(_is_decode_in_a_thread(site) for site in function.facts.calls_named(*_THREADS))


def _is_decode_in_a_thread(site: Site) -> bool:
    """`asyncio.to_thread(jwt.decode, token, **options)`, with nothing written there that switches the check off."""
    return (
        last_name(site.node.func) in _THREADS
        and any(dotted_name(given).endswith("jwt.decode") for given in site.node.args)
        and "verify_signature" not in {text for k in site.node.keywords for text in _words(k.value)}
    )


def _called_by(graph: AppGraph, function: Function, depth: int) -> Iterator[Function]:
    seen, frontier = {id(function)}, [function]
    for _ in range(depth + 1):
        following: list[Function] = []
        for current in frontier:
            yield current
            for site in current.facts.calls:
                for target in graph.program.calls.targets(site):
                    if id(target) not in seen:
                        seen.add(id(target))
                        following.append(target)
        frontier = following


def is_handed_to_a_verifier(graph: AppGraph, function: Function, token: ir.Expr | None) -> bool:
    """The function gives the same name to a function that checks the signature."""
    names = {node.id for node in walk(token) if isinstance(node, ir.Name)} - {"self", "cls"}
    for site in function.facts.calls:
        given = (*site.node.args, *(k.value for k in site.node.keywords))
        if not any(isinstance(each, ir.Name) and each.id in names for each in given):
            continue
        targets = [t for t in graph.program.calls.targets(site) if t is not function]
        if _is_decode_in_a_thread(site) or any(verifies(graph, target, 2) for target in targets):
            return True
    return False


def is_verified_by_guards(graph: AppGraph, function: Function, token: ir.Expr | None) -> bool:
    """The caller's own credential, and every operation that gets here has a guard that verified it before."""
    operations = graph.entries(function)
    return (
        bool(operations)
        and _is_own_credential(graph, function, token)
        and all(_has_verifying_guard(graph, operation, function) for operation in operations)
    )


def _has_verifying_guard(graph: AppGraph, operation: PathOperation, function: Function) -> bool:
    """A dependency refuses callers whose token is not signed; the reading function itself is no such guard."""
    for dependency in operation.all_dependencies():
        guard = dependency.function
        if guard is None or guard is function:
            continue
        found = graph.guards.of_dependency(dependency)
        if found is None or found.level < AccessLevel.USER or not verifies(graph, guard):
            continue
        if all(each is not function for each in _called_by(graph, guard, _MAX_DEPTH)):
            return True
    return False


def _is_own_credential(graph: AppGraph, function: Function, token: ir.Expr | None) -> bool:
    """The token is read from the Authorization header or a bearer scheme, and from nowhere else that has a name."""
    nodes = [node for each in _sources(function, token, 0) for node in walk(each)]
    texts = [n.value for n in nodes if isinstance(n, ir.Constant) and isinstance(n.value, str)]
    names = {last_name(n) for n in nodes if isinstance(n, ir.Name | ir.Attribute)}
    read = any(_CREDENTIAL.search(name) for name in names) or bool(
        names & _scheme_parameters(graph, function)
    )
    return read and all(text.strip().lower() in ("authorization", "bearer") for text in texts if text.strip())


def _scheme_parameters(graph: AppGraph, function: Function) -> set[str]:
    """Parameters that a security scheme fills: `token: Annotated[str, Depends(oauth2_scheme)]`."""
    return {
        dependency.parameter_name
        for operation in graph.operations_running(function)
        for dependency in operation.all_dependencies()
        if graph.guards.is_scheme(dependency) and function.parameter(dependency.parameter_name) is not None
    }


def _sources(function: Function, expr: ir.Expr | None, depth: int) -> Iterator[ir.Expr]:
    """The expression and what its names were assigned, through names of the function."""
    if expr is None or depth > _MAX_DEPTH:
        return
    yield expr
    for node in walk(expr):
        if isinstance(node, ir.Name):
            for binding in function.facts.bindings.get(node.id, ()):
                if binding.kind in ("assign", "annotated", "walrus"):
                    yield from _sources(function, binding.value, depth + 1)


# ── where it comes from ──────────────────────────────────────────────────────────────────────────────────────────


def is_fetched(graph: AppGraph, expr: ir.Expr | None, scope: Scope, depth: int = 0) -> bool:
    """The application got the value from a provider itself: by a call here, or in every caller that hands it over."""
    if expr is None or depth > _MAX_HOPS or not isinstance(scope, Function):
        return False
    for node in walk(expr):
        if isinstance(node, ir.Call) and _is_request(graph, node, scope):
            return True
        if _is_of_an_exchange(graph, node, scope):
            return True
    names = [node.id for node in walk(expr) if isinstance(node, ir.Name)]
    return any(_is_fetched_name(graph, name, scope, depth) for name in names if name not in ("self", "cls"))


def _is_fetched_name(graph: AppGraph, name: str, function: Function, depth: int) -> bool:
    assigned = [
        b
        for b in function.facts.bindings.get(name, ())
        if b.kind in ("assign", "annotated", "walrus")
        and b.value is not None
        and all(
            n.id != name for n in walk(b.value) if isinstance(n, ir.Name)
        )  # `tokens = dict(tokens)` is what it was
    ]
    if assigned:
        return all(is_fetched(graph, b.value, function, depth + 1) for b in assigned)
    position = next((i for i, p in enumerate(function.parameters) if p.name == name), None)
    if position is None or graph.operations_running(function):
        return False
    callers = [s for s in graph.program.calls.callers(function) if s.scope.module.kind != "test"]
    return 0 < len(callers) <= _MAX_CALLERS and all(
        is_fetched(graph, argument(s.node, position - function.is_method, name), s.scope, depth + 1)
        for s in callers
    )


def _is_of_an_exchange(graph: AppGraph, node: ir.Expr, function: Function) -> bool:
    """`tokens["id_token"]`, `idp_tokens.get("id_token")`: out of a provider's answer, and no input of an operation."""
    key: ir.Expr | None = None
    mapping: ir.Expr | None = None
    if isinstance(node, ir.Subscript):
        key, mapping = node.slice, node.value
    elif (
        isinstance(node, ir.Call)
        and isinstance(node.func, ir.Attribute)
        and node.func.attr == "get"
        and node.args
    ):
        key, mapping = node.args[0], node.func.value
    if not isinstance(key, ir.Constant) or key.value != "id_token" or mapping is None:
        return False
    name = last_name(mapping)
    sent = function.parameter(name) is not None and bool(graph.operations_running(function))
    return bool(_ANSWER.search(name)) and not sent


def _is_request(graph: AppGraph, call: ir.Call, function: Function) -> bool:
    """A call of the provider, or of a function that makes one itself."""
    if last_name(call.func) in _FETCHES:
        return True
    if any(request.node is call for request in graph.within(OutboundRequest, function)):
        return True
    return any(
        graph.within(OutboundRequest, target)
        for site in function.facts.calls
        if site.node is call
        for target in graph.program.calls.targets(site)
    )


def _words(expr: ir.Expr) -> Iterator[str]:
    for node in walk(expr):
        if isinstance(node, ir.Name | ir.Attribute):
            yield last_name(node)
        elif isinstance(node, ir.Constant) and isinstance(node.value, str):
            yield node.value


# ── command lines ────────────────────────────────────────────────────────────────────────────────────────────────


def is_typed_by_hand(graph: AppGraph, function: Function) -> bool:
    """No operation gets to the function, and every way to it begins at a command line."""
    if graph.entries(function):
        return False
    seen, frontier = {id(function)}, [function]
    while frontier:
        current = frontier.pop()
        sites = [s for s in graph.program.calls.callers(current) if s.scope.module.kind != "test"]
        if not sites and not _is_command(current):
            return False
        for site in sites:
            if not isinstance(site.scope, Function):
                if not runs_as_script(site):
                    return False
            elif id(site.scope) not in seen:
                seen.add(id(site.scope))
                frontier.append(site.scope)
    return True


def _is_command(function: Function) -> bool:
    """A command of click or typer, or a `main` that parses arguments."""
    if any(function.has_decorator(name) for name in _COMMANDS):
        return True
    module = function.module
    return function.name in ("main", "cli") and module.mentions("argparse")
