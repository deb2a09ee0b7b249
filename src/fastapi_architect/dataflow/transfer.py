"""One function, abstractly executed: which labels every variable holds at every place, and what that means to callers.

States map variables to `Taint`. They flow along the edges of the flow graph until nothing changes; a test that guards
(`guards`) clears its path on the edge where it holds. Assignments replace, containers and unknown keys add.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import access_path, exact_path, key_step
from fastapi_architect.dataflow.calls import CallTransfer
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Edge
from fastapi_architect.dataflow.path import Trace
from fastapi_architect.dataflow.summary import Summary
from fastapi_architect.dataflow.taint import (
    CLEAN,
    ELEMENT,
    KEYS,
    Label,
    Sink,
    Taint,
    assigned,
    at_position,
    collapsed,
    element_of,
    is_position,
    keys_of,
    limited,
    masked,
    merge,
    normal,
    project,
    traced,
    union,
)
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir

if TYPE_CHECKING:
    from fastapi_architect.dataflow.interprocedural import TaintSolver

State = dict[str, Taint]

_MAPPINGS = frozenset(
    {"builtins.dict", "collections.OrderedDict", "collections.defaultdict", "collections.abc.MutableMapping"}
)
#: How often a block is executed again before its function is left as it is, and said to be cut.
MAX_VISITS = 12
#: A function that reaches more (label, sink) pairs than this is cut.
MAX_SINKS = 256


class Transfer:
    """Executes one function with symbolic parameters. Used once."""

    def __init__(self, solver: TaintSolver, function: Function) -> None:
        self.solver = solver
        self.function = function
        self.summary = Summary()
        self.everything = solver.query.everything
        self.inner: dict[str, Function] = {each.name: each for each in function.functions}
        self._values: dict[int, Taint] = {}
        self._subjects: dict[int, ir.Expr] = {}
        self.calls = CallTransfer(self)

    def run(self) -> Summary:
        """The function's summary."""
        graph = self.solver.graph(self.function)
        for site in self.function.facts.sites(ir.Match):
            self._subjects.update((id(case), site.node.subject) for case in site.node.cases)
        order = graph.reverse_postorder()
        rank = {index: position for position, index in enumerate(order)}
        seed = self.seed()
        states: dict[int, State] = {graph.entry: seed}
        visits = dict.fromkeys(order, 0)
        queue = [0]
        waiting = {0}
        while queue:
            position = heapq.heappop(queue)
            waiting.discard(position)
            index = order[position]
            visits[index] += 1
            if visits[index] > MAX_VISITS:
                self.summary.cut = True
                continue
            for target, state in self._through(graph, index, states[index]):
                known = states.get(target)
                joined = state if known is None else _joined(known, state)
                if joined is not known:
                    states[target] = joined
                    if rank[target] not in waiting:
                        waiting.add(rank[target])
                        heapq.heappush(queue, rank[target])
        if graph.exit in states:
            self._leave(seed, states[graph.exit])
        return self.summary

    def seed(self) -> State:
        """Parameters and captured names, each with its own label."""
        state: State = {}
        for param in self.function.parameters:
            label = Taint({(param.name,): (self.everything, None)})
            plain = param.kind not in ("vararg", "kwarg")
            clean = plain and self.solver.is_clean_name(param.name, self.function)
            state[param.name] = CLEAN if clean else label
        captured = self.solver.captured(self.function)
        for name in sorted(captured):
            if not self.solver.is_clean_name(name, self.function):
                state[name] = Taint({(name,): (self.everything, None)})
        self.summary.captured = captured
        return state

    def _through(self, graph: ControlFlowGraph, index: int, entering: State) -> list[tuple[int, State]]:
        """Execute a block; the state for each of its successors."""
        block = graph.blocks[index]
        state = dict(entering)
        for element in block.elements:
            execute = _ELEMENTS.get(element.__class__)
            if execute is not None:
                execute(self, element, state)
            else:
                self._values[id(element)] = self.evaluate(element, state)
        found = []
        for edge in block.successors:
            if edge.target == graph.failure:
                continue
            # An exception leaves before the block's one statement is done.
            flowing = entering if edge.kind == "exception" else self._guarded(edge, state)
            found.append((edge.target, flowing))
        return found

    def _guarded(self, edge: Edge, state: State) -> State:
        condition = edge.condition
        if condition is None:
            return dict(state)
        if isinstance(condition, ir.Case):
            checked = self.solver.guards.matched(condition, edge.subject) if edge.subject is not None else {}
            return self.cleared(state, checked)
        return self.assumed(condition, state, holds=edge.holds)

    def assumed(self, test: Any, state: State, *, holds: bool) -> State:
        """The state where a test was true (or false); a new one."""
        return self.cleared(state, self.solver.guards.checked(test, self.function, holds=holds))

    def cleared(self, state: State, checked: dict[tuple[str, ...], int]) -> State:
        """A copy of the state with checked paths clean."""
        state = dict(state)
        for path, mask in checked.items():
            taint = state.get(path[0], CLEAN)
            for step in path[1:]:
                taint = project(taint, step)
            if taint is not CLEAN:
                state[path[0]] = assigned(state[path[0]], path[1:], masked(taint, self.everything & ~mask))
        return state

    def _leave(self, seed: State, leaving: State) -> None:
        """Parameters that leave otherwise than they came, and are not bound to something else meanwhile."""
        bindings = self.function.facts.bindings
        for param in self.function.parameters:
            name = param.name
            if len(bindings.get(name, ())) != 1 or seed[name] is CLEAN:
                continue
            taint = leaving.get(name, CLEAN)
            if taint is not seed[name]:
                self.summary.leaving[name] = limited(taint)

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────

    def assign(self, target: Any, value: Taint, node: ir.Node, state: State) -> None:
        """Bind a target of an assignment."""
        kind = target.__class__
        if kind is ir.Name:
            if value is not CLEAN:
                value = traced(limited(value), Trace("assigned", self.function, node, target.id))
            state[target.id] = value
        elif kind is ir.Sequence:
            for position, element in enumerate(target.elts):
                self.assign(element, at_position(value, f"[{position}]"), node, state)
        elif kind is ir.Starred:
            self.assign(target.value, collapsed(value), node, state)
        elif kind is ir.Attribute or kind is ir.Subscript:
            self._store(target, value, node, state)

    def _store(self, target: Any, value: Taint, node: ir.Node, state: State) -> None:
        path = exact_path(target)
        if path is not None:
            if value is not CLEAN:
                value = traced(value, Trace("assigned", self.function, node, written_target(target)))
            state[path[0]] = assigned(state.get(path[0], CLEAN), path[1:], limited(value))
        elif target.__class__ is ir.Subscript and self._is_mapping(target.value):
            self._store_item(target, value, state)
        elif value is not CLEAN:
            self.mix_into(target.value, value, state)

    def _is_mapping(self, expr: ir.Expr) -> bool:
        of = self.solver.program.inference.type_of(expr, self.function)
        names = [option.name for option in options(of) if isinstance(option, Instance)]
        return bool(names) and all(name in _MAPPINGS for name in names)

    def _store_item(self, target: ir.Subscript, value: Taint, state: State) -> None:
        """`mapping[key] = value`: keys and values are told apart."""
        path = exact_path(target.value)
        key = self.evaluate(target.slice, state)
        if path is None or (key is CLEAN and value is CLEAN):
            return
        old = state.get(path[0], CLEAN)
        inner = old
        for step in path[1:]:
            inner = project(inner, step)
        keys = merge(keys_of(inner), collapsed(key))
        mixed = merge(
            collapsed(normal(inner.labels, {s: t for s, t in inner.fields.items() if s != KEYS})),
            collapsed(value),
        )
        state[path[0]] = assigned(old, path[1:], normal(mixed.labels, {KEYS: keys}))

    def mix_into(self, container: Any, value: Taint, state: State) -> None:
        """Add a value to what a container holds: `items.append(value)`, `items[key] = value`."""
        path = access_path(container)
        if path is None or value is CLEAN:
            return
        old = state.get(path[0], CLEAN)
        inner = old
        for step in path[1:]:
            inner = project(inner, step)
        state[path[0]] = assigned(old, path[1:], merge(collapsed(inner), collapsed(value)))

    def _assign(self, node: ir.Assign, state: State) -> None:
        value = self.evaluate(node.value, state)
        for target in node.targets:
            if target.__class__ is ir.Sequence and node.value.__class__ is ir.Sequence:
                parts = [self.evaluate(each, state) for each in node.value.elts]
                if (
                    len(parts) == len(target.elts)
                    and not _starred(target.elts)
                    and not _starred(node.value.elts)
                ):
                    for element, part in zip(target.elts, parts, strict=True):
                        self.assign(element, part, node, state)
                    continue
            self.assign(target, value, node, state)

    def _ann_assign(self, node: ir.AnnAssign, state: State) -> None:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, state), node, state)

    def _aug_assign(self, node: ir.AugAssign, state: State) -> None:
        value = self.evaluate(node.value, state)
        if value is CLEAN:
            return
        if node.target.__class__ is ir.Name:
            name = node.target.id
            step = Trace("assigned", self.function, node, name)
            state[name] = merge(state.get(name, CLEAN), traced(collapsed(value), step))
        else:
            self.mix_into(node.target, value, state)

    def _return(self, node: ir.Return, state: State) -> None:
        if node.value is not None:
            self.give_back(self.evaluate(node.value, state))

    def give_back(self, value: Taint) -> None:
        """Add to what the function returns."""
        self.summary.returns = merge(self.summary.returns, limited(value))

    def _expr_stmt(self, node: ir.ExprStmt, state: State) -> None:
        self.evaluate(node.value, state)

    def _raise(self, node: ir.Raise, state: State) -> None:
        for each in (node.exc, node.cause):
            if each is not None:
                self.evaluate(each, state)

    def _assert(self, node: ir.Assert, state: State) -> None:
        """No guard: `python -O` leaves it out."""
        self.evaluate(node.test, state)

    def _delete(self, node: ir.Delete, state: State) -> None:
        for target in node.targets:
            if target.__class__ is ir.Name:
                state[target.id] = CLEAN

    def _for(self, node: ir.For, state: State) -> None:
        value = self._values.get(id(node.iter))
        if value is None:
            value = self.evaluate(node.iter, state)
        self.assign(node.target, element_of(value), node, state)

    def _with_item(self, item: ir.WithItem, state: State) -> None:
        value = self.evaluate(item.context, state)
        if item.target is not None:
            self.assign(item.target, value, item, state)

    def _handler(self, node: ir.Handler, state: State) -> None:
        if node.name is not None:
            state[node.name] = CLEAN

    def _case(self, node: ir.Case, state: State) -> None:
        subject = self._subjects.get(id(node))
        if subject is not None:
            value = collapsed(self._values.get(id(subject), CLEAN))
            for name in node.captures:
                state[name] = value

    def _function_def(self, node: ir.FunctionDef, state: State) -> None:
        state[node.name] = CLEAN
        if node.decorators and node.name in self.inner:
            self.calls.escaped(self.inner[node.name], node, state)

    # ── expressions ─────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, expr: Any, state: State) -> Taint:
        """What an expression gives; effects of evaluating it go into the state."""
        evaluator = _EXPRESSIONS.get(expr.__class__)
        return evaluator(self, expr, state) if evaluator is not None else CLEAN

    def is_clean(self, expr: ir.Expr) -> bool:
        """The expression's type says that its value is clean."""
        return self.solver.is_clean(expr, self.function)

    def _name(self, expr: ir.Name, state: State) -> Taint:
        found = state.get(expr.id, CLEAN)
        if found is CLEAN:
            if expr.id in self.inner:
                self.calls.escaped(self.inner[expr.id], expr, state)
            return CLEAN
        return CLEAN if self.solver.is_clean_name(expr.id, self.function) else found

    def _attribute(self, expr: ir.Attribute, state: State) -> Taint:
        base = self.evaluate(expr.value, state)
        if base is CLEAN:
            return CLEAN
        found = self.calls.property_value(expr, base)
        if found is None:
            found = project(base, expr.attr)
        return CLEAN if found is CLEAN or self.is_clean(expr) else found

    def _subscript(self, expr: ir.Subscript, state: State) -> Taint:
        base = self.evaluate(expr.value, state)
        self.evaluate(expr.slice, state)
        if base is CLEAN:
            return CLEAN  # the key alone chooses among what the program put there
        step = key_step(expr.slice)
        if step is None:
            found = collapsed(base) if ELEMENT not in base.fields else element_of(base)
        else:
            found = at_position(base, step) if is_position(step) else project(base, step)
        return CLEAN if found is CLEAN or self.is_clean(expr) else found

    def _mixed(self, expr: Any, state: State) -> Taint:
        parts = expr.operands if expr.__class__ is ir.Chain else (expr.left, expr.right)
        found = union([self.evaluate(part, state) for part in parts])
        return CLEAN if found is CLEAN or self.is_clean(expr) else found

    def _bool_op(self, expr: ir.BoolOp, state: State) -> Taint:
        """`a and b`: b is evaluated where a holds; either may be the value."""
        found = CLEAN
        current = state
        for value in expr.values:
            found = merge(found, self.evaluate(value, current))
            current = self.assumed(value, current, holds=expr.op == "and")
        return found

    def _unary(self, expr: ir.UnaryOp, state: State) -> Taint:
        value = self.evaluate(expr.operand, state)
        return CLEAN if expr.op == "not" else value

    def _compare(self, expr: ir.Compare, state: State) -> Taint:
        self.evaluate(expr.left, state)
        for each in expr.comparators:
            self.evaluate(each, state)
        return CLEAN

    def _dict(self, expr: ir.Dict, state: State) -> Taint:
        found = CLEAN
        fields: dict[str, Taint] = {}
        for key, value in zip(expr.keys, expr.values, strict=True):
            taint = self.evaluate(value, state)
            step = key_step(key) if key is not None else None
            if key is None:
                found = merge(found, taint)
            elif step is not None:
                fields[step] = limited(taint, 1)
            else:
                found = merge(found, merge(collapsed(self.evaluate(key, state)), collapsed(taint)))
        if not fields:
            return found
        return normal(found.labels, {**found.fields, **fields})

    def _sequence(self, expr: ir.Sequence, state: State) -> Taint:
        parts = [self.evaluate(each, state) for each in expr.elts]
        if expr.kind != "tuple" or _starred(expr.elts):
            found = CLEAN
            for part in parts:
                found = merge(found, part)
            return found
        return normal({}, {f"[{position}]": limited(part, 1) for position, part in enumerate(parts)})

    def _comprehension(self, expr: ir.Comprehension, state: State) -> Taint:
        state = dict(state)
        for generator in expr.generators:
            value = self.evaluate(generator.iter, state)
            self.assign(generator.target, element_of(value), expr, state)
            for test in generator.ifs:
                self.evaluate(test, state)
                state = self.assumed(test, state, holds=True)
        found = self.evaluate(expr.elt, state)
        if expr.value is not None:
            found = union([found, self.evaluate(expr.value, state)])
        return found

    def _lambda(self, expr: ir.Lambda, state: State) -> Taint:
        """Executed where it is written, with clean arguments: what it captures is what matters."""
        state = dict(state)
        for param in expr.params:
            state[param.name] = CLEAN
        return self.evaluate(expr.body, state)

    def _if_exp(self, expr: ir.IfExp, state: State) -> Taint:
        self.evaluate(expr.test, state)
        body = self.evaluate(expr.body, self.assumed(expr.test, state, holds=True))
        return merge(body, self.evaluate(expr.orelse, self.assumed(expr.test, state, holds=False)))

    def _value_of(self, expr: Any, state: State) -> Taint:
        return self.evaluate(expr.value, state)

    def _yield(self, expr: ir.Yield, state: State) -> Taint:
        if expr.value is not None:
            self.give_back(self.evaluate(expr.value, state))
        return CLEAN

    def _named_expr(self, expr: ir.NamedExpr, state: State) -> Taint:
        value = self.evaluate(expr.value, state)
        self.assign(expr.target, value, expr, state)
        return value

    def _joined(self, expr: ir.JoinedStr, state: State) -> Taint:
        return union([self.evaluate(part, state) for part in expr.values])

    def _formatted(self, expr: ir.FormattedValue, state: State) -> Taint:
        found = self.evaluate(expr.value, state)
        spec = expr.format_spec
        if spec is not None:
            parts = spec.values if spec.__class__ is ir.JoinedStr else [spec]
            last = parts[-1] if parts else None
            if last.__class__ is ir.Constant and str(last.value)[-1:] in (
                "d",
                "f",
                "x",
                "X",
                "e",
                "g",
                "n",
                "b",
            ):
                return CLEAN  # formatting as a number refuses any text
        return found

    def _slice(self, expr: ir.Slice, state: State) -> Taint:
        for each in (expr.lower, expr.upper, expr.step):
            if each is not None:
                self.evaluate(each, state)
        return CLEAN

    def _call(self, expr: ir.Call, state: State) -> Taint:
        return self.calls.call(expr, state)

    # ── sinks ───────────────────────────────────────────────────────────────────────────────────────────────

    def reach(self, label: Label, sink: Sink, trace: Trace | None) -> None:
        """A label reaches a sink."""
        key = (label, id(sink))
        if key in self.summary.sinks:
            return
        if len(self.summary.sinks) >= MAX_SINKS:
            self.summary.cut = True
            return
        self.summary.sinks[key] = (sink, trace)


