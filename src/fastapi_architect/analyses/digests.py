"""What does a function look up, make, test and give back, in terms of its parameters?

What it calls is included, with arguments in place of parameters. Who the client is and who is signed in, only the operation
knows that runs it (`analyses/principal.py`).

Bounds: fields two deep, calls `_MAX_DEPTH` deep, `_MAX_EVENTS` events a function; what is recursive gives what it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from fastapi_architect.analyses.body_events import Check, Creation, Digest, Lookup
from fastapi_architect.analyses.check_words import CHECK, CURRENT, ROLE, words
from fastapi_architect.analyses.origins import (
    CALLER,
    NO_ORIGINS,
    NOTHING,
    Origin,
    Origins,
    Path,
    Value,
    field,
    flat,
    put_in,
    whole,
    within,
)
from fastapi_architect.analyses.query_predicates import Statement, statements_of
from fastapi_architect.analyses.row_writes import models_of
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import QueryStep, SessionGet
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import ClassRef, Type, options
from fastapi_architect.syntax import ir

_MAX_DEPTH = 6
_MAX_EVENTS = 80
_MAX_TARGETS = 4
_PATIENCE = 3000

#: Calls that hand on what they are given, fields and all.
_COPIES = frozenset({"model_dump", "dict", "copy", "model_copy", "jsonable_encoder", "deepcopy", "cast"})
_STATE = frozenset({"get", "pop", "getattr"})


# ── digests ──────────────────────────────────────────────────────────────────────────────────────────────────


class DigestReader:
    """Digests of the functions of one graph, each made once."""

    def __init__(self, graph: AppGraph) -> None:
        self.graph = graph
        self._known: dict[int, Digest] = {}
        self._working: set[int] = set()

    def of(self, function: Function) -> Digest | None:
        """What a function does; None while it is being worked out, and where calls nest too deep."""
        key = id(function)
        known = self._known.get(key)
        if known is None and key not in self._working and len(self._working) < _MAX_DEPTH * 2:
            self._working.add(key)
            known = self._known[key] = _Body(function, self).digest()
            self._working.discard(key)
        return known

    def applied(self, function: Function, arguments: dict[str, Value], site: Site | None) -> Digest:
        """A function's digest with arguments in place of its parameters; `site` is the call."""
        digest = self.of(function)
        if digest is None:
            return Digest(whole(o for v in arguments.values() for o in flat(v)), (), (), ())
        return digest.applied(arguments, site)


@question
def digests(graph: AppGraph) -> DigestReader:
    """The reader of a graph."""
    return DigestReader(graph)


