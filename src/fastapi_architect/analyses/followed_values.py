"""Which expressions does a name stand for? Followed through assignments, parameters and calls, backwards.

An expression is read at a *place*: a body together with the calls by which it was entered. A parameter then means what
the last of these calls hands over, and not what every caller does.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.question import question_about
from fastapi_architect.program.call_arguments import argument
from fastapi_architect.program.definitions import Binding, Class, Function, Scope
from fastapi_architect.program.facts import Site
from fastapi_architect.program.types import FunctionRef, Instance, options
from fastapi_architect.syntax import ir

#: A parameter with more call sites than this is looked at in the first ones.
_MAX_CALLERS = 8
#: Calls that one expression is followed through.
MAX_CALLS = 6


class Place(msgspec.Struct, frozen=True):
    """A body, and the calls by which it was entered, the nearest last."""

    scope: Scope
    calls: tuple[Site, ...] = ()

    def inside(self, function: Function, call: Site) -> Place:
        """The body of a function that is called here."""
        return Place(function, (*self.calls, call))


class Followed(msgspec.Struct, frozen=True, eq=False):
    """What a name stands for: an expression, where it is read, and how it is bound.

    Attributes:
        expr: the expression; for a loop what is looped over.
        place: where it is read.
        element: the name is one of what the expression holds.
        path: positions by which the value is taken apart.
    """

    expr: ir.Expr
    place: Place
    element: bool = False
    path: tuple[int, ...] = ()


def followed(graph: AppGraph, name: str, place: Place) -> tuple[list[Followed], bool]:
    """What a name may stand for, and whether that is all of it."""
    found = graph.program.inference.lookup(name, place.scope)
    if found is None:
        return [], False
    owner, bindings = found
    there = place if owner is place.scope else Place(owner)
    values: list[Followed] = []
    complete = True
    for binding in bindings:
        of = list(
            _imported(graph, name, there) if binding.kind == "from" else _of_binding(graph, binding, there)
        )
        values += of
        complete = complete and (bool(of) or _binds_nothing(binding))
    return values, complete


def _binds_nothing(binding: Binding) -> bool:
    """`found = None`, `del found`."""
    return binding.kind in ("delete", "augmented")


def _of_binding(graph: AppGraph, binding: Binding, place: Place) -> Iterator[Followed]:
    kind, value = binding.kind, binding.value
    if kind in ("assign", "annotated", "walrus") and value is not None:
        yield Followed(value, place, path=binding.path)
    elif kind in ("loop", "comprehension") and value is not None:
        yield Followed(value, place, element=True, path=binding.path)
    elif kind == "parameter" and isinstance(binding.node, ir.Param) and isinstance(place.scope, Function):
        for expr, there in handed(graph, binding.node, place.scope, place):
            yield Followed(expr, there)


def _imported(graph: AppGraph, name: str, place: Place) -> Iterator[Followed]:
    """What another module binds the name to."""
    found = graph.program.inference.bindings_of(ir.Name(0, name), place.scope)
    if found is not None and found[1][-1].value is not None:
        yield Followed(found[1][-1].value, Place(found[0]), path=found[1][-1].path)


def handed(
    graph: AppGraph, param: ir.Param, function: Function, place: Place
) -> Iterator[tuple[ir.Expr, Place]]:
    """What a parameter receives: from the call by which its function was entered, else from every call of it."""
    calls = place.calls[-1:] or callers(graph, function)[:_MAX_CALLERS]
    before = place.calls[:-1]
    if function.is_method and function.parameters[0] is param:
        yield from (
            (owner, Place(site.scope, before)) for site in calls if (owner := receiver(site)) is not None
        )
        return
    for site in calls if param.kind != "kwarg" else ():
        if param.kind == "vararg":
            first = function.parameters.index(param) - (1 if is_bound(function, site) else 0)
            yield from ((given, Place(site.scope, before)) for given in site.node.args[first:])
            continue
        given = _argument(param, function, site)
        if given is not None:
            yield given, Place(site.scope, before)
        elif param.default is not None:
            yield param.default, Place(function.parent or function.module)


def receiver(site: Site) -> ir.Expr | None:
    """`order` in `order.total()` and, for a property, in `order.total`."""
    node = site.node.func if isinstance(site.node, ir.Call) else site.node
    return node.value if isinstance(node, ir.Attribute) else None


def _argument(param: ir.Param, function: Function, site: Site) -> ir.Expr | None:
    position = function.parameters.index(param) - (1 if is_bound(function, site) else 0)
    return argument(site.node, position if param.kind in ("posonly", "normal") else None, param.name)


def is_bound(function: Function, site: Site) -> bool:
    """The first parameter is not among the arguments: `repository.find(1)`, `Repository(session)`."""
    return function.is_method and not function.has_decorator("staticmethod") and (
        function.name == "__init__" or isinstance(site.node.func, ir.Attribute)
    )  # fmt: skip


def callers(graph: AppGraph, function: Function) -> tuple[Site, ...]:
    """Calls of a function outside tests."""
    return tuple(s for s in graph.program.calls.callers(function) if s.scope.module.kind == "source")


@question_about
def sites_of_calls(graph: AppGraph, scope: Scope) -> dict[int, Site]:
    """Call sites of a body by the identity of the call."""
    del graph
    return {id(site.node): site for site in scope.facts.calls}


@question_about
def returned(graph: AppGraph, function: Function) -> tuple[Site, ...]:
    """What a function gives: its `return`s with a value, or what it yields when it is a generator."""
    del graph
    kind: type[ir.Node] = ir.Yield if function.is_generator else ir.Return
    return tuple(s for s in function.facts.sites(kind) if s.node.value is not None)


def called_functions(graph: AppGraph, call: ir.Call, place: Place) -> list[tuple[Function, Place]]:
    """Functions of the program that a call runs, each with the place that its body is then read at."""
    site = sites_of_calls(graph, place.scope).get(id(call))
    if site is None or len(place.calls) >= MAX_CALLS:
        return []
    entered = {id(each.node) for each in place.calls}
    if id(call) in entered:
        return []
    return [(function, place.inside(function, site)) for function in graph.program.calls.targets(site)]


def provider_of(graph: AppGraph, param: ir.Param, function: Function) -> list[Function]:
    """Functions whose result FastAPI puts into a parameter: `book: Annotated[Book, Depends(get_book)]`."""
    outer = function.parent or function.module
    inference = graph.program.inference
    found = []
    for expr, scope in _injections(graph, param, outer):
        provider = inference.signatures.injected_provider(expr, scope)
        for of in options(inference.type_of(provider, scope)):
            if isinstance(of, FunctionRef | Instance):
                found += graph.program.calls.functions_behind(of)
    return found


def _injections(graph: AppGraph, param: ir.Param, scope: Scope) -> Iterator[tuple[ir.Expr, Scope]]:
    """The default of a parameter and what stands in its `Annotated[...]`."""
    if param.default is not None:
        yield param.default, scope
    if param.annotation is None:
        return
    written, where = graph.program.inference.expand(param.annotation, scope)
    if isinstance(written, ir.Subscript) and isinstance(written.slice, ir.Sequence):
        for part in written.slice.elts[1:]:
            yield part, where


def attribute_values(graph: AppGraph, expr: ir.Attribute, place: Place) -> list[Followed]:
    """What methods assign to `self.name`, or what the class's body binds it to."""
    inference = graph.program.inference
    found: list[Followed] = []
    for of in options(inference.type_of(expr.value, place.scope)):
        cls = getattr(of, "cls", None)
        if isinstance(cls, Class):
            assigned = inference.attribute_assignments(cls, expr.attr)
            found += [Followed(value, Place(method)) for value, method in assigned if value is not None]
    if not found:
        bound = inference.bindings_of(expr, place.scope)
        if bound is not None and bound[1] and bound[1][-1].value is not None:
            found.append(Followed(bound[1][-1].value, Place(bound[0]), path=bound[1][-1].path))
    return found
