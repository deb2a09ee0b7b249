"""Which `FastAPI()` or `APIRouter()` an expression means.

Every creating call is one object. Names, imports, attributes, function results, parameters and loops over literals are
followed backwards to it; a factory's object carries an environment that says what its parameters were.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Class, Function, Scope
from fastapi_architect.program.facts import Context
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import ClassRef, FunctionRef, Instance, options
from fastapi_architect.source.location import Location
from fastapi_architect.syntax import ir

_MAX_DEPTH = 40
#: Expressions followed for one question: functions that call themselves twice would double with every level.
_MAX_STEPS = 20_000

APPLICATION = "fastapi.FastAPI"
ROUTER = "fastapi.APIRouter"
#: Decorators of factories that give every caller the same object.
_KEEPING = ("cache", "lru_cache")
#: Kind of object by the library class that a class is or inherits from; the first that fits wins.
KINDS = (
    (APPLICATION, "application"),
    (ROUTER, "router"),
    ("starlette.applications.Starlette", "starlette"),
    ("starlette.routing.Router", "starlette"),
    ("starlette.staticfiles.StaticFiles", "static"),
)


class Value(msgspec.Struct, frozen=True, eq=False):
    """An expression with the place and environment in which it is to be read."""

    expr: ir.Expr
    scope: Scope
    environment: Environment


class Environment(msgspec.Struct, frozen=True, eq=False):
    """What parameters and loop variables stand for along one way of reaching an object.

    Attributes:
        values: (identity of the owning scope, name) to value.
        key: identity, by the call sites and elements that it was made from.
    """

    values: dict[tuple[int, str], Value] = msgspec.field(default_factory=dict)
    key: tuple[int, ...] = ()

    def merged(self, other: Environment) -> Environment:
        """Both; `other` wins."""
        if not other.values:
            return self
        if not self.values:
            return other
        return Environment({**self.values, **other.values}, (*self.key, *other.key))

    def bound(self, owner: Scope, pairs: dict[str, Value], mark: int) -> Environment:
        """This, with names of `owner` bound."""
        values = dict(self.values)
        for name, value in pairs.items():
            values[id(owner), name] = value
        return Environment(values, (*self.key, mark))

    def known_in(self, owner: Scope) -> Environment:
        """This, for an expression of `owner`: what a module makes does not depend on who calls its functions."""
        if isinstance(owner, Function | Class):
            return self
        return self if any(scope == id(owner) for scope, _ in self.values) else EMPTY


EMPTY = Environment()


class RouterObject(msgspec.Struct, frozen=True, eq=False):
    """One application or router as created by one call, along one way.

    Attributes:
        kind: application, router, starlette or static.
        creation: the creating call.
        scope: where it is created.
        environment: what the factory's parameters were.
        cls: the class: of the program when subclassed there.
        name: the variable it is first bound to, "" when none.
        calls: identities of the factories' calls that made it, the innermost last.
    """

    kind: str
    creation: ir.Call
    scope: Scope
    environment: Environment
    cls: Class | str
    name: str = ""
    calls: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[int, ...]:
        """Identity: creating call and environment."""
        return (id(self.creation), *self.environment.key)

    def may_be(self, other: RouterObject) -> bool:
        """Both, of the same creating call, were made by the same calls of factories.

        Seen from inside a factory an object has fewer of them than from outside.
        """
        shared = min(len(other.calls), len(self.calls))
        return not shared or other.calls[-shared:] == self.calls[-shared:]

    @property
    def location(self) -> Location:
        """Where it is created."""
        return self.scope.location(self.creation)


class RouterObjects:
    """Follows expressions to router objects."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._inference = program.inference
        self._depth = 0
        self._steps = 0

    def kind_of(self, cls: Class | str) -> str:
        """The kind of object that a class makes; "" for other classes."""
        for name, kind in KINDS:
            if self._inference.hierarchy.is_subclass(cls, name):
                return kind
        return ""

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, expr: ir.Expr | None, scope: Scope, environment: Environment) -> Any:
        """Constant value of an expression in an environment, or `UNKNOWN`."""
        if not environment.values or expr is None:
            return self._program.constants.value(expr, scope)
        replaced = self.substituted(expr, scope, environment)
        if replaced.expr is not expr:
            return self.value(replaced.expr, replaced.scope, replaced.environment)
        bound: dict[str, Any] = {}
        for (owner, name), value in environment.values.items():
            if owner == id(scope) or any(owner == id(s) for s in _enclosing(scope)):
                bound[name] = self.value(value.expr, value.scope, value.environment)
        return self._program.constants.value(expr, scope, bound)

    def string(self, expr: ir.Expr | None, scope: Scope, environment: Environment) -> str | None:
        """The constant when it is a string, else None."""
        value = self.value(expr, scope, environment)
        if isinstance(value, str):
            return value
        return None

    def substituted(self, expr: ir.Expr, scope: Scope, environment: Environment) -> Value:
        """A name that the environment knows, replaced by what it stands for; attributes on such a name too."""
        if environment.values:
            if isinstance(expr, ir.Name):
                found = self._bound(expr.id, scope, environment)
                if found is not None:
                    return self.substituted(found.expr, found.scope, found.environment)
            elif isinstance(expr, ir.Attribute):
                base = self.substituted(expr.value, scope, environment)
                given = self._given_attribute(base, expr.attr)
                if given is not None:
                    return self.substituted(given.expr, given.scope, given.environment)
                if base.expr is not expr.value:
                    rebuilt = ir.Attribute(expr.span, base.expr, expr.attr)
                    self._program.keep(rebuilt)
                    return Value(rebuilt, base.scope, base.environment)
        return Value(expr, scope, environment)

    def named(self, value: Value) -> Value | None:
        """What a name stands for in its environment, or the one expression that is assigned to it."""
        replaced = self.substituted(value.expr, value.scope, value.environment)
        if replaced.expr is not value.expr:
            return replaced
        expanded, owner = self._inference.expand(value.expr, value.scope)
        return Value(expanded, owner, value.environment) if expanded is not value.expr else None

    def _given_attribute(self, base: Value, name: str) -> Value | None:
        """`Prefix(path="/v1").path`: the argument that a constructing call gives for a declared attribute."""
        if not isinstance(base.expr, ir.Call):
            return None
        for of in options(self._inference.type_of(base.expr.func, base.scope)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class) and not self.kind_of(of.cls):
                declared = [n for n, b in of.cls.facts.bindings.items() if b[-1].kind == "annotated"]
                position = declared.index(name) if name in declared else None
                given = argument(base.expr, position, name)
                if given is not None:
                    return Value(given, base.scope, base.environment)
                bindings = of.cls.facts.bindings.get(name)
                if bindings and bindings[-1].value is not None:
                    return Value(bindings[-1].value, of.cls, EMPTY)
        return None

    def _bound(self, name: str, scope: Scope, environment: Environment) -> Value | None:
        found = self._inference.lookup(name, scope)
        if found is None:
            return None
        return environment.values.get((id(found[0]), name))

    # ── objects ──────────────────────────────────────────────────────────────────────────────────────────────────

    def objects(self, expr: ir.Expr, scope: Scope, environment: Environment = EMPTY) -> list[RouterObject]:
        """The objects that an expression may mean, without repeats."""
        return [found for found, _ in self.targets(expr, scope, environment)]

    def targets(
        self, expr: ir.Expr, scope: Scope, environment: Environment = EMPTY
    ) -> list[tuple[RouterObject, Environment]]:
        """Objects, each with the environment of the calls through which a parameter received it."""
        self._steps = self._steps + 1 if self._depth else 0
        if self._depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return []
        self._depth += 1
        try:
            found: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[RouterObject, Environment]] = {}
            for each, way in self._targets(expr, scope, environment):
                found.setdefault((each.key, way.key), (each, way))
            return list(found.values())
        finally:
            self._depth -= 1

    def _targets(
        self, expr: ir.Expr, scope: Scope, environment: Environment
    ) -> Iterator[tuple[RouterObject, Environment]]:
        if isinstance(expr, ir.Name):
            yield from self._name(expr, scope, environment)
        elif isinstance(expr, ir.Attribute):
            yield from self._attribute(expr, scope, environment)
        elif isinstance(expr, ir.Call):
            yield from ((o, EMPTY) for o in self._call(expr, scope, environment))
        elif isinstance(expr, ir.Await | ir.NamedExpr):
            yield from self._targets(expr.value, scope, environment)
        elif isinstance(expr, ir.IfExp):
            yield from self._targets(expr.body, scope, environment)
            yield from self._targets(expr.orelse, scope, environment)
        elif isinstance(expr, ir.BoolOp):
            for value in expr.values:
                yield from self._targets(value, scope, environment)
        elif isinstance(expr, ir.Subscript):
            for element in self._subscripted(expr, scope, environment):
                yield from self._targets(element.expr, element.scope, element.environment)

    def _name(
        self, expr: ir.Name, scope: Scope, environment: Environment
    ) -> Iterator[tuple[RouterObject, Environment]]:
        bound = self._bound(expr.id, scope, environment)
        if bound is not None:
            yield from self.targets(bound.expr, bound.scope, bound.environment)
            return
        found = self._inference.bindings_of(expr, scope)
        if found is None:
            return
        owner, bindings = found
        environment = environment.known_in(owner)
        for binding in bindings:
            yield from self._binding(binding, owner, environment, expr.id)

    def _binding(
        self, binding: Binding, owner: Scope, environment: Environment, name: str
    ) -> Iterator[tuple[RouterObject, Environment]]:
        if binding.kind in ("assign", "annotated", "walrus") and binding.value is not None:
            for value in self._unpacked(Value(binding.value, owner, environment), binding.path):
                for each, way in self.targets(value.expr, value.scope, value.environment):
                    yield _named(each, name, owner), way
        elif binding.kind == "parameter" and isinstance(owner, Function):
            yield from self._parameter(binding.node, owner)
        elif binding.kind in ("loop", "comprehension") and binding.value is not None:
            for element in self.elements(Value(binding.value, owner, environment)):
                for value in self._unpacked(element, binding.path):
                    yield from self.targets(value.expr, value.scope, value.environment)
        elif binding.kind == "with" and binding.value is not None:
            yield from self.targets(binding.value, owner, environment)

    def _parameter(self, param: ir.Node, function: Function) -> Iterator[tuple[RouterObject, Environment]]:
        """What callers pass; each way carries the whole call, so that other parameters are known along it."""
        assert isinstance(param, ir.Param)
        if function.is_method and function.parameters and function.parameters[0] is param:
            return
        yield from ((each, EMPTY) for each in self._living_in(function))
        for site in self._program.calls.callers_of_any_override(function):
            given = self.given(param, function, site.node)
            if given is None:
                continue
            for each, way in self.targets(given, site.scope):
                yield each, self.of_call(function, site.node, site.scope, way)

    def _living_in(self, function: Function) -> Iterator[RouterObject]:
        """Applications created with `lifespan=function`: they are what its first parameter receives."""
        if not function.is_generator or len(function.parameters) != 1:
            return
        for site in self._program.call_sites_named("FastAPI"):
            given = argument(site.node, None, "lifespan")
            if given is not None and any(
                isinstance(o, FunctionRef) and o.function is function
                for o in options(self._inference.type_of(given, site.scope))
            ):
                yield from self.objects(site.node, site.scope)

    def given(self, param: ir.Param, function: Function, call: ir.Call) -> ir.Expr | None:
        """What a call of `function` gives for a parameter."""
        position = function.parameters.index(param) - (1 if function.is_method else 0)
        return argument(call, position if param.kind in ("posonly", "normal") else None, param.name)

    def of_call(
        self, function: Function, call: ir.Call, scope: Scope, environment: Environment
    ) -> Environment:
        """The environment inside `function` when called so."""
        pairs = {}
        for param in function.parameters[1 if function.is_method else 0 :]:
            given = self.given(param, function, call)
            if given is not None:
                pairs[param.name] = Value(given, scope, environment)
            elif param.default is not None:
                pairs[param.name] = Value(param.default, function.parent or function.module, EMPTY)
        return environment.bound(function, pairs, id(call))

    def _attribute(
        self, expr: ir.Attribute, scope: Scope, environment: Environment
    ) -> Iterator[tuple[RouterObject, Environment]]:
        replaced = self.substituted(expr, scope, environment)
        if replaced.expr is not expr:
            yield from self.targets(replaced.expr, replaced.scope, replaced.environment)
            return
        found = self._inference.bindings_of(expr, scope)
        if found is not None:
            owner, bindings = found
            environment = environment.known_in(owner)
            for binding in bindings:
                yield from self._binding(binding, owner, environment, expr.attr)
            return
        if expr.attr == "router":
            yield from self._router_of_application(expr, scope, environment)
        for of in options(self._inference.type_of(expr.value, scope)):
            if isinstance(of, Instance) and isinstance(of.cls, Class):
                way = self._construction(expr.value, scope, environment, of.cls)
                for value, method in self._inference.attribute_assignments(of.cls, expr.attr):
                    if value is not None:
                        yield from self.targets(value, method, way)

    def _router_of_application(
        self, expr: ir.Attribute, scope: Scope, environment: Environment
    ) -> Iterator[tuple[RouterObject, Environment]]:
        for each, way in self.targets(expr.value, scope, environment):
            if each.kind in ("application", "starlette"):
                yield each, way

    def _construction(self, expr: ir.Expr, scope: Scope, environment: Environment, cls: Class) -> Environment:
        """What `__init__`'s parameters were, when the constructing call is in sight."""
        member = self._inference.hierarchy.member(cls, "__init__")
        value, owner = (expr, scope) if isinstance(expr, ir.Call) else self._inference.expand(expr, scope)
        if member is None or member.function is None or not isinstance(value, ir.Call):
            return EMPTY
        if not any(isinstance(o, ClassRef) for o in options(self._inference.type_of(value.func, owner))):
            return EMPTY
        return self.of_call(member.function, value, owner, environment)

    def _call(self, expr: ir.Call, scope: Scope, environment: Environment) -> Iterator[RouterObject]:
        for of in options(self._inference.type_of(expr.func, scope)):
            if isinstance(of, ClassRef):
                kind = self.kind_of(of.cls)
                if kind:
                    yield RouterObject(kind, expr, scope, environment, of.cls, calls=environment.key)
            elif isinstance(of, FunctionRef):
                way = self.of_call(of.function, expr, scope, environment)
                if any(of.function.has_decorator(name) for name in _KEEPING):
                    way = Environment(way.values, environment.key)
                for site in of.function.facts.sites(ir.Return):
                    if site.node.value is not None:
                        yield from self.objects(site.node.value, of.function, way)

    # ── literals ─────────────────────────────────────────────────────────────────────────────────────────────────

    def elements(self, value: Value) -> list[Value]:
        """Elements of a literal list, tuple, set or dict (its keys), through names, `+`, `.items()`, `.values()`."""
        expr, scope, environment = value.expr, value.scope, value.environment
        if isinstance(expr, ir.Sequence):
            found: list[Value] = []
            for element in expr.elts:
                inner = Value(element, scope, environment)
                if isinstance(element, ir.Starred):
                    found += self.elements(Value(element.value, scope, environment))
                else:
                    found.append(inner)
            return found
        if isinstance(expr, ir.Dict):
            return [Value(k, scope, environment) for k in expr.keys if k is not None]
        if isinstance(expr, ir.BinOp) and expr.op == "+":
            return [
                *self.elements(Value(expr.left, scope, environment)),
                *self.elements(Value(expr.right, scope, environment)),
            ]
        if isinstance(expr, ir.Call):
            return self._called_elements(expr, scope, environment)
        if isinstance(expr, ir.Name | ir.Attribute):
            return self._named_elements(expr, scope, environment)
        return []

    def _named_elements(self, expr: ir.Expr, scope: Scope, environment: Environment) -> list[Value]:
        behind = self.named(Value(expr, scope, environment))
        return self.elements(behind) if behind is not None else []

    def _called_elements(self, expr: ir.Call, scope: Scope, environment: Environment) -> list[Value]:
        func = expr.func
        if isinstance(func, ir.Attribute) and func.attr in ("items", "values", "keys") and not expr.args:
            literal, owner = self._inference.expand(func.value, scope)
            if not isinstance(literal, ir.Dict):
                return []
            pairs = [(k, v) for k, v in zip(literal.keys, literal.values, strict=True) if k is not None]
            if func.attr == "values":
                return [Value(v, owner, environment) for _, v in pairs]
            if func.attr == "keys":
                return [Value(k, owner, environment) for k, _ in pairs]
            made = [ir.Sequence(k.span, "tuple", [k, v]) for k, v in pairs]
            for each in made:
                self._program.keep(each)
            return [Value(each, owner, environment) for each in made]
        if (
            isinstance(func, ir.Name)
            and func.id in ("list", "tuple", "sorted", "reversed", "set")
            and expr.args
        ):
            return self.elements(Value(expr.args[0], scope, environment))
        for of in options(self._inference.type_of(func, scope)):
            if isinstance(of, FunctionRef):
                returns = of.function.facts.sites(ir.Return)
                if len(returns) == 1 and returns[0].node.value is not None:
                    way = self.of_call(of.function, expr, scope, environment)
                    return self.elements(Value(returns[0].node.value, of.function, way))
        return []

    def arguments(self, call: ir.Call, scope: Scope, environment: Environment) -> dict[str, Value]:
        """Named arguments of a call; `**` of a literal dictionary (through names and loops) is spread."""
        found: dict[str, Value] = {}
        for keyword in call.keywords:
            value = Value(keyword.value, scope, environment)
            if keyword.arg is not None:
                found[keyword.arg] = value
                continue
            literal = self.substituted(value.expr, scope, environment)
            expanded, owner = self._inference.expand(literal.expr, literal.scope)
            if isinstance(expanded, ir.Dict):
                for key, each in zip(expanded.keys, expanded.values, strict=True):
                    name = self.string(key, owner, literal.environment) if key is not None else None
                    if name is not None:
                        found[name] = Value(each, owner, literal.environment)
            elif isinstance(expanded, ir.Call) and not expanded.args:
                found.update(self.arguments(expanded, owner, literal.environment))  # `dict(prefix=...)`
        return found

    def _unpacked(self, value: Value, path: tuple[int, ...]) -> list[Value]:
        """The parts that a nested target receives of a literal (or of a factory's returned tuple)."""
        if not path:
            return [value]
        expr = value.expr
        if isinstance(expr, ir.Sequence):
            index = path[0]
            if 0 <= index < len(expr.elts):
                return self._unpacked(Value(expr.elts[index], value.scope, value.environment), path[1:])
            return []
        if isinstance(expr, ir.Call):
            found = []
            for of in options(self._inference.type_of(expr.func, value.scope)):
                if isinstance(of, FunctionRef):
                    way = self.of_call(of.function, expr, value.scope, value.environment)
                    for site in of.function.facts.sites(ir.Return):
                        if site.node.value is not None:
                            found += self._unpacked(Value(site.node.value, of.function, way), path)
            return found
        return []

    def _subscripted(self, expr: ir.Subscript, scope: Scope, environment: Environment) -> list[Value]:
        literal, owner = self._inference.expand(expr.value, scope)
        if isinstance(literal, ir.Dict):
            return [Value(v, owner, environment) for v in literal.values]
        return self.elements(Value(literal, owner, environment))

    def loops(self, context: Context, scope: Scope, environment: Environment) -> list[Environment]:
        """One environment for each round of the literal loops around a place; just `environment` when there are none."""
        found = [environment]
        around = [c.node for c in context if c.role == "loop" and isinstance(c.node, ir.For)]
        for loop in reversed(around):
            rounds = []
            for each in found:
                elements = self.elements(Value(loop.iter, scope, each))
                for element in elements:
                    pairs = self._bind_target(loop.target, element)
                    rounds.append(each.bound(scope, pairs, id(element.expr)))
                if not elements:
                    rounds.append(each)
            found = rounds
        return found

    def _bind_target(self, target: ir.Expr, value: Value) -> dict[str, Value]:
        if isinstance(target, ir.Name):
            return {target.id: value}
        pairs: dict[str, Value] = {}
        if isinstance(target, ir.Sequence):
            inner = value
            if not isinstance(value.expr, ir.Sequence):
                expanded, owner = self._inference.expand(value.expr, value.scope)
                inner = Value(expanded, owner, value.environment)
            for index, element in enumerate(target.elts):
                for part in self._unpacked(inner, (index,)):
                    pairs.update(self._bind_target(element, part))
        return pairs


def _named(each: RouterObject, name: str, owner: Scope) -> RouterObject:
    if each.name:
        return each
    del owner
    return replace(each, name=name)


def _enclosing(scope: Scope) -> Iterator[Scope]:
    current = scope.parent
    while current is not None:
        yield current
        current = current.parent