class _Body:
    """Reads one function."""

    def __init__(self, function: Function, reader: DigestReader) -> None:
        self._function = function
        self._reader = reader
        self._graph = reader.graph
        self._inference = reader.graph.program.inference
        self._sites = {id(site.node): site for site in function.facts.calls}
        self._values: dict[int, Value] = {}
        self._names: dict[str, Value] = {}
        #: What is being worked out, and how often it was asked for in the meantime: what was found without it is not kept.
        self._working: set[str | int] = set()
        self._missed = 0
        self._patience = _PATIENCE
        self._lookups: list[Lookup] = []
        self._checks: list[Check] = []
        self._creations: list[Creation] = []
        #: `order.user_id = user.id`, by the name of the object.
        self._stored: dict[str, list[tuple[str, ir.Expr]]] = {}
        for site in function.facts.sites(ir.Assign):
            for target in site.node.targets:
                if isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name):
                    self._stored.setdefault(target.value.id, []).append((target.attr, site.node.value))

    def digest(self) -> Digest:
        """Everything about it."""
        facts = self._function.facts
        targets = self._graph.program.calls.targets
        for site in facts.calls:
            name = last_name(site.node.func)
            if CHECK.search(name) or name[:1].isupper() or targets(site):
                self.value(site.node)
        self._own_lookups()
        self._own_checks()
        self._assigned_columns()
        gives = [s.node.value for kind in (ir.Return, ir.Yield) for s in facts.sites(kind)]
        value = self.union_of(gives)
        lookups = [each for each in self._lookups if each.by]
        checks = [each for each in self._checks if each.role or len(each.about) > 1]
        made = [each for each in self._creations if each.given]
        return Digest(
            value, tuple(lookups[:_MAX_EVENTS]), tuple(checks[:_MAX_EVENTS]), tuple(made[:_MAX_EVENTS])
        )

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────

    def value(self, expr: ir.Expr | None) -> Value:
        """Of what an expression is made."""
        if isinstance(expr, ir.Name):
            return self._name(expr.id)
        if expr is None or expr.__class__ is ir.Constant:
            return NOTHING
        key = id(expr)
        known = self._values.get(key)
        if known is not None:
            return known
        if key in self._working:  # `statement = statement.where(...)`: what refers to itself adds nothing
            self._missed += 1
            return NOTHING
        missed = self._missed
        self._working.add(key)
        found = self._value(expr)
        self._working.discard(key)
        if self._is_complete(missed):
            self._values[key] = found
        return found

    def _is_complete(self, missed: int) -> bool:
        """Nothing was left out because it was being worked out; after many attempts that is taken for granted."""
        self._patience -= 1
        return self._missed == missed or not self._working or self._patience < 0

    def _value(self, expr: ir.Expr) -> Value:
        read = _READERS.get(expr.__class__)
        return read(self, expr) if read is not None else NOTHING

    def union_of(self, exprs: Iterable[ir.Expr]) -> Value:
        return NOTHING.union(*[self.value(each) for each in exprs])

    def _name(self, name: str) -> Value:
        known = self._names.get(name)
        if known is not None:
            return known
        if name in self._working:
            self._missed += 1
            return NOTHING
        bindings = self._function.facts.bindings.get(name)
        if bindings is None:
            return whole([CALLER]) if CURRENT.search(name) else NOTHING
        missed = self._missed
        self._working.add(name)
        found = set(self._bound(name))
        for attribute, stored_there in self._stored.get(name, ()):
            found |= within(self.value(stored_there), attribute)
        self._working.discard(name)
        value = frozenset(found)
        if self._is_complete(missed):
            self._names[name] = value
        return value

    def _bound(self, name: str) -> Value:
        """What is assigned to a name itself; what its fields are given later is left out."""
        found: set[tuple[Path, Origin]] = set()
        for binding in self._function.facts.bindings.get(name, ()):
            if binding.kind == "parameter":
                found.add(((), ("in", name)))
            elif binding.value is not None and binding.kind != "except":
                value = self.value(binding.value)
                for index in binding.path:
                    value = field(value, str(index)) if index >= 0 else value
                found |= value
        return frozenset(found)

    def subscript_of(self, expr: ir.Subscript) -> Value:
        key = expr.slice
        if isinstance(key, ir.Constant) and key.kind in ("str", "int"):
            return field(self.value(expr.value), str(key.value))
        return self.value(expr.value) | whole(flat(self.value(key)))

    def sequence_of(self, expr: ir.Sequence) -> Value:
        if expr.kind != "tuple":
            return self.union_of(expr.elts)
        parts = (within(self.value(each), str(index)) for index, each in enumerate(expr.elts))
        return NOTHING.union(*parts)

    def dict_of(self, expr: ir.Dict) -> Value:
        found: set[tuple[Path, Origin]] = set()
        for key, given in zip(expr.keys, expr.values, strict=True):
            value = self.value(given)
            found |= within(value, str(key.value)) if isinstance(key, ir.Constant) else value
        return frozenset(found)

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────

    def call_of(self, call: ir.Call) -> Value:
        site = self._sites.get(id(call))
        name = last_name(call.func)
        receiver = self.value(call.func.value) if call.func.__class__ is ir.Attribute else NOTHING
        if name in _COPIES:
            return receiver | self.union_of(call.args)
        if name in _STATE and call.args:
            read = self._read(call, name, receiver)
            if read is not None:
                return read
        targets = self._graph.program.calls.targets(site) if site is not None else ()
        cls = self._made_class(call)
        if cls is not None:
            value = self._made(call, targets)
            model = self._graph.database.model_of.get(id(cls))
            if model is not None and site is not None:
                self._creations.append(Creation(model, value, (site,)))
            return value
        if site is None or not targets or len(targets) > _MAX_TARGETS or CURRENT.search(name):
            return self._unfollowed(call, site, receiver)
        found: set[tuple[Path, Origin]] = set()
        for target in targets:
            arguments = self.arguments_of(call, target, receiver)
            if not any(arguments.values()):
                continue  # nothing that anybody chose gets there
            digest = self._reader.applied(target, arguments, site)
            self._lookups += self._with_models(digest.lookups, call, target)
            self._checks += digest.checks
            self._creations += digest.creations
            found |= digest.gives
            if ROLE.search(target.name):
                self._checks.append(Check(self._given(call) | flat(receiver), True, site))
        return frozenset(found)

    def _read(self, call: ir.Call, name: str, receiver: Value) -> Value | None:
        """`data.get("key")` and `getattr(data, "key")`; None for any other call of that name."""
        of, key = (
            (self.value(call.args[0]), call.args[1:2]) if name == "getattr" else (receiver, call.args[:1])
        )
        for each in key:
            if isinstance(each, ir.Constant) and each.kind == "str":
                return field(of, str(each.value))
        return None

    def _made_class(self, call: ir.Call) -> Class | None:
        """The class of the program that a call makes an instance of."""
        name = last_name(call.func)
        if not name[:1].isupper() and not name.startswith("_") and name != "cls":
            return None
        for of in options(self._inference.type_of(call.func, self._function)):
            if isinstance(of, ClassRef) and isinstance(of.cls, Class):
                return of.cls
        return None

    def _made(self, call: ir.Call, targets: tuple[Function, ...]) -> Value:
        """An instance: what its constructor stores in `self`, or its keywords."""
        found: set[tuple[Path, Origin]] = set()
        for target in targets[:1]:
            arguments = self.arguments_of(call, target, NOTHING)
            found |= put_in(stored(target, self._reader), arguments)
        if not targets:
            for keyword in call.keywords:
                value = self.value(keyword.value)
                found |= within(value, keyword.arg) if keyword.arg else value
            found |= self.union_of(call.args)
        return frozenset(found)

    def arguments_of(self, call: ir.Call, target: Function, receiver: Value) -> dict[str, Value]:
        """Parameter of a callee to what it is given here."""
        names = [p.name for p in target.parameters if p.kind in ("posonly", "normal")]
        found: dict[str, Value] = {}
        if target.is_method and names:
            found[names.pop(0)] = receiver
        for position, given in enumerate(call.args):
            if given.__class__ is ir.Starred or position >= len(names):
                break
            found[names[position]] = self.value(given)
        spread = NOTHING
        for keyword in call.keywords:
            if keyword.arg is None:
                spread |= self.value(keyword.value)
            else:
                found[keyword.arg] = self.value(keyword.value)
        if spread:
            for param in target.parameters:
                found.setdefault(param.name, field(spread, param.name))
        return found

    def _given(self, call: ir.Call) -> Origins:
        given = [*call.args, *(k.value for k in call.keywords)]
        return flat(self.union_of(given))

    def _unfollowed(self, call: ir.Call, site: Site | None, receiver: Value) -> Value:
        """A library's function, or one that is not known: what it gives is made of what it is given."""
        origins = self._given(call) | flat(receiver)
        name = last_name(call.func)
        if site is not None and len(origins) > 1 and CHECK.search(name):
            self._checks.append(Check(origins, bool(ROLE.search(name)), site))
        if CURRENT.search(name):
            return whole([CALLER, *origins])
        return whole(origins)

    def _with_models(self, lookups: tuple[Lookup, ...], call: ir.Call, target: Function) -> Iterator[Lookup]:
        """Lookups of a generic function or repository, whose model an argument or the type of the call tells."""
        for each in lookups:
            if each.model is not None:
                yield each
                continue
            if each.model_parameter:
                names = [p.name for p in target.parameters][1 if target.is_method else 0 :]
                position = names.index(each.model_parameter) if each.model_parameter in names else None
                given = argument(call, position, each.model_parameter)
                yield msgspec.structs.replace(each, **self._model_named(given))
                continue
            of = self._inference.type_of(call, self._function)
            models = models_of_type(self._inference.awaited(of) or of, self._graph)
            yield msgspec.structs.replace(each, model=models[0] if len(models) == 1 else None)

    def _model_named(self, expr: ir.Expr | None) -> dict[str, Any]:
        """The model that an expression names, or the parameter that holds it."""
        if isinstance(expr, ir.Name) and self._function.parameter(expr.id) is not None:
            return {"model": None, "model_parameter": expr.id}
        models = models_of(expr, self._function, self._graph, cls=True)
        return {"model": models[0] if len(models) == 1 else None, "model_parameter": ""}

    # ── lookups ──────────────────────────────────────────────────────────────────────────────────────────────

    def _own_lookups(self) -> None:
        graph, function = self._graph, self._function
        for get in graph.within(SessionGet, function):
            by = flat(self.value(get.identity))
            every = flat(self.value(get.node))
            named = self._model_named(get.model)
            self._lookups.append(
                Lookup(column=None, kind="get", by=by, every=every, sites=(get.site,), **named)
            )
        for statement in statements_of([function], graph):
            self._lookups += self._of_statement(statement)
        self._generic_lookups()

    def _of_statement(self, statement: Statement) -> Iterator[Lookup]:
        every: Origins = NO_ORIGINS
        for step in dict.fromkeys(p.step for p in statement.predicates):
            every |= flat(self.value(step.node))
            made = step.site.statement
            if isinstance(made, ir.Assign) and isinstance(made.targets[0], ir.Name):
                every |= flat(self._bound(made.targets[0].id))
        for each in statement.predicates:
            if each.operator not in ("==", "in") or each.value is None or each.alternative:
                continue
            if not self._is_handed_in(each.expr):
                by = flat(self.value(each.value))
                yield Lookup(each.model, each.column, _kind(each.step), by, every, (each.step.site,))

    def _is_handed_in(self, condition: ir.Expr) -> bool:
        """`model.id == id` where `model` is a parameter: its type here is whatever any caller gives."""
        side = condition.left if isinstance(condition, ir.Compare) else condition
        while isinstance(side, ir.Attribute):
            side = side.value
        return isinstance(side, ir.Name) and self._function.parameter(side.id) is not None

    def _generic_lookups(self) -> None:
        """`select(self.model).where(self.model.id == id)`: the model is known where the repository is used."""
        for step in self._graph.within(QueryStep, self._function):
            condition = compares_any_id(step)
            if condition is None:
                continue
            named = self._model_named(condition[0])
            if named["model"] is None:
                by = flat(self.value(condition[1]))
                every = flat(self.value(step.node))
                self._lookups.append(
                    Lookup(column=None, kind=_kind(step), by=by, every=every, sites=(step.site,), **named)
                )

    def _assigned_columns(self) -> None:
        """`review.user_id = payload.user_id`."""
        for site in self._function.facts.sites(ir.Assign):
            for target in site.node.targets:
                if isinstance(target, ir.Attribute) and target.attr.endswith(("_id", "owner", "user", "by")):
                    given = within(self.value(site.node.value), target.attr)
                    models = models_of(target.value, self._function, self._graph) if given else []
                    if len(models) == 1:
                        self._creations.append(Creation(models[0], given, (site,)))

    # ── checks ───────────────────────────────────────────────────────────────────────────────────────────────

    def _own_checks(self) -> None:
        facts = self._function.facts
        for kind in (ir.If, ir.IfExp, ir.While, ir.Assert):
            for site in facts.sites(kind):
                if not _chooses_either(site.node):
                    self._test(site.node.test, site)
                for branch in getattr(site.node, "elifs", ()):
                    self._test(branch.test, site)
        for site in facts.sites(ir.Comprehension):
            for generator in site.node.generators:
                for test in generator.ifs:
                    self._test(test, site)
        for site in facts.sites(ir.Return):
            if isinstance(site.node.value, ir.Compare | ir.BoolOp | ir.UnaryOp):
                self._test(site.node.value, site)

    def _test(self, test: ir.Expr, site: Site) -> None:
        """Each of the comparisons that `and`, `or` and `not` put together is one test."""
        if isinstance(test, ir.BoolOp):
            for each in test.values:
                self._test(each, site)
        elif isinstance(test, ir.UnaryOp):
            self._test(test.operand, site)
        else:
            # Whether there is a row at all says nothing of what is stored in its fields further down.
            origins = flat(self._bound(test.id) if isinstance(test, ir.Name) else self.value(test))
            if origins:
                role = _decides(site.node) and any(ROLE.search(name) for name in words(test))
                self._checks.append(Check(origins, role, site))


