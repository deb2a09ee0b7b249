"""One function, abstractly executed: which labels every variable holds at every place, and what that means to callers.

States map variables to `Taint`. They flow along the edges of the flow graph until nothing changes; a test that guards
(`guards`) clears its path on the edge where it holds. Assignments replace, containers and unknown keys add.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from fastapi_architect.dataflow.access_path import access_path, exact_path
from fastapi_architect.dataflow.calls import CallTransfer
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph, Edge
from fastapi_architect.dataflow.derived_values import computed_from, is_unchanged_since
from fastapi_architect.dataflow.expressions import EXPRESSIONS
from fastapi_architect.dataflow.path import Trace
from fastapi_architect.dataflow.statements import ELEMENTS
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
    keys_of,
    limited,
    masked,
    merge,
    normal,
    project,
    same,
    traced,
    whole,
)
from fastapi_architect.program.definitions import Function, last_name
from fastapi_architect.program.types import Instance, options
from fastapi_architect.syntax import ir
from fastapi_architect.syntax.walking import walk

if TYPE_CHECKING:
    from fastapi_architect.dataflow.interprocedural import TaintSolver

State = dict[str, Taint]

_DECODERS = frozenset(
    {"b64decode", "decode", "fromhex", "loads", "unhexlify", "unquote", "unquote_plus", "urlsafe_b64decode"}
)

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
        self.everything = solver.everything
        self.inner: dict[str, Function] = {each.name: each for each in function.functions}
        self.values: dict[int, Taint] = {}
        self.subjects: dict[int, ir.Expr] = {}
        self._assigned: dict[tuple[int, str], tuple[Taint, Taint]] = {}
        self._seed: State = {}
        self.calls = CallTransfer(self)

    def run(self) -> Summary:
        """The function's summary."""
        graph = self.solver.graph(self.function)
        for site in self.function.facts.sites(ir.Match):
            self.subjects.update((id(case), site.node.subject) for case in site.node.cases)
        order = graph.reverse_postorder()
        rank = {index: position for position, index in enumerate(order)}
        seed = self._seed = self.seed()
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
            execute = ELEMENTS.get(element.__class__)
            if execute is not None:
                execute(self, element, state)
            else:
                self.values[id(element)] = self.evaluate(element, state)
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
            return state
        if isinstance(condition, ir.Case):
            checked = self.solver.guards.matched(condition, edge.subject) if edge.subject is not None else {}
            return self.cleared(state, checked)
        return self.assumed(condition, state, holds=edge.holds)

    def assumed(self, test: Any, state: State, *, holds: bool) -> State:
        """The state where a test was true (or false); the given one when the test says nothing."""
        return self.cleared(state, self.solver.guards.checked(test, self.function, holds=holds))

    def cleared(self, state: State, checked: dict[tuple[str, ...], int]) -> State:
        """A copy of the state with checked paths clean; the state itself when there are none."""
        if not checked:
            return state
        state = dict(state)
        for path, mask in checked.items():
            taint = state.get(path[0], CLEAN)
            for step in path[1:]:
                taint = project(taint, step)
            if taint is not CLEAN:
                state[path[0]] = assigned(state[path[0]], path[1:], masked(taint, self.everything & ~mask))
                self._clear_what_was_made_of(path, taint, mask, state)
        return state

    def _clear_what_was_made_of(self, path: tuple[str, ...], checked: Taint, mask: int, state: State) -> None:
        """`target = folder / name` and then a check of `name`: it holds for `target` as well."""
        for name, taint in state.items():
            if name == path[0] or not taint.labels or not taint.labels.keys() <= checked.labels.keys():
                continue
            binding = computed_from(name, self.function)
            if binding is None or not _reads(binding.value, path[0]) or _decodes(binding.value):
                continue
            if is_unchanged_since(path[0], binding.node, self.function):
                state[name] = masked(taint, self.everything & ~mask)

    def answer(self, value: ir.Expr, state: State) -> None:
        """The function returns: what its callers may rely on where the answer is true, and where it is false."""
        parts: list[tuple[int | None, ir.Expr]] = [(None, value)]
        if value.__class__ is ir.Sequence and value.kind == "tuple":
            parts = list(enumerate(value.elts))
        anyway = self._checked_parameters(state)  # whatever the answer is
        for position, part in parts:
            for holds in (True, False):
                if part.__class__ is ir.Constant and bool(part.value) != holds:
                    continue
                assumed = self.assumed(part, state, holds=holds)
                checked = anyway if assumed is state else self._checked_parameters(assumed)
                known = self.summary.passed.get((position, holds))
                if known is not None:
                    both = {path: mask & checked.get(path, 0) for path, mask in known.items()}
                    checked = {path: mask for path, mask in both.items() if mask}
                self.summary.passed[position, holds] = checked

    def _is_resolved_only(self, name: str) -> bool:
        """`path = Path(path).resolve()`, and no other binding."""
        paths = self.solver.guards.paths
        others = [b for b in self.function.facts.bindings.get(name, ()) if b.kind != "parameter"]
        return all(binding.kind == "assign" and paths.is_same(binding.value, name) for binding in others)

    def _checked_parameters(self, state: State) -> dict[tuple[str, ...], int]:
        """Parameters, and their fields, that are clean now for kinds for which they were not at the beginning."""
        found: dict[tuple[str, ...], int] = {}
        for name, seed in self._seed.items():
            taint = state.get(name, CLEAN)
            if taint is seed or seed is CLEAN:
                continue
            mask, _ = taint.labels.get((name,), (0, None))
            if len(self.function.facts.bindings.get(name, ())) > 1:
                # Only a path that was resolved under the same name is what came in.
                left = 0
                for label, (bits, _) in whole(taint).items():
                    left |= bits if label[0] == name else 0
                if self._is_resolved_only(name) and not left & self.solver.guards.paths.sibling:
                    found[name,] = self.solver.guards.paths.everything & ~left
                continue
            if mask != self.everything:
                found[name,] = self.everything & ~mask
            for step, inner in taint.fields.items():
                mask, _ = inner.labels.get((name, step), (0, None))
                if mask != self.everything:
                    found[name, step] = self.everything & ~mask
        return found

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
                key = (id(node), target.id)
                before = self._assigned.get(key)
                if before is not None and same(before[0], value):
                    value = before[1]  # the same object again: joins see at once that nothing has changed
                else:
                    step = Trace("assigned", self.function, node, target.id)
                    before = self._assigned[key] = (value, traced(limited(value), step))
                    value = before[1]
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
        if ELEMENT not in value.fields and not _is_mapping_of(value):
            inner, value = collapsed(inner), collapsed(value)
        state[path[0]] = assigned(old, path[1:], merge(inner, value))

    def give_back(self, value: Taint) -> None:
        """Add to what the function returns."""
        self.summary.returns = merge(self.summary.returns, limited(value))

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────

    def evaluate(self, expr: Any, state: State) -> Taint:
        """What an expression gives; effects of evaluating it go into the state."""
        evaluator = EXPRESSIONS.get(expr.__class__)
        return evaluator(self, expr, state) if evaluator is not None else CLEAN

    def is_clean(self, expr: ir.Expr) -> bool:
        """The expression's type says that its value is clean."""
        return self.solver.is_clean(expr, self.function)

    # ── sinks ───────────────────────────────────────────────────────────────────────────────────────────────

    def arrive(self, value: Taint, sink: Sink, bits: int) -> None:
        """A value is what a sink takes; `bits` are the sink's."""
        for label, (mask, trace) in whole(value).items():
            if mask & bits:
                self.reach(label, sink, mask & bits, trace)

    def reach(self, label: Label, sink: Sink, mask: int, trace: Trace | None) -> None:
        """A label reaches a sink, with these of the sink's bits."""
        sinks = self.summary.sinks
        key = (label, id(sink))
        known = sinks.get(key)
        if known is not None:
            if mask & ~known[1]:
                sinks[key] = (sink, known[1] | mask, trace if known[1] & mask == known[1] else known[2])
            return
        if len(sinks) >= MAX_SINKS:
            self.summary.cut = True
            return
        sinks[key] = (sink, mask, trace)


def _is_mapping_of(value: Taint) -> bool:
    """Keys or values under keys are known of it."""
    return KEYS in value.fields or (bool(value.fields) and all(step.startswith("[") for step in value.fields))


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


def _reads(expr: ir.Expr | None, name: str) -> bool:
    return any(node.__class__ is ir.Name and node.id == name for node in walk(expr))


def _decodes(expr: ir.Expr | None) -> bool:
    """What comes out may hold what a look at the encoded text did not find."""
    return any(node.__class__ is ir.Call and last_name(node.func) in _DECODERS for node in walk(expr))


def written_target(target: Any) -> str:
    """An assignment's target as a reader wrote it, as far as it is a path."""
    path = access_path(target)
    return ".".join(step.strip("[]") for step in path) if path is not None else "it"
