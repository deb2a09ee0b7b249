"""What the review adds to a rule's finding: routes, access, severity, CVSS, application, fingerprint."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fastapi_architect.appgraph.graph import AppGraph
from fastapi_architect.appgraph.path_operations import PathOperation
from fastapi_architect.findings import cvss, fingerprint
from fastapi_architect.findings.finding import Finding
from fastapi_architect.findings.severity import Category
from fastapi_architect.program.definitions import Function
from fastapi_architect.source.decode import decode
from fastapi_architect.source.tree import SourceTree, Unreadable


class Texts:
    """Lines of files, each read and decoded once."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._lines: dict[str, list[str]] = {}

    def lines(self, path: str) -> list[str]:
        """The file's lines; none when it cannot be read."""
        if path not in self._lines:
            data = self._tree.read(path)
            self._lines[path] = [] if isinstance(data, Unreadable) else decode(data).text.split("\n")
        return self._lines[path]

    def between(self, path: str, first: int, last: int) -> tuple[str, ...]:
        """Lines `first` to `last`, both from 1 and included."""
        return tuple(self.lines(path)[max(first - 1, 0) : last])


def complete(findings: Iterable[Finding], graph: AppGraph, texts: Texts) -> list[Finding]:
    """Every finding with its context, severity and CVSS; fingerprints come last, over all of them together."""
    by_name = {name: operation for operation in graph.operations for name in operation.names}
    completed = [_in_context(finding, graph, by_name) for finding in findings]
    unique = list({(f.rule.name, f.location, f.issue): f for f in completed}.values())
    unique.sort(key=lambda f: (f.location, f.rule.name, f.issue))
    places = [
        fingerprint.Place(
            f.rule.name,
            f.location.path,
            f.location.line,
            f.symbol,
            "\n".join(
                texts.between(f.location.path, f.location.line, f.location.end_line or f.location.line)
            ),
            f.location.column,
        )
        for f in unique
    ]
    prints = fingerprint.fingerprints(places)
    return [replace(f, fingerprint=each) for f, each in zip(unique, prints, strict=True)]


def _in_context(finding: Finding, graph: AppGraph, by_name: dict[str, PathOperation]) -> Finding:
    operations = [by_name[name] for name in finding.routes if name in by_name]
    if not operations and not finding.routes:
        operations = _operations_behind(finding, graph)
    context = finding.context
    if context.access is None and operations:
        access = min(graph.access(operation).level for operation in operations)
        context = replace(context, access=access.label)
    if graph.project.exposure == "internal" and context.network == "network":
        context = replace(context, network="adjacent")
    routes = finding.routes or tuple(sorted({name for o in operations for name in o.names}))
    application = _application(finding, operations, graph)
    finding = replace(finding, context=context, routes=routes, application=application)
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


def _operations_behind(finding: Finding, graph: AppGraph) -> list[PathOperation]:
    """Operations that reach the function a finding stands in; only where it changes a score or a reader's mind."""
    if finding.rule.category not in (
        Category.SECURITY,
        Category.ASYNC_PATTERNS,
        Category.PERFORMANCE,
        Category.DATABASE,
    ):
        return []
    scope = graph.program.symbol(finding.symbol)
    return list(graph.entries(scope)) if isinstance(scope, Function) else []


def _application(finding: Finding, operations: list[PathOperation], graph: AppGraph) -> str:
    owners = {id(a): a for a in (graph.application_of(o) for o in operations)}
    if not owners:
        path = finding.location.path
        owners = {id(a): a for a in graph.applications if a.root and path.startswith(f"{a.root}/")}
    if len(owners) != 1:
        return ""
    application = next(iter(owners.values()))
    return f"{application.module_path}:{application.name}"
