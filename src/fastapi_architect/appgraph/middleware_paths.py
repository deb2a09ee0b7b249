"""What a middleware does with one path: lets it pass untested, or tests the caller first.

The body is followed for one concrete path, method and kind of connection. Conditions on those are computed;
a condition on anything else (a credential) is not known, and is what a test of the caller looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from fastapi_architect.appgraph.middleware import Middleware
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.constants import UNKNOWN
from fastapi_architect.program.definitions import Class, Function, Scope, dotted_name, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, options
from fastapi_architect.source.lazy_pattern import lazy_pattern
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

_PASSES_ON = frozenset({"call_next", "app", "_app", "asgi_app", "next_app"})
_REFUSING_STATUS = frozenset({401, 403})
_MAX_DEPTH = 6
_PLACEHOLDER = lazy_pattern(r"{[^{}]*}")


class Passage(msgspec.Struct, frozen=True, eq=False):
    """What becomes of a request.

    Attributes:
        kind: "passes" when the application is called without a test of the caller, "checked" when one comes first.
        decided_by: the last condition on path, method or kind of connection on the way, None when there was none;
            `scope` is where it stands.
    """

    kind: str
    decided_by: ir.Expr | None = None
    scope: Scope | None = None


class _Way(msgspec.Struct):
    """State of following one body."""

    scope: Function
    values: dict[str, Any]
    middleware: Middleware
    depth: int = 0
    decided_by: ir.Expr | None = None
    decided_in: Scope | None = None
    visited: set[int] = msgspec.field(default_factory=set)


class PathJudge:
    """Follows middleware for concrete paths.

    Args:
        program: the program.
        refuses: says whether a function can answer 401 or 403.
    """

    def __init__(self, program: Program, refuses: Callable[[Function], bool]) -> None:
        self._program = program
        self._refuses = refuses

    def passage(self, middleware: Middleware, path: str, method: str = "GET", kind: str = "http") -> Passage:
        """What becomes of a request to `path` in a middleware.

        Args:
            path: a path or a path template; its parameters are replaced by a sample.
            method: upper-case method.
            kind: http or websocket.
        """
        function = middleware.function
        if function is None:
            return Passage("passes")
        if kind == "websocket" and not _sees_websockets(middleware):
            return Passage("passes")
        values = {"path": _PLACEHOLDER.sub("1", path), "method": method, "type": kind}
        way = _Way(function, values, middleware)
        kind_of = self._block(function.body, way)
        return Passage(kind_of or "passes", way.decided_by, way.decided_in)

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def _block(self, body: list[ir.Stmt], way: _Way) -> str:
        """ "passes" or "checked" when the block decides it, else ""."""
        for statement in body:
            decided = self._statement(statement, way)
            if decided:
                return decided
        return ""

    def _statement(self, node: Any, way: _Way) -> str:
        kind = node.__class__
        if kind is ir.If:
            return self._if(node, way)
        if kind is ir.Try:
            return self._block(node.body, way) or self._block([*node.orelse, *node.finalbody], way)
        if kind is ir.With:
            return self._block(node.body, way)
        if kind is ir.For:
            return self._for(node, way)
        if kind is ir.While:
            return self._block(node.body, way)
        if kind is ir.FunctionDef or kind is ir.ClassDef:
            return ""
        if kind is ir.Raise:
            return "checked"
        if kind is ir.Return and node.value is None:
            return "passes"
        return self._plain(node, way)

    def _plain(self, node: Any, way: _Way) -> str:
        for call in _calls(node):
            name = last_name(call.func)
            if name in _PASSES_ON:
                return "passes"
            if self._refusing_call(call, way):
                return "checked"
        return ""

    def _refusing_call(self, call: ir.Call, way: _Way) -> bool:
        if status_argument(call) in _REFUSING_STATUS:
            return True
        site = Site(call, _NOWHERE, _NOWHERE, way.scope)
        return any(self._refuses(t) for t in self._program.calls.targets(site) if t is not way.scope)

    def _if(self, node: Any, way: _Way) -> str:
        for test, body in [(node.test, node.body), *((b.test, b.body) for b in node.elifs)]:
            value = self._truth(test, way)
            if value is UNKNOWN:
                if self._tests_caller(test, body, way):
                    return "checked"
                continue
            if self._about_request(test, way):
                way.decided_by, way.decided_in = test, way.scope
            if value:
                return self._block(body, way)
        return self._block(node.orelse, way)

    def _tests_caller(self, test: Any, body: list[ir.Stmt], way: _Way) -> bool:
        """A condition that is not known, with a refusal behind it."""
        del test
        return any(self._refusing(statement, way) for statement in _statements(body))

    def _refusing(self, node: Any, way: _Way) -> bool:
        if node.__class__ is ir.Raise:
            return True
        return any(self._refusing_call(call, way) for call in _calls(node))

    def _for(self, node: Any, way: _Way) -> str:
        items = self._value(node.iter, way)
        if not isinstance(items, list | tuple) or node.target.__class__ is not ir.Name:
            return self._block(node.body, way) if self._mentions_refusal(node.body, way) else ""
        name = node.target.id
        for item in items:
            way.values[name] = item
            decided = self._block(node.body, way)
            if decided:
                return decided
        way.values.pop(name, None)
        return self._block(node.orelse, way)

    def _mentions_refusal(self, body: list[ir.Stmt], way: _Way) -> bool:
        return any(self._refusing(statement, way) for statement in _statements(body))

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────────────

    def _truth(self, expr: Any, way: _Way) -> Any:
        value = self._value(expr, way)
        return UNKNOWN if value is UNKNOWN else bool(value)

    def _value(self, expr: Any, way: _Way) -> Any:
        """The value of an expression for this request; `UNKNOWN` when it depends on anything else."""
        if expr is None or way.depth > _MAX_DEPTH * 4:
            return UNKNOWN
        way.depth += 1
        try:
            return self._evaluate(expr, way)
        finally:
            way.depth -= 1

    def _evaluate(self, expr: Any, way: _Way) -> Any:
        kind = expr.__class__
        if kind is ir.BoolOp:
            return self._bool_op(expr, way)
        if kind is ir.UnaryOp and expr.op == "not":
            value = self._truth(expr.operand, way)
            return UNKNOWN if value is UNKNOWN else not value
        if kind is ir.Compare:
            return self._compare(expr, way)
        if kind is ir.Call:
            return self._call(expr, way)
        if kind is ir.Await:
            return self._value(expr.value, way)
        if kind is ir.Name:
            return self._name(expr, way)
        if kind is ir.Attribute:
            return self._attribute(expr, way)
        if kind is ir.Subscript:
            key = expr.slice.value if expr.slice.__class__ is ir.Constant else None
            if key in ("path", "method", "type") and last_name(expr.value) in ("scope", "_scope"):
                return way.values.get(str(key), UNKNOWN)
        if kind is ir.BinOp and expr.op == "+":
            left, right = self._value(expr.left, way), self._value(expr.right, way)
            return left + right if isinstance(left, str) and isinstance(right, str) else UNKNOWN
        return self._program.constants.value(expr, way.scope)

    def _bool_op(self, expr: Any, way: _Way) -> Any:
        values = [self._truth(v, way) for v in expr.values]
        deciding = expr.op == "or"
        if any(v is deciding for v in values):
            return deciding
        return UNKNOWN if any(v is UNKNOWN for v in values) else not deciding

    def _compare(self, expr: Any, way: _Way) -> Any:
        if len(expr.ops) != 1:
            return UNKNOWN
        left, right = self._value(expr.left, way), self._value(expr.comparators[0], way)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        op = expr.ops[0]
        try:
            if op in ("in", "not in"):
                return (left in right) == (op == "in")
        except TypeError:
            return UNKNOWN
        if op in ("==", "is", "!=", "is not"):
            return (left == right) == (op in ("==", "is"))
        return UNKNOWN

    def _name(self, expr: Any, way: _Way) -> Any:
        if expr.id in way.values and expr.id not in ("method", "type"):
            bound = way.scope.facts.bindings.get(expr.id)
            if bound is None or expr.id != "path" or bound[0].kind in ("parameter", "comprehension", "loop"):
                return way.values[expr.id]
        bindings = way.scope.facts.bindings.get(expr.id)
        if (
            (
                bindings is not None
                and len(bindings) == 1
                and bindings[0].kind in ("assign", "annotated", "walrus")
            )
            and not bindings[0].path
            and bindings[0].value is not None
        ):
            return self._value(bindings[0].value, way)
        return self._program.constants.value(expr, way.scope)

    def _attribute(self, expr: Any, way: _Way) -> Any:
        if expr.attr == "path" and last_name(expr.value) in ("url", "base_url"):
            return way.values["path"]
        if expr.attr == "method" and last_name(expr.value) in ("request", "req", "conn", "connection"):
            return way.values["method"]
        if (
            expr.value.__class__ is ir.Name
            and expr.value.id in ("self", "cls")
            and way.middleware.cls is not None
        ):
            return self._own_attribute(way.middleware.cls, expr.attr, way)
        return self._program.constants.value(expr, way.scope)

    def _own_attribute(self, cls: Class, name: str, way: _Way) -> Any:
        for value, method in self._program.inference.attribute_assignments(cls, name):
            return self._given(value, method, way)
        for binding in cls.facts.bindings.get(name, ()):
            return self._collection(binding.value, cls)
        return UNKNOWN

    def _given(self, value: Any, method: Function, way: _Way) -> Any:
        """What a constructor stored: an argument given with the middleware, else a default or a constant."""
        operands = value.values if value.__class__ is ir.BoolOp else [value]
        for operand in operands:
            inner = _unwrapped(operand)
            if inner.__class__ is ir.Name and method.parameter(inner.id) is not None:
                given = way.middleware.keywords.get(inner.id)
                if given is not None:
                    return self._collection(given, way.middleware.scope)
                default = method.parameter(inner.id)
                found = (
                    self._collection(default.default, method.parent or method.module) if default else UNKNOWN
                )
            else:
                found = self._collection(operand, method)
            if found is not UNKNOWN and found is not None:
                return found
        return UNKNOWN

    def _collection(self, expr: Any, scope: Scope) -> Any:
        """A constant, also inside `set(...)`, `frozenset(...)`, `tuple(...)` or `list(...)`."""
        if expr is None:
            return UNKNOWN
        expanded, where = (
            self._program.inference.expand(expr, scope) if expr.__class__ is ir.Name else (expr, scope)
        )
        return self._program.constants.value(_unwrapped(expanded), where)

    # ── calls ───────────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, expr: Any, way: _Way) -> Any:
        func = expr.func
        name = last_name(func)
        if func.__class__ is ir.Attribute and name in _STRING_TESTS:
            base = self._value(func.value, way)
            arguments = [self._value(a, way) for a in expr.args]
            if isinstance(base, str) and UNKNOWN not in arguments:
                return _string_method(base, name, arguments)
        if name in ("any", "all") and expr.args and expr.args[0].__class__ is ir.Comprehension:
            return self._quantified(expr.args[0], name, way)
        if name in ("match", "fullmatch", "search"):
            return self._matched(expr, name, way)
        if name in ("str", "set", "frozenset", "tuple", "list", "bool", "URL") and len(expr.args) == 1:
            return self._value(expr.args[0], way)
        found = self._program.constants.value(expr, way.scope)
        return found if found is not UNKNOWN else self._helper(expr, way)

    def _quantified(self, comprehension: Any, name: str, way: _Way) -> Any:
        generator = comprehension.generators[0]
        items = self._value(generator.iter, way)
        if len(comprehension.generators) != 1 or generator.target.__class__ is not ir.Name:
            return UNKNOWN
        if not isinstance(items, list | tuple):
            return UNKNOWN
        variable = generator.target.id
        before = way.values.get(variable, UNKNOWN)
        results = []
        for item in items:
            way.values[variable] = item
            if all(self._truth(condition, way) is True for condition in generator.ifs):
                results.append(self._truth(comprehension.elt, way))
        if before is UNKNOWN:
            way.values.pop(variable, None)
        else:
            way.values[variable] = before
        deciding = name == "any"
        if any(r is deciding for r in results):
            return deciding
        return UNKNOWN if any(r is UNKNOWN for r in results) else not deciding

    def _matched(self, expr: Any, name: str, way: _Way) -> Any:
        func = expr.func
        if func.__class__ is not ir.Attribute:
            return UNKNOWN
        if func.value.__class__ is ir.Name and func.value.id == "re" and len(expr.args) >= 2:
            pattern, subject = self._value(expr.args[0], way), self._value(expr.args[1], way)
        else:
            pattern, subject = self._compiled(func.value, way), self._value(argument(expr, 0), way)
        if not isinstance(pattern, str) or not isinstance(subject, str):
            return UNKNOWN
        try:
            return getattr(re, name)(pattern, subject) is not None
        except re.error:
            return UNKNOWN

    def _compiled(self, expr: Any, way: _Way) -> Any:
        known = self._value(expr, way)
        if isinstance(known, str):
            return known
        expanded, where = self._program.inference.expand(expr, way.scope)
        if expanded.__class__ is ir.Call and last_name(expanded.func) == "compile" and expanded.args:
            return self._program.constants.value(expanded.args[0], where)
        return UNKNOWN

    def _helper(self, expr: Any, way: _Way) -> Any:
        """A function of the program that answers from the path: `self._is_public(path)`."""
        for of in options(self._program.inference.type_of(expr.func, way.scope)):
            if (
                not isinstance(of, FunctionRef)
                or id(of.function) in way.visited
                or len(way.visited) > _MAX_DEPTH
            ):
                continue
            function = of.function
            parameters = function.parameters[1 if function.is_method else 0 :]
            values = {key: way.values[key] for key in ("path", "method", "type")}
            for parameter, given in zip(parameters, expr.args, strict=False):
                value = self._value(given, way)
                if value is not UNKNOWN:
                    values[parameter.name] = value
            inner = _Way(function, values, way.middleware, way.depth, visited={*way.visited, id(function)})
            return self._returned(function.body, inner)
        return UNKNOWN

    def _returned(self, body: list[ir.Stmt], way: _Way) -> Any:
        """What a function returns; `UNKNOWN` when conditions that are not known decide, `None` at its end."""
        found = self._return_of(body, way)
        return None if found is _FALLS_THROUGH else found

    def _return_of(self, body: list[ir.Stmt], way: _Way) -> Any:
        for node in body:
            if node.__class__ is ir.Return:
                return self._value(node.value, way) if node.value is not None else None
            if node.__class__ is ir.If:
                found = self._return_of_if(node, way)
            elif node.__class__ is ir.For:
                found = self._return_of_for(node, way)
            elif node.__class__ in (ir.Try, ir.While, ir.With, ir.Match, ir.Raise):
                return UNKNOWN
            else:
                continue
            if found is not _FALLS_THROUGH:
                return found
        return _FALLS_THROUGH

    def _return_of_if(self, node: Any, way: _Way) -> Any:
        for test, body in [(node.test, node.body), *((b.test, b.body) for b in node.elifs)]:
            value = self._truth(test, way)
            if value is UNKNOWN:
                return UNKNOWN
            if value:
                return self._return_of(body, way)
        return self._return_of(node.orelse, way)

    def _return_of_for(self, node: Any, way: _Way) -> Any:
        items = self._value(node.iter, way)
        if not isinstance(items, list | tuple) or node.target.__class__ is not ir.Name:
            return UNKNOWN
        for item in items:
            way.values[node.target.id] = item
            found = self._return_of(node.body, way)
            if found is not _FALLS_THROUGH:
                return found
        return _FALLS_THROUGH

    def _about_request(self, test: Any, way: _Way) -> bool:
        """The condition depends on path, method or kind: it comes out otherwise for a request unlike any."""
        del way
        return any(
            node.__class__ is ir.Call or last_name(node) in ("path", "method") or _is_scope_key(node)
            or (node.__class__ is ir.Name and "path" in node.id)
            for node in walk(test)
        )  # fmt: skip


_FALLS_THROUGH = object()
_NOWHERE: Any = None
_STRING_TESTS = frozenset(
    ["startswith", "endswith", "rstrip", "lstrip", "strip", "lower", "upper", "removeprefix", "removesuffix"]
)


def _string_method(base: str, name: str, arguments: list[Any]) -> Any:
    given = [tuple(a) if isinstance(a, list) else a for a in arguments]
    try:
        return getattr(base, name)(*given)
    except TypeError:
        return UNKNOWN


def _unwrapped(expr: Any) -> Any:
    while expr.__class__ is ir.Call and len(expr.args) == 1:
        if dotted_name(expr.func) not in ("set", "frozenset", "tuple", "list", "sorted"):
            break
        expr = expr.args[0]
    return expr


def _sees_websockets(middleware: Middleware) -> bool:
    """`BaseHTTPMiddleware` and functions added by `@app.middleware("http")` are passed by a websocket."""
    if middleware.cls is None:
        return False
    return not any(base.endswith("BaseHTTPMiddleware") for base in middleware.bases)


def status_argument(call: ir.Call) -> int | None:
    """401 or 403 written among the arguments: 401, `status.HTTP_401_UNAUTHORIZED`."""
    for value in (
        *call.args,
        *(k.value for k in call.keywords if k.arg in ("status_code", "status", "code")),
    ):
        if value.__class__ is ir.Constant and value.kind == "int" and isinstance(value.value, int):
            if value.value in _REFUSING_STATUS:
                return value.value
            continue
        found = re.match(r"HTTP_(\d{3})_", last_name(value))
        if found and int(found[1]) in _REFUSING_STATUS:
            return int(found[1])
    return None


def _is_scope_key(node: ir.Expr) -> bool:
    return (
        node.__class__ is ir.Subscript
        and node.slice.__class__ is ir.Constant
        and node.slice.value in ("path", "type", "method")
    )


def _calls(node: Any) -> Iterator[ir.Call]:
    for value in ("value", "exc", "test"):
        for each in walk(getattr(node, value, None)):
            if each.__class__ is ir.Call:
                yield each


def _statements(body: list[ir.Stmt]) -> Iterator[ir.Stmt]:
    """Statements of a block and of the blocks in it."""
    for statement in body:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(statement, name, None)
            if isinstance(inner, list) and statement.__class__ not in (ir.FunctionDef, ir.ClassDef):
                yield from _statements(inner)
        for handler in (*getattr(statement, "handlers", ()), *getattr(statement, "elifs", ())):
            yield from _statements(handler.body)