def _chooses_either(node: ir.Node) -> bool:
    """`row.user1 if row.user2_id == user.id else row.user2`: whoever asks gets one of the two, and nobody is refused."""
    return isinstance(node, ir.IfExp) and all(
        isinstance(each, ir.Name | ir.Attribute) for each in (node.body, node.orelse)
    )


def _decides(node: ir.Node) -> bool:
    """Something ends, or another way is taken: a test that only adds something to a response decides nothing."""
    if not isinstance(node, ir.If):
        return isinstance(node, ir.Assert | ir.Return)
    bodies = [node.body, node.orelse, *(branch.body for branch in node.elifs)]
    return bool(node.orelse) or any(
        isinstance(each, ir.Raise | ir.Return | ir.Jump) for body in bodies for each in body
    )


#: How each class of expression is read.
_READERS: dict[type, Callable[[_Body, Any], Value]] = {
    ir.Attribute: lambda body, e: field(body.value(e.value), e.attr),
    ir.Call: _Body.call_of,
    ir.Await: lambda body, e: body.value(e.value),
    ir.Starred: lambda body, e: body.value(e.value),
    ir.NamedExpr: lambda body, e: body.value(e.value),
    ir.FormattedValue: lambda body, e: body.value(e.value),
    ir.Subscript: _Body.subscript_of,
    ir.BoolOp: lambda body, e: body.union_of(e.values),
    ir.IfExp: lambda body, e: body.value(e.body) | body.value(e.orelse),
    ir.Compare: lambda body, e: whole(flat(body.union_of([e.left, *e.comparators]))),
    ir.UnaryOp: lambda body, e: body.value(e.operand),
    ir.BinOp: lambda body, e: body.value(e.left) | body.value(e.right),
    ir.Sequence: _Body.sequence_of,
    ir.Dict: _Body.dict_of,
    ir.Comprehension: lambda body, e: body.value(e.elt) | body.value(e.value),
    ir.JoinedStr: lambda body, e: whole(flat(body.union_of(e.values))),
    ir.Chain: lambda body, e: body.union_of(e.operands),
}


