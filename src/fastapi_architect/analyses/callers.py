"""Where is a function run? Calls, and what runs it without a call: constructors, `with`, properties,
decorators.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.program.definitions import Class, Function, Scope, all_functions, last_name
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import FunctionRef, Instance, Partial, Type, options
from fastapi_architect.syntax import ir

_PROPERTIES = ("property", "cached_property")
_ENTERS = ("__enter__", "__exit__", "__aenter__", "__aexit__")
#: A property whose name stands in more modules than this is not looked for.
_MAX_MODULES = 60
#: What runs a generator where it is called.
_CONSUMERS = frozenset(
    [
        "list",
        "tuple",
        "set",
        "dict",
        "frozenset",
        "sorted",
        "next",
        "sum",
        "any",
        "all",
        "min",
        "max",
        "join",
        "extend",
        "update",
        "enumerate",
        "zip",
        "reversed",
    ]
)


def calls_inside(expr: ir.Expr | None) -> Iterator[ir.Call]:
    """A call and the calls among its arguments, at any depth: those inside `run(gather(a(), b()))`."""
    stack = [expr]
    while stack:
        current = stack.pop()
        if current.__class__ is ir.Call:
            yield current
            stack += current.args
            stack += [k.value for k in current.keywords]
        elif current.__class__ is ir.Starred:
            stack.append(current.value)
        elif current.__class__ is ir.Sequence:
            stack += current.elts
        elif current.__class__ is ir.Comprehension:
            stack.append(current.elt)


class Callers:
    """Answers for one graph, kept by function."""

    def __init__(self, graph: AppGraph) -> None:
        self._program = graph.program
        self._sites: dict[int, tuple[Site, ...]] = {}

    def sites(self, function: Function) -> tuple[Site, ...]:
        """Places that run the body of `function`: calls, and for a property the places that read it.

        A function that is only referenced (handed to a thread, a pool, an executor) is not run there.
        """
        key = id(function)
        if key not in self._sites:
            self._sites[key] = tuple(self._find(function))
        return self._sites[key]

    def _find(self, function: Function) -> Iterator[Site]:
        if function.owner is not None and any(function.has_decorator(name) for name in _PROPERTIES):
            yield from self._reads(function)
            return
        if function.owner is not None and function.name in _ENTERS:
            yield from (
                s for s in self._constructions(function.owner) if s.context.inside("with-item") is not None
            )
            return
        manager = function.has_decorator("contextmanager")
        for site in self._program.calls.callers(function):
            if site.context.inside("lambda") is not None:
                continue
            if (
                function.is_async
                or not function.is_generator
                or (site.context.role == "with-item" if manager else self._consumed(site))
            ):
                yield site

    def _constructions(self, cls: Class) -> Iterator[Site]:
        for each in (cls, *self._program.inference.hierarchy.subclasses(cls)):
            for site in self._program.call_sites_named(each.name):
                for of in options(self._program.inference.type_of(site.node, site.scope)):
                    if isinstance(of, Instance) and of.cls is each:
                        yield site

    def _consumed(self, site: Site) -> bool:
        """A generator that is called here also runs here: looped over, or given to `list`, `next` ..."""
        if site.context.role == "iter":
            return True
        facts = site.scope.facts
        if any(y.node.is_from and y.node.value is site.node for y in facts.sites(ir.Yield)):
            return True
        return any(site.node is given for each in facts.calls_named(*_CONSUMERS) for given in each.node.args)

    def _reads(self, function: Function) -> Iterator[Site]:
        modules = self._program.mentioning(function.name)
        if len(modules) > _MAX_MODULES:
            return
        inference = self._program.inference
        for module in modules:
            for scope in all_functions(module):
                for site in scope.facts.sites(ir.Attribute):
                    if site.node.attr != function.name or site.context.inside("lambda") is not None:
                        continue
                    for of in options(inference.type_of(site.node.value, scope)):
                        if isinstance(of, Instance) and isinstance(of.cls, Class):
                            member = inference.hierarchy.member(of.cls, function.name)
                            if member is not None and member.function is function:
                                yield site
                                break

    # ── functions as values
    # ──────────────────────────────────────────────────────────────────────────────────

    def functions_of(self, expr: ir.Expr, scope: Scope) -> list[Function]:
        """Functions of the program that an expression refers to, `partial(...)` looked through."""
        found = []
        for of in options(self._program.inference.type_of(expr, scope)):
            found += self._referred(of)
        return found

    def _referred(self, of: Type) -> list[Function]:
        if isinstance(of, Partial):
            return self._referred(of.target)
        if isinstance(of, FunctionRef | Instance):
            return self._program.calls.functions_behind(of)
        return []

    # ── decorators
    # ───────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _decorated(self) -> dict[str, list[Function]]:
        index: dict[str, list[Function]] = {}
        for function in self._program.functions:
            for decorator in function.node.decorators:
                name = last_name(decorator.func if decorator.__class__ is ir.Call else decorator)
                if name:
                    index.setdefault(name, []).append(function)
        return index

    def decorated_by(self, wrapper: Function) -> list[Function]:
        """Functions in whose place `wrapper` runs, because a decorator on them returns it."""
        outer = wrapper.parent
        if not isinstance(outer, Function):
            return []
        while isinstance(outer.parent, Function):
            outer = outer.parent
        found = []
        for function in self._decorated.get(outer.name, ()):
            for decorator in function.node.decorators:
                expr = decorator.func if decorator.__class__ is ir.Call else decorator
                if last_name(expr) == outer.name and self._is(
                    expr, function.parent or function.module, outer
                ):
                    found.append(function)
                    break
        return found

    def _is(self, expr: ir.Expr, scope: Scope, function: Function) -> bool:
        types = options(self._program.inference.type_of(expr, scope))
        return any(isinstance(of, FunctionRef) and of.function is function for of in types)
