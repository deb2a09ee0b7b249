"""What the persona does with a project: questions to the workbench, each answer kept as evidence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from fastapi_architect.builder.project import Project, read_project
from fastapi_architect.persona.evidence import Evidence, Weakness, of_findings, of_operations
from fastapi_architect.persona.pending import Pending
from fastapi_architect.persona.plans import Planned, plan
from fastapi_architect.persona.redaction import ABOUT_SECRETS, Redaction, of_project
from fastapi_architect.persona.replies.imports import import_lines
from fastapi_architect.review import pipeline
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.workbench.explain_rule import RulePage, explain_rule
from fastapi_architect.workbench.fix import Patch, fix
from fastapi_architect.workbench.map_backend import MapPage, map_backend
from fastapi_architect.workbench.paging import MAX_LIMIT
from fastapi_architect.workbench.review import ReviewPage, review
from fastapi_architect.workbench.workspace import Workspace

#: A finding as the JSON report has it; a row of the authorisation matrix.
Document = dict[str, Any]

Only = Callable[[Document], bool]

#: Beyond this many findings nobody reads, and the first are the gravest.
_MAX_FINDINGS = 1_000


class Found(msgspec.Struct, frozen=True):
    """A review of which every finding is at hand, gravest first."""

    page: ReviewPage
    findings: tuple[Document, ...]


class Hands:
    """Asks the workbench for one conversation.

    Attributes:
        workspace: the project.
        evidence: what was answered so far.
        pending: changes that were planned and wait for a yes.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.evidence = Evidence(root=workspace.root)
        self.pending = Pending()
        self._planned: dict[tuple[str, ...], Planned] = {}

    def review(self, select: Iterable[str] = (), path: str = ".", *, only: Only | None = None) -> Found:
        """Findings of some topics, certain and firm ones.

        Args:
            select: topics, categories or rules; empty for all.
            path: folder or file.
            only: those that are asked about; what it leaves out is neither shown nor evidence.

        Raises:
            WorkbenchError: as `review` of the workbench.
        """
        chosen = tuple(select)
        pages = [review(self.workspace, path, select=chosen, detail="full", limit=MAX_LIMIT)]
        while (cursor := pages[-1].next) is not None and cursor < _MAX_FINDINGS:
            pages.append(
                review(self.workspace, path, select=chosen, detail="full", limit=MAX_LIMIT, cursor=cursor)
            )
        findings = tuple(each for page in pages for each in page.findings if only is None or only(each))
        self.learn(of_findings(self.workspace.root, findings))
        return Found(pages[0], findings)

    @functools.cached_property
    def project(self) -> Project:
        """The program, read once.

        Raises:
            WorkbenchError: the configuration has no meaning.
        """
        with self.workspace.reading():
            return read_project(self.workspace.root, self.workspace.config(self.workspace.root))

    @functools.cached_property
    def redaction(self) -> Redaction:
        """Knows the secrets of the project; what a configuration silences counts, too.

        Raises:
            WorkbenchError: the configuration has no meaning.
        """
        names = tuple(name for name, rule in all_rules().items() if rule.info.cwe in ABOUT_SECRETS)
        tree = self.project.graph.tree
        with self.workspace.reading():
            config = replace(self.workspace.config(self.workspace.root), select=names, ignore=(), per_path=())
            found = pipeline.review(pipeline.Request(self.workspace.root, config, within=self.workspace.root))
        findings = (*found.findings, *(each.finding for each in found.suppressed))
        return of_project(tree, self.project.graph, findings)

    @functools.cached_property
    def imports(self) -> dict[str, str]:
        """Name to the line that imports it here."""
        return import_lines(self.project)

    @functools.cached_property
    def map(self) -> MapPage:
        """Every operation on one page."""
        pages = [map_backend(self.workspace, limit=MAX_LIMIT)]
        while (cursor := pages[-1].next) is not None:
            pages.append(map_backend(self.workspace, limit=MAX_LIMIT, cursor=cursor))
        self.learn(of_operations(each for page in pages for each in page.operations))
        return MapPage(
            folder=pages[0].folder,
            applications=pages[0].applications,
            total=pages[0].total,
            operations=tuple(each for page in pages for each in page.operations),
            unresolved=pages[0].unresolved,
            next=None,
        )

    @property
    def operations(self) -> tuple[Document, ...]:
        """Rows of the authorisation matrix."""
        return self.map.operations

    @property
    def is_empty(self) -> bool:
        """There is no application here."""
        return not self.map.applications and not self.operations

    def explain(self, rule: str) -> RulePage:
        """The page of a rule.

        Raises:
            WorkbenchError: there is none.
        """
        page = explain_rule(rule)
        self.learn(
            Evidence(
                weaknesses=(
                    Weakness(
                        page.rule, page.cwe or "", page.cvss_score, page.cvss_vector or "", page.category
                    ),
                )
            )
        )
        return page

    def fix(self, path: str = ".", select: Iterable[str] = ()) -> Patch:
        """The safe fixes as a patch; nothing is written.

        Raises:
            WorkbenchError: as `fix` of the workbench.
        """
        return fix(self.workspace, path, select=tuple(select))

    def plan(self, components: Iterable[str]) -> Planned:
        """What adding components would do, or why it cannot be done."""
        names = tuple(components)
        if names in self._planned:
            return self._planned[names]
        planned = self._planned[names] = plan(self.project, names)
        resolved = (all_rules()[name].info for name in planned.resolves if name in all_rules())
        self.learn(
            Evidence(
                planned=planned.paths,
                weaknesses=tuple(
                    Weakness(info.name, f"CWE-{info.cwe}" if info.cwe else "", category=info.category.value)
                    for info in resolved
                ),
            )
        )
        return planned

    def learn(self, evidence: Evidence) -> None:
        """Add what a tool said."""
        self.evidence = self.evidence.and_(evidence)
