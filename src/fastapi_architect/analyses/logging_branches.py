"""What does the place of a record say of the value it writes: that nothing is there, or that it is worth nothing?

`if not token: log(token)` writes an empty text; where a token has just failed the test of its form, or was looked up and not
found, what is written opens nothing. Passwords are left out: one that was refused is often the right one, mistyped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi_architect.analyses.surroundings import parents_of
from fastapi_architect.analyses.switch_defaults import holds_by_default
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.facts import Context, Site
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_NEAR_MISS = lazy_pattern(r"passw|passphrase|pwd|secret|pin$")
#: Functions that take a text apart or ask for the one who wrote it, and raise for one that is not in order.
_READS = lazy_pattern(r"decode|loads|parse|verify|validate|introspect")
#: Functions that make a secret.
_MAKES = lazy_pattern(r"^token_(hex|urlsafe|bytes)$|^uuid4$|generate|random|^choices?$")


def is_nothing_there(site: Site, name: str) -> bool:
    """The place is reached only where a name is empty or None.

    Args:
        site: the place.
        name: a variable of its body.
    """
    return any(
        (context.role == "if" and _says_empty(_test(context), name))
        or (context.role == "else" and _is_name(_test(context), name))
        for context in site.context
    )


def has_another_shape(graph: AppGraph, site: Site, name: str) -> bool:
    """An `except` for something that only read attributes of the object: it was not what its type says."""
    for block in _failed_blocks(graph, site):
        nodes = [node for statement in block for node in walk(statement)]
        if any(isinstance(node, ir.Call | ir.Await) for node in nodes):
            continue
        if any(isinstance(node, ir.Attribute) and _is_name(node.value, name) for node in nodes):
            return True
    return False


def was_refused(graph: AppGraph, site: Site, name: str) -> bool:
    """The value has just failed a test of its form, could not be decoded, or was looked up and not found."""
    if _NEAR_MISS.search(name.lower()):
        return False
    for context in site.context:
        test = _test(context) if context.role == "if" else None
        if test is not None and _gives_up(context) and (_is_about(test, name) or _asks_for(test, name, site)):
            return True
    return any(
        isinstance(node, ir.Call) and _READS.search(last_name(node.func)) and _is_given(node, name)
        for block in _failed_blocks(graph, site)
        for statement in block
        for node in walk(statement)
    )


def is_switched_off(graph: AppGraph, site: Site) -> bool:
    """A setting that is off by default stands before it."""
    tests = (_test(context) for context in site.context if context.role == "if")
    return any(test is not None and holds_by_default(graph, test, site.scope) is False for test in tests)


def is_shown_once(graph: AppGraph, site: Site, name: str) -> bool:
    """The secret was made in this body, which no request runs: whoever sets the service up learns it here."""
    scope = site.scope
    if not isinstance(scope, Function) or graph.entries(scope):
        return False
    made = [binding.value for binding in scope.facts.bindings.get(name, ()) if binding.value is not None]
    return bool(made) and all(isinstance(v, ir.Call) and _MAKES.search(last_name(v.func)) for v in made)


def _test(context: Context) -> Any:
    return getattr(context.node, "test", None)


def _is_name(expr: Any, name: str) -> bool:
    return isinstance(expr, ir.Name) and expr.id == name


def _says_empty(test: Any, name: str) -> bool:
    if isinstance(test, ir.UnaryOp) and test.op == "not":
        return _is_name(test.operand, name)
    if isinstance(test, ir.BoolOp) and test.op == "and":
        return any(_says_empty(each, name) for each in test.values)
    if isinstance(test, ir.Compare) and test.ops[0] in ("is", "=="):
        other = test.comparators[0]
        return _is_name(test.left, name) and isinstance(other, ir.Constant) and not other.value
    return False


def _gives_up(context: Context) -> bool:
    """The branch ends without an answer: it raises, or returns nothing or False."""
    body = getattr(context.node, "body", None)
    last = body[-1] if isinstance(body, list) and body else None
    if isinstance(last, ir.Return):
        return last.value is None or (isinstance(last.value, ir.Constant) and not last.value.value)
    return isinstance(last, ir.Raise) or (isinstance(last, ir.Jump) and last.kind == "continue")


def _is_about(test: Any, name: str) -> bool:
    """`token.count(".") != 2`, `not token.startswith("ey")`, `"." not in token`, `len(token) < 5`."""
    for node in walk(test):
        if isinstance(node, ir.Call):
            if _is_given(node, name) or (
                isinstance(node.func, ir.Attribute) and _is_name(node.func.value, name)
            ):
                return True
        elif _is_search(node, name):
            return True
    return False


def _is_search(node: Any, name: str) -> bool:
    """`"." in token`."""
    is_test = isinstance(node, ir.Compare) and node.ops[0] in ("in", "not in")
    return is_test and isinstance(node.left, ir.Constant) and _is_name(node.comparators[0], name)


def _asks_for(test: Any, name: str, site: Site) -> bool:
    """The test is about what a call gave that had been handed the value, or something made of it."""
    bindings = site.scope.facts.bindings
    names = {name}
    for _ in range(2):
        names |= {n for n, found in bindings.items() if any(_mentions(b.value, names) for b in found[:4])}
    return any(
        isinstance(node, ir.Name)
        and node.id != name
        and any(_comes_from_call(binding.value, names) for binding in bindings.get(node.id, ())[:4])
        for node in walk(test)
    )


def _mentions(value: Any, names: set[str]) -> bool:
    """A text that is made of one of them."""
    return isinstance(value, ir.BinOp | ir.JoinedStr) and any(
        isinstance(node, ir.Name) and node.id in names for node in walk(value)
    )


def _comes_from_call(value: Any, names: set[str]) -> bool:
    call = value.value if isinstance(value, ir.Await) else value
    return isinstance(call, ir.Call) and any(_is_given(call, name) for name in names)


def _is_given(call: ir.Call, name: str) -> bool:
    return any(_is_name(each, name) for each in (*call.args, *(keyword.value for keyword in call.keywords)))


def _failed_blocks(graph: AppGraph, site: Site) -> Iterator[list[Any]]:
    """Bodies of the `try`s in whose handlers the place stands."""
    scope = site.scope
    if not isinstance(scope, Function):
        return
    for context in site.context:
        found = parents_of(scope, graph).get(id(context.node)) if context.role == "handler" else None
        if isinstance(found, ir.Try):
            yield found.body