def _joined(known: State, state: State) -> State:
    """Both states; `known` itself when the other adds nothing."""
    joined = known
    for name, taint in state.items():
        old = known.get(name, CLEAN)
        if old is taint:
            continue
        new = merge(old, taint)
        if new is not old:
            if joined is known:
                joined = dict(known)
            joined[name] = new
    return joined


def written_target(target: Any) -> str:
    """An assignment's target as a reader wrote it, as far as it is a path."""
    path = access_path(target)
    return ".".join(step.strip("[]") for step in path) if path is not None else "it"


def _starred(elements: list[ir.Expr]) -> bool:
    return any(each.__class__ is ir.Starred for each in elements)


_ELEMENTS: dict[type, Callable[[Transfer, Any, State], None]] = {
    ir.Assign: Transfer._assign,  # noqa: SLF001
    ir.AnnAssign: Transfer._ann_assign,  # noqa: SLF001
    ir.AugAssign: Transfer._aug_assign,  # noqa: SLF001
    ir.Return: Transfer._return,  # noqa: SLF001
    ir.ExprStmt: Transfer._expr_stmt,  # noqa: SLF001
    ir.Raise: Transfer._raise,  # noqa: SLF001
    ir.Assert: Transfer._assert,  # noqa: SLF001
    ir.Delete: Transfer._delete,  # noqa: SLF001
    ir.For: Transfer._for,  # noqa: SLF001
    ir.WithItem: Transfer._with_item,  # noqa: SLF001
    ir.Handler: Transfer._handler,  # noqa: SLF001
    ir.Case: Transfer._case,  # noqa: SLF001
    ir.FunctionDef: Transfer._function_def,  # noqa: SLF001
}

