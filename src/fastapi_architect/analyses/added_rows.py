"""Which rows does a function add, itself or through what it calls?"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fastapi_architect.analyses.session_acts import Act, is_model_made, session_acts, written_model
from fastapi_architect.analyses.session_flow import session_flow
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.question import question
from fastapi_architect.concepts.database import SessionAdd
from fastapi_architect.program.definitions import Function
from fastapi_architect.program.facts import Site
from fastapi_architect.syntax import ir


class AddedRow(msgspec.Struct, frozen=True, eq=False):
    """A row that is added, as seen from the function that leads to it.

    Attributes:
        site: in that function: the `session.add`, or the call that leads to it.
        add: the `session.add` itself.
        model: what is added.
    """

    site: Site
    add: Act
    model: Model


@question
def _models_by_name(graph: AppGraph) -> dict[str, Model]:
    return {model.cls.name: model for model in graph.models}


def added_rows(function: Function, graph: AppGraph) -> Iterator[AddedRow]:
    """Rows that the function adds, itself or through what it calls, in the order of its body."""
    flow = session_flow(graph)
    for act in session_acts(graph).of(function):
        found = [act] if act.kind == "write" else []
        for target in act.targets if act.kind == "call" else ():
            summary = flow.summary(target)
            found += [pending.trace.act for pending in summary.pending]
            found += [trace.act for trace, _ in summary.committed]
        for each in found:
            if isinstance(each.concept, SessionAdd) and each.concept.kind == "add":
                model = _models_by_name(graph).get(written_model(graph, each))
                if model is not None:
                    yield AddedRow(act.site, each, model)


def is_made(added: AddedRow, graph: AppGraph) -> bool:
    """The row is made where it is added, so that it is new: `session.add(row)` is also said of rows that were changed."""
    concept, function = added.add.concept, added.add.site.scope
    made = concept.instance if isinstance(concept, SessionAdd) else None
    if not isinstance(function, Function):
        return False
    if isinstance(made, ir.Name):
        bound = function.facts.bindings.get(made.id, ())
        return any(is_model_made(graph, function, binding.value) for binding in bound)
    return is_model_made(graph, function, made)
