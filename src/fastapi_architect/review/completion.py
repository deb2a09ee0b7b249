"""What the review adds to a rule's finding: routes, access, severity, CVSS, application, fingerprint."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from fastapi_architect.analyses.opt_in_operations import is_opt_in
from fastapi_architect.analyses.served_modules import is_script
from fastapi_architect.analyses.source_text import lines_of
from fastapi_architect.analyses.stand_ins import is_stand_in
from fastapi_architect.appgraph.applications import Application
from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.findings import cvss, fingerprint
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Category, Confidence
from fastapi_architect.program.definitions import Function


def lines_between(graph: AppGraph, path: str, first: int, last: int) -> list[str]:
    """Lines `first` to `last` of a file, both from 1 and included; none when it cannot be read."""
    return lines_of(graph, path)[max(first - 1, 0) : last]


def complete(findings: Iterable[Finding], graph: AppGraph) -> list[Finding]:
    """Every finding with its context, severity and CVSS; fingerprints come last, over all of them together."""
    known = _Operations(graph)
    completed = [_in_context(finding, graph, known) for finding in findings]
    unique = list({(f.rule.name, f.location, f.issue): f for f in completed}.values())
    unique.sort(key=lambda f: (f.location, f.rule.name, f.issue))
    places = [
        fingerprint.Place(
            f.rule.name,
            f.location.path,
            f.location.line,
            f.symbol,
            "\n".join(
                lines_between(graph, f.location.path, f.location.line, f.location.end_line or f.location.line)
            ),
            f.location.column,
        )
        for f in unique
    ]
    prints = fingerprint.fingerprints(places)
    return [replace(f, fingerprint=each) for f, each in zip(unique, prints, strict=True)]


class _Behind(msgspec.Struct, frozen=True):
    """What findings at the same place, or on the same routes, have in common.

    Attributes:
        access: label of the weakest guard; None without operations.
        routes: names of the operations, sorted.
        applications: those that the operations belong to.
        operations: the operations themselves.
    """

    access: str | None
    routes: tuple[str, ...]
    applications: tuple[Application, ...]
    operations: tuple[PathOperation, ...]


class _Operations:
    """The operations behind findings. Hundreds of findings stand in functions that hundreds of operations reach."""

    def __init__(self, graph: AppGraph) -> None:
        self._graph = graph
        self._by_name = {name: operation for operation in graph.operations for name in operation.names}
        self._behind: dict[tuple[int, ...], _Behind] = {}

    def of(self, finding: Finding) -> _Behind:
        """What is known about the operations that a finding is about."""
        operations: Iterable[PathOperation]
        operations = [self._by_name[name] for name in finding.routes if name in self._by_name]
        if not operations and not finding.routes:
            operations = _operations_behind(finding, self._graph)
        key = tuple(map(id, operations))
        if key not in self._behind:
            self._behind[key] = self._common(operations)
        return self._behind[key]

    def _common(self, operations: Iterable[PathOperation]) -> _Behind:
        access = min((self._graph.access(each).level for each in operations), default=None)
        owners = {id(a): a for a in map(self._graph.application_of, operations)}
        return _Behind(
            access.label if access is not None else None,
            tuple(sorted({name for each in operations for name in each.names})),
            tuple(owners.values()),
            tuple(operations),
        )


#: What strangers exhaust or are told too much by (CWE): it needs them to find the operation.
_ASKED_TOO_OFTEN = frozenset({200, 209, 400, 401, 405, 497, 770, 789, 1049, 1050, 1073})


def _is_opt_in(finding: Finding, behind: _Behind, graph: AppGraph) -> bool:
    """It costs something at every request, and only for operations that somebody has to switch on."""
    rule = finding.rule
    if rule.category is not Category.PERFORMANCE and rule.cwe not in _ASKED_TOO_OFTEN:
        return False
    return bool(behind.operations) and all(is_opt_in(each, graph) for each in behind.operations)


def _is_stand_in(finding: Finding, graph: AppGraph) -> bool:
    """It costs time in code that only stands in for the real thing."""
    if finding.rule.category not in (Category.PERFORMANCE, Category.ASYNC_PATTERNS):
        return False
    scope = graph.program.symbol(finding.symbol)
    return isinstance(scope, Function) and is_stand_in(graph, scope)


#: A credential that is written down (CWE) leaks with the repository, whoever runs the file.
_LEAKS_UNRUN = 798


def _is_in_script(finding: Finding, graph: AppGraph) -> bool:
    """It shows something to whoever runs a script by hand: no client of the application sees it."""
    if finding.rule.topic != "exposure" or finding.rule.cwe == _LEAKS_UNRUN:
        return False
    module = graph.program.modules.get(finding.location.path)
    return module is not None and is_script(module, graph)


def _is_weighed_less(finding: Finding, behind: _Behind, graph: AppGraph) -> bool:
    """Where it stands, it takes a developer to reach it."""
    return _is_opt_in(finding, behind, graph) or _is_stand_in(finding, graph) or _is_in_script(finding, graph)


def _in_context(finding: Finding, graph: AppGraph, known: _Operations) -> Finding:
    behind = known.of(finding)
    context = finding.context
    if context.access is None and behind.access is not None:
        context = replace(context, access=behind.access)
    if graph.project.exposure == "internal" and context.network == "network":
        context = replace(context, network="adjacent")
    routes = finding.routes or behind.routes
    application = _application(finding, behind.applications, graph)
    finding = replace(finding, context=context, routes=routes, application=application)
    if finding.confidence is not Confidence.TENTATIVE and _is_weighed_less(finding, behind, graph):
        finding = replace(finding, confidence=Confidence.TENTATIVE)
    if finding.rule.cvss_vector is None:
        return replace(finding, severity=cvss.severity_for(finding.severity, None, context))
    adjusted = cvss.adjust(finding.rule.cvss_vector, context)
    return replace(
        finding,
        severity=cvss.severity_for(finding.severity, adjusted.score, context),
        cvss_score=adjusted.score,
        cvss_vector=adjusted.vector,
        cvss_notes=adjusted.notes,
    )


def _operations_behind(finding: Finding, graph: AppGraph) -> tuple[PathOperation, ...]:
    """Operations that reach the function a finding stands in; only where it changes a score or a reader's mind."""
    if finding.rule.category not in (
        Category.SECURITY,
        Category.ASYNC_PATTERNS,
        Category.PERFORMANCE,
        Category.DATABASE,
    ):
        return ()
    scope = graph.program.symbol(finding.symbol)
    return graph.entries(scope) if isinstance(scope, Function) else ()


def _application(finding: Finding, owners: tuple[Application, ...], graph: AppGraph) -> str:
    if not owners:
        path = finding.location.path
        owners = tuple(a for a in graph.applications if a.root and path.startswith(f"{a.root}/"))
    if len(owners) != 1:
        return ""
    application = owners[0]
    return f"{application.module_path}:{application.name}"