def compares_any_id(step: QueryStep) -> tuple[ir.Expr, ir.Expr] | None:
    """The variable and the value of `where(self.model.id == id)`: a condition on the key of a model that a variable holds."""
    for arg in step.args if step.kind == "where" else ():
        if isinstance(arg, ir.Compare) and arg.ops == ["=="] and last_name(arg.left) in ("id", "uuid", "pk"):
            base = arg.left.value if isinstance(arg.left, ir.Attribute) else None
            if base is not None and not last_name(base)[:1].isupper():
                return base, arg.comparators[0]
    return None


def _kind(step: QueryStep) -> str:
    """What a statement does with the rows: select, update or delete."""
    start: ir.Expr | None = step.statement
    while isinstance(start, ir.Call) and isinstance(start.func, ir.Attribute):
        start = start.func.value
    name = last_name(start.func) if isinstance(start, ir.Call) else ""
    return name if name in ("update", "delete") else "select"


def stored(constructor: Function, reader: DigestReader) -> Value:
    """What a constructor keeps in the fields of `self`, in terms of its parameters."""
    body = _Body(constructor, reader)
    names = [p.name for p in constructor.parameters]
    if not names:
        return NOTHING
    found: set[tuple[Path, Origin]] = set()
    for site in (*constructor.facts.sites(ir.Assign), *constructor.facts.sites(ir.AnnAssign)):
        targets = site.node.targets if isinstance(site.node, ir.Assign) else [site.node.target]
        for target in targets:
            if isinstance(target, ir.Attribute) and last_name(target.value) == names[0]:
                found |= within(body.value(site.node.value), target.attr)
    for site in constructor.facts.calls_named("__init__"):
        for target in reader.graph.program.calls.targets(site)[:1]:
            if target is not constructor:
                arguments = body.arguments_of(site.node, target, NOTHING)
                found |= put_in(stored(target, reader), arguments)
    return frozenset(found)


def models_of_type(of: Type | None, graph: AppGraph) -> list[Model]:
    """Models that a type is an instance of, or holds instances of."""
    found: list[Model] = []
    for option in options(of):
        for each in (option, *(o for a in getattr(option, "args", ()) for o in options(a))):
            model = graph.database.model_of.get(id(getattr(each, "cls", None)))
            if model is not None and model not in found:
                found.append(model)
    return found
