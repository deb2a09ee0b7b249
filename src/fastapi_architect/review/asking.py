"""Rules meet the graph: each check is called once for each of its units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.background import Task
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.migrations import MigrationHistory, Revision
from fastapi_architect.appgraph.models import Model
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.appgraph.schemas import Schema
from fastapi_architect.appgraph.settings import SettingsClass
from fastapi_architect.concepts.concept import Concept
from fastapi_architect.findings.finding import Finding
from fastapi_architect.program.definitions import Class, Function, Module
from fastapi_architect.rules.kit import CheckSpec, Rule

if TYPE_CHECKING:
    from fastapi_architect.review.clock import Clock
    from fastapi_architect.review.reading import Progress

#: Class of a unit to the question that lists them. A new kind of unit is one line here.
UNITS: dict[type, Callable[[AppGraph], Iterable[Any]]] = {
    AppGraph: lambda graph: (graph,),
    Application: lambda graph: graph.applications,
    PathOperation: lambda graph: graph.operations,
    Function: lambda graph: graph.program.functions,
    Class: lambda graph: graph.program.classes,
    Module: lambda graph: graph.program.modules.values(),
    Model: lambda graph: graph.models,
    Schema: lambda graph: graph.schemas,
    MigrationHistory: lambda graph: graph.migrations,
    Revision: lambda graph: graph.revisions,
    Task: lambda graph: graph.tasks,
    SettingsClass: lambda graph: graph.settings.classes,
}


class RuleFailed(Exception):
    """A rule raised: a fault of this tool, never of the reviewed code."""

    def __init__(self, rule: str, unit: object) -> None:
        super().__init__(f"the rule {rule} failed on {_named(unit)}")
        self.rule = rule


def _named(unit: object) -> str:
    """A unit's name for a message: its representation would print half the graph, with addresses."""
    name = getattr(unit, "full_name", None) or getattr(unit, "name", None) or ""
    if isinstance(unit, PathOperation):
        name = str(unit)
    return f"{type(unit).__name__} {name}".rstrip()


def units(spec: CheckSpec, graph: AppGraph) -> Iterable[Any]:
    """The units of a check."""
    if issubclass(spec.per, Concept):
        return graph.facts(spec.per)
    if spec.having:
        wanted: set[int] = set()
        for concept in spec.having:
            wanted |= set(graph.scopes_with(concept))
        return [unit for unit in UNITS[spec.per](graph) if id(unit) in wanted]
    return UNITS[spec.per](graph)


def ask(
    rules: Iterable[Rule],
    graph: AppGraph,
    clock: Clock | None = None,
    faults: list[RuleFailed] | None = None,
    progress: Progress | None = None,
) -> list[Finding]:
    """Findings of every rule, in order of rules.

    Args:
        clock: told which rule is asked.
        faults: receives what raised, so that one faulty rule does not cost the others' findings.
        progress: told how many rules have been asked.

    Raises:
        RuleFailed: a check raised and `faults` is None; the cause is attached.
    """
    found: list[Finding] = []
    asked = list(rules)
    for number, rule in enumerate(asked):
        if progress is not None:
            progress("asking rules", number, len(asked))
        with clock.asking(rule.name) if clock is not None else nullcontext():
            found += _ask(rule, graph, faults)
    return found


def _ask(rule: Rule, graph: AppGraph, faults: list[RuleFailed] | None) -> list[Finding]:
    found: list[Finding] = []
    for spec in rule.checks:
        for unit in units(spec, graph):
            try:
                found += list(spec.function(unit, graph))
            except Exception as error:
                fault = RuleFailed(rule.name, unit)
                fault.__cause__ = error
                if faults is None:
                    raise fault from error
                faults.append(fault)
    return found