_EXPRESSIONS: dict[type, Callable[[Transfer, Any, State], Taint]] = {
    ir.Name: Transfer._name,  # noqa: SLF001
    ir.Attribute: Transfer._attribute,  # noqa: SLF001
    ir.Subscript: Transfer._subscript,  # noqa: SLF001
    ir.Call: Transfer._call,  # noqa: SLF001
    ir.BinOp: Transfer._mixed,  # noqa: SLF001
    ir.Chain: Transfer._mixed,  # noqa: SLF001
    ir.BoolOp: Transfer._bool_op,  # noqa: SLF001
    ir.UnaryOp: Transfer._unary,  # noqa: SLF001
    ir.Compare: Transfer._compare,  # noqa: SLF001
    ir.Dict: Transfer._dict,  # noqa: SLF001
    ir.Sequence: Transfer._sequence,  # noqa: SLF001
    ir.Comprehension: Transfer._comprehension,  # noqa: SLF001
    ir.Lambda: Transfer._lambda,  # noqa: SLF001
    ir.IfExp: Transfer._if_exp,  # noqa: SLF001
    ir.Await: Transfer._value_of,  # noqa: SLF001
    ir.Starred: Transfer._value_of,  # noqa: SLF001
    ir.Yield: Transfer._yield,  # noqa: SLF001
    ir.NamedExpr: Transfer._named_expr,  # noqa: SLF001
    ir.JoinedStr: Transfer._joined,  # noqa: SLF001
    ir.FormattedValue: Transfer._formatted,  # noqa: SLF001
    ir.Slice: Transfer._slice,  # noqa: SLF001
}
