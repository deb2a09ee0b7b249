"""All taint queries of a program, solved together: from the sinks backwards to who matters, then bottom-up.

1. *Who matters*: functions that contain a sink, their callers, theirs, and so on, as far as a source leads to them; and
   what fills the parameters of those (dependencies). Where no sink is, nothing is executed.
2. *In which order*: the functions that matter and what they call for a result, as strongly connected components of the
   call graph, callees first.
3. *Summaries*: a function is executed once (`transfer`) when it has a sink, when it calls one whose parameters reach a
   sink, or when somebody who is executed asks for its result; most of what leads to a sink brings nothing there. A
   component that calls itself is executed until its summaries stay the same, at most `MAX_ROUNDS` times. A function left
   earlier is listed in `cut`.
4. *Paths*: a parameter that reaches a sink and is a source, or is filled by a function whose result comes from a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi_architect.dataflow.access_path import AccessPath
from fastapi_architect.dataflow.clean_types import CleanTypes
from fastapi_architect.dataflow.cleaning import Cleaning
from fastapi_architect.dataflow.components import Components
from fastapi_architect.dataflow.control_flow_graph import ControlFlowGraph
from fastapi_architect.dataflow.guards import Guards
from fastapi_architect.dataflow.path import TaintPath, Trace, flattened
from fastapi_architect.dataflow.prefixes import Prefixes
from fastapi_architect.dataflow.summary import NOTHING, Summary
from fastapi_architect.dataflow.taint import (
    CLEAN,
    Label,
    Provision,
    Sending,
    Sink,
    Source,
    TaintQuery,
    inner_label,
    is_inner,
    project,
    whole,
)
from fastapi_architect.dataflow.transfer import Transfer
from fastapi_architect.program.definitions import Class, Function, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.program import Program
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.syntax import ir, span

#: How often the functions of a recursive component are executed again.
MAX_ROUNDS = 6
#: A component of more functions than this is executed once: mutual recursion that wide is dispatch, not recursion.
MAX_COMPONENT = 200
#: How many calls below a function that matters results are followed; what lies deeper is like an unknown library.
MAX_BELOW = 2
#: A function from which no sink is reached, and that has more lines than this, is like an unknown library.
MAX_LINES_BELOW = 250
_MAX_PROVISIONS = 10

#: Calls that run a function given as an argument: last names, because what they belong to often has no known type.
HANDING_ON = (
    "add_task",
    "apply",
    "call_soon",
    "call_soon_threadsafe",
    "iterate_in_threadpool",
    "map",
    "partial",
    "run",
    "run_in_executor",
    "run_in_threadpool",
    "run_sync",
    "start_soon",
    "submit",
    "to_thread",
    "wraps",
)


class TaintSolver:
    """Solves one query on one program.

    Attributes:
        program: the program.
        query: what is asked.
        bits: name of a kind or aspect to its bits; `everything` the bits of all.
        executed: number of function executions, for measurements.
        cut: functions for which a bound was hit, in order of files.
        bringing: names of functions that return what a source in a body gives, whatever they are given.
        inner_labels: identity of a call to the label of the source that its result is.
    """

    def __init__(self, program: Program, query: TaintQuery) -> None:
        self.program = program
        self.query = query
        self.clean_types = CleanTypes(program.inference.hierarchy)
        self.guards = Guards(program, query, self.clean_types, self.passing)
        self.prefixes = Prefixes(program, self.clean_types, self.guards.paths, self.guards.hosts)
        self.cleaning = Cleaning(program, query, self.guards)
        self.bits = query.bits()
        self.everything = query.everything
        self._masks: dict[frozenset[str] | None, int] = {}
        self.executed = 0
        self.cut: list[Function] = []
        self._left_early: set[int] = set()
        self._summaries: dict[int, Summary] = {}
        self._order: list[list[Function]] = []
        #: Functions that nobody has asked for yet, by identity, to the position of their component in the order.
        self._waiting: dict[int, int] = {}
        self._graphs: dict[int, ControlFlowGraph] = {}
        self._sinks: dict[int, list[tuple[int, Sink]]] = {}
        self._captured: dict[int, frozenset[str]] = {}
        self._bound_values: dict[int, frozenset[str]] = {}
        self._clean_names: dict[tuple[int, str], bool] = {}
        self._sites: dict[int, dict[int, Site]] = {}
        self._called: dict[int, list[Function]] = {}
        self._members: set[int] = set()
        self._handed: dict[int, list[Function]] | None = None
        self._function_names = {f.name for f in program.functions}
        for sink in query.sinks:
            self._sinks.setdefault(id(sink.node), []).append((self.bits[sink.kind], sink))
        self._sent_by: dict[int, list[Sending]] = {}
        self._sent_to: dict[int, list[Sending]] = {}
        self._sent_at: dict[int, list[Sending]] = {}
        for sending in query.sendings:
            self._sent_by.setdefault(id(sending.scope), []).append(sending)
            self._sent_to.setdefault(id(sending.function), []).append(sending)
            self._sent_at.setdefault(id(sending.node), []).append(sending)
        self.bringing: set[str] = set()
        self.inner_labels: dict[int, Label] = {}
        self._inner_sources: dict[Label, Source] = {}
        for number, (identity, source) in enumerate(query.inner.items()):
            label = self.inner_labels[identity] = inner_label(number)
            self._inner_sources[label] = source
        self._provisions: dict[int, list[Provision]] = {}
        for provision in query.provisions:
            self._provisions.setdefault(id(provision.function), []).append(provision)

    def solve(self) -> tuple[TaintPath, ...]:
        """Every way from a source to a sink, one for each pair, in order of sinks and sources."""
        if not self.query.sinks or not (self.query.sources or self.query.inner):
            return ()
        relevant = self.relevant()
        self._members = self._needed(relevant)
        self._order = list(self._components(relevant))
        self._waiting = {id(f): position for position, those in enumerate(self._order) for f in those}
        with_sink = {id(sink.scope) for sink in self.query.sinks}
        for component in self._order:
            if any(id(f) in with_sink or self._passes_on(f) for f in component):
                self._demand(component[0])
        paths = self._paths(relevant)
        self.cut = [f for component in self._order for f in component if id(f) in self._left_early]
        return paths

    # ── who matters ─────────────────────────────────────────────────────────────────────────────────────────

    def relevant(self) -> list[Function]:
        """Functions between a source and a sink, and what fills their parameters; in order of discovery."""
        found: dict[int, Function] = {}
        queue = [sink.scope for sink in self.query.sinks if isinstance(sink.scope, Function)]
        sources = {id(source.function) for source in self.query.sources}
        while queue:
            current = queue.pop()
            if id(current) in found:
                continue
            found[id(current)] = current
            callers = [s.scope for s in self.program.calls.callers(current) if s.scope.module.kind != "test"]
            callers += [sending.scope for sending in self._sent_to.get(id(current), ())]
            if not callers and id(current) not in sources:
                callers = self._handing_on(current)
            queue += [scope for scope in callers if isinstance(scope, Function)]
            if isinstance(current.parent, Function):
                queue.append(current.parent)
        return self._reached(found)

    def _reached(self, above_sinks: dict[int, Function]) -> list[Function]:
        """Those of some functions that a source's function leads to, and the providers of their parameters."""
        found: dict[int, Function] = {}
        queue = list(self._answered())
        queue += [source.function for source in reversed(self.query.sources)]
        queue += [provision.function for provision in self.query.provisions]
        while queue:
            current = queue.pop()
            if id(current) in found or id(current) not in above_sinks:
                continue
            found[id(current)] = current
            queue += self._callees(current)
        filled = list(found.values())
        while filled:
            for provision in self._provisions.get(id(filled.pop()), ()):
                if id(provision.provider) not in found:
                    found[id(provision.provider)] = provision.provider
                    filled.append(provision.provider)
        return list(found.values())

    def _answered(self) -> Iterator[Function]:
        """Functions with a source in their bodies, and those that they may return it to, `MAX_BELOW` calls up."""
        level = list({id(s.function): s.function for s in self.query.inner.values()}.values())
        for _ in range(MAX_BELOW + 1):
            yield from level
            level = [
                site.scope
                for function in level
                for site in self.program.calls.callers(function)
                if isinstance(site.scope, Function) and site.scope.module.kind != "test"
            ]

    def _needed(self, relevant: list[Function]) -> set[int]:
        """Functions to summarise: those that matter, and what these call for a result, `MAX_BELOW` calls deep."""
        found = {id(function) for function in relevant}
        level = relevant
        for _ in range(MAX_BELOW):
            following: list[Function] = []
            for function in level:
                for callee in self._callees(function):
                    if id(callee) not in found and not self.is_long(callee):
                        found.add(id(callee))
                        following.append(callee)
            level = following
        return found

    def is_long(self, function: Function) -> bool:
        """It is not followed for its result alone."""
        return _lines(function) > MAX_LINES_BELOW

    def is_summarised(self, function: Function) -> bool:
        """Its summary says what it does; else its result has to be taken for a mix of its arguments."""
        return id(function) in self._members

    def _handing_on(self, function: Function) -> list[Any]:
        """Bodies that hand a function on as a value: `to_thread(run, query)`."""
        if self._handed is None:
            self._handed = {}
            for name in HANDING_ON:
                for site in self.program.call_sites_named(name):
                    if isinstance(site.scope, Function):
                        for each in site.node.args:
                            for target in self.functions_named(each, site.scope):
                                self._handed.setdefault(id(target), []).append(site.scope)
        return self._handed.get(id(function), [])

    def functions_named(self, expr: Any, scope: Function) -> list[Function]:
        """Functions of the program that an argument is, when it is a plain name or attribute."""
        if expr.__class__ not in (ir.Name, ir.Attribute) or last_name(expr) not in self._function_names:
            return []
        found = options(self.program.inference.type_of(expr, scope))
        return [option.function for option in found if isinstance(option, FunctionRef)]

    # ── in which order ──────────────────────────────────────────────────────────────────────────────────────

    def _callees(self, function: Function) -> list[Function]:
        known = self._called.get(id(function))
        if known is None:
            known = self._called[id(function)] = self._find_callees(function)
        return known

    def _find_callees(self, function: Function) -> list[Function]:
        found: dict[int, Function] = {}
        own = {inner.name for inner in function.functions}
        for site in function.facts.calls:
            node = site.node
            without_arguments = not node.args and not node.keywords and node.func.__class__ is ir.Name
            if without_arguments and node.func.id not in own:
                continue
            if last_name(node.func) or node.func.__class__ is ir.Call:
                for target in self.program.calls.targets(site):
                    found[id(target)] = target
            for argument in node.args:
                for target in self.functions_named(argument, function):
                    found[id(target)] = target
        for site in function.facts.sites(ir.Attribute):
            if site.node.attr in self._function_names:
                target_ = self.property_of(site.node, function)
                if target_ is not None:
                    found[id(target_)] = target_
        for inner in function.functions:
            found[id(inner)] = inner
        for sending in self._sent_by.get(id(function), ()):
            found[id(sending.function)] = sending.function
        return list(found.values())

    def _components(self, roots: list[Function]) -> Iterator[list[Function]]:
        """Strongly connected components of the functions to summarise, callees first."""
        members = self._members
        return Components[Function](lambda f: [c for c in self._callees(f) if id(c) in members]).of(roots)

    # ── summaries ───────────────────────────────────────────────────────────────────────────────────────────

    def _passes_on(self, function: Function) -> bool:
        """A function that it calls has been found to bring a parameter to a sink."""
        known = self._summaries
        return any(id(callee) in known and known[id(callee)].sinks for callee in self._callees(function))

    def _demand(self, function: Function) -> None:
        """Summarise a function's component, and first what that calls: so asking never nests deeper than this."""
        waiting = self._waiting
        needed: set[int] = set()
        stack = [function]
        while stack:
            current = stack.pop()
            position = waiting.get(id(current))
            if position is not None and position not in needed:
                needed.add(position)
                stack += [callee for f in self._order[position] for callee in self._callees(f)]
        for position in sorted(needed):
            for each in self._order[position]:
                waiting.pop(id(each), None)
            self._summarise(self._order[position])

    def _summarise(self, component: list[Function]) -> None:
        recursive = len(component) > 1 or component[0] in self._callees(component[0])
        rounds = MAX_ROUNDS if recursive and len(component) <= MAX_COMPONENT else 1
        changed = True
        for _ in range(rounds):
            changed = False
            for function in component:
                summary = self._execute(function)
                changed |= not summary.says_the_same(self._summaries.get(id(function), NOTHING))
                self._summaries[id(function)] = summary
                if self._inner_sources and any(map(is_inner, whole(summary.returns))):
                    self.bringing.add(function.name)
            if not changed:
                break
        for function in component:
            if self._summaries[id(function)].cut or (recursive and changed):
                self._left_early.add(id(function))

    def _execute(self, function: Function) -> Summary:
        if not (function.parameters or self._inner_sources or self.captured(function)):
            return NOTHING  # nothing can come in
        self.executed += 1
        return Transfer(self, function).run()

    def summary(self, function: Function) -> Summary:
        """What is known of a function; one of a component that is being executed is known as far as it got by now."""
        if id(function) in self._waiting:
            self._demand(function)
        return self._summaries.get(id(function), NOTHING)

    def passing(self, function: Function, position: int | None, holds: bool) -> dict[AccessPath, int]:
        """What holds of a function's parameters where its answer was true (or false)."""
        return self.summary(function).passed.get((position, holds), {})

    # ── what executing needs ────────────────────────────────────────────────────────────────────────────────

    def graph(self, function: Function) -> ControlFlowGraph:
        """The function's flow graph, built once."""
        known = self._graphs.get(id(function))
        if known is None:
            known = self._graphs[id(function)] = ControlFlowGraph(function)
        return known

    def sites(self, function: Function) -> dict[int, Site]:
        """Call sites by the identity of their node."""
        known = self._sites.get(id(function))
        if known is None:
            known = self._sites[id(function)] = {id(site.node): site for site in function.facts.calls}
        return known

    def sent_at(self, node: ir.Call) -> list[Sending]:
        """What a call has run elsewhere."""
        return self._sent_at.get(id(node), [])

    def sinks_at(self, node: ir.Call | ir.Return) -> list[tuple[int, Sink]]:
        """Sinks of a call, with the bits of their kinds."""
        return self._sinks.get(id(node), [])

    def mask(self, kinds: frozenset[str] | None) -> int:
        """The bits of some kinds; of all for None."""
        known = self._masks.get(kinds)
        if known is None:
            known = self._masks[kinds] = self.query.mask(kinds)
        return known

    def is_clean(self, expr: ir.Expr, function: Function) -> bool:
        """The type of an expression is clean."""
        return self.clean_types.is_clean(self.program.inference.type_of(expr, function))

    def is_clean_name(self, name: str, function: Function) -> bool:
        """Whatever is bound to a name is of a clean type."""
        key = (id(function), name)
        known = self._clean_names.get(key)
        if known is None:
            of = self.program.inference.name_type(name, function)
            known = self._clean_names[key] = self.clean_types.is_clean(of)
        return known

    def property_of(self, expr: ir.Attribute, function: Function) -> Function | None:
        """The function behind an attribute that is a property of a class of the program."""
        if expr.attr not in self._function_names:
            return None
        inference = self.program.inference
        for option in options(inference.type_of(expr.value, function)):
            if isinstance(option, Instance) and isinstance(option.cls, Class):
                member = inference.hierarchy.member(option.cls, expr.attr)
                target = member.function if member is not None else None
                if target is not None and target.has_decorator(*_PROPERTIES):
                    return target
        return None

    def captured(self, function: Function) -> frozenset[str]:
        """Names of enclosing functions that an inner function, or one inside it, reads."""
        if not isinstance(function.parent, Function):
            return frozenset()
        known = self._captured.get(id(function))
        if known is None:
            own = function.facts.bindings.keys() - function.facts.is_global.keys()
            read = names_read(function.body)
            for inner in function.functions:
                read |= self.captured(inner)
            outer: set[str] = set()
            scope: Any = function.parent
            while isinstance(scope, Function):
                outer |= self._values_of(scope)
                scope = scope.parent
            known = self._captured[id(function)] = frozenset((read & outer) - own)
        return known

    def _values_of(self, scope: Function) -> frozenset[str]:
        """Names that a function binds to values; one that makes a router has hundreds of inner functions that ask."""
        known = self._bound_values.get(id(scope))
        if known is None:
            bindings = scope.facts.bindings.items()
            known = frozenset(name for name, bound in bindings if bound[0].kind not in _DEFINITIONS)
            self._bound_values[id(scope)] = known
        return known

    # ── paths ───────────────────────────────────────────────────────────────────────────────────────────────

    def _paths(self, relevant: list[Function]) -> tuple[TaintPath, ...]:
        sources: dict[int, list[Source]] = {}
        for source in self.query.sources:
            sources.setdefault(id(source.function), []).append(source)
        found: dict[tuple[int, int], tuple[int, TaintPath]] = {}
        for function in relevant:
            if not (id(function) in sources or id(function) in self._provisions or self._inner_sources):
                continue
            for (label, _), (sink, bits, trace) in self._found_at(function).items():
                for source, path, mask, before in self._origins(function, label, bits, sources, 0):
                    left = mask & ~self.mask(source.safe_at(path[1:]))
                    if not left:
                        continue
                    traces = (*before, *flattened(trace))
                    key = (id(source), id(sink))
                    known = found.get(key)
                    # Of several parts of one request the one that fewest checks have seen, then the shortest way.
                    rank = -left.bit_count(), len(traces)
                    if known is None or rank < (-known[0].bit_count(), len(known[1].traces)):
                        aspects = self._aspects(sink.kind, left)
                        found[key] = left, TaintPath(source, path, sink, traces, aspects)
        return tuple(sorted((each for _, each in found.values()), key=_order))

    def _found_at(self, function: Function) -> dict[tuple[Label, int], tuple[Sink, int, Trace | None]]:
        """Sinks that a function's parameters reach; none of one that was not executed."""
        return self._summaries.get(id(function), NOTHING).sinks

    def _aspects(self, kind: str, mask: int) -> frozenset[str]:
        prefix = f"{kind}."
        return frozenset(
            name.removeprefix(prefix)
            for name, bit in self.bits.items()
            if name.startswith(prefix) and bit & mask
        )

    def _origins(
        self, function: Function, label: Label, bits: int, sources: dict[int, list[Source]], depth: int
    ) -> Iterator[tuple[Source, AccessPath, int, tuple[Trace, ...]]]:
        """Sources that a parameter's access path may come from, with the bits that are left and the way up to it."""
        if is_inner(label):
            source = self._inner_sources[label[:1]]
            yield source, (source.parameter, *label[1:]), bits, ()
            return
        for source in sources.get(id(function), ()):
            if source.parameter == label[0]:
                yield source, label, bits, ()
        if depth > _MAX_PROVISIONS:
            return
        for provision in self._provisions.get(id(function), ()):
            if provision.parameter != label[0]:
                continue
            summary = self.summary(provision.provider)
            value = summary.returns
            if provision.constructs:
                value = summary.leaving.get(provision.provider.parameters[0].name, CLEAN)
            for step in label[1:]:
                value = project(value, step)
            name = provision.provider.owner.name if provision.constructs and provision.provider.owner else ""
            for inner, (mask, trace) in whole(value).items():
                if mask & bits:
                    hop = Trace(
                        "provided",
                        function,
                        function.node,
                        name or provision.provider.name,
                        label[0],
                        None,
                        trace,
                    )
                    for source, path, left, before in self._origins(
                        provision.provider, inner, mask & bits, sources, depth + 1
                    ):
                        yield source, path, left, (*before, *flattened(hop))


_DEFINITIONS = ("function", "class", "import", "from")
_PROPERTIES = ("property", "cached_property", "hybrid_property")


def _lines(function: Function) -> int:
    return span.end_line_of(function.node.span) - span.line_of(function.node.span)


def _order(path: TaintPath) -> tuple[Any, ...]:
    sink = path.sink.scope.location(path.sink.node)
    start = path.source.function.location()
    return sink, start, path.source.parameter, path.path


def names_read(body: Sequence[ir.Node]) -> set[str]:
    """Every name in some statements or expressions; the bodies of inner functions are not looked into."""
    found: set[str] = set()
    stack: list[Any] = list(body)
    while stack:
        current = stack.pop()
        if current.__class__ is list:
            stack += current
        elif current.__class__ is ir.Name:
            found.add(current.id)
        elif isinstance(current, ir.Node):
            stack += [getattr(current, name) for name in current.__struct_fields__ if name != "span"]
    return found
