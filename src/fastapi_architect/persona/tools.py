"""The workbench as a model calls it: small questions with small answers, each kept as evidence, none of which writes.

What a tool answers quotes the project and is data: it is fenced off, and said to be.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Literal

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.persona.evidence import of_findings, of_operations
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.pending import Change
from fastapi_architect.workbench.errors import WorkbenchError
from fastapi_architect.workbench.fix import fix
from fastapi_architect.workbench.map_backend import map_backend
from fastapi_architect.workbench.review import review
from fastapi_architect.workbench.show_route import show_route

#: Characters of one answer; a larger one is cut, and says so.
_ROOM = 40_000
OPENING, CLOSING = "<project-data>", "</project-data>"


class Tools:
    """The hands of a model for one conversation.

    Attributes:
        hands: asks the workbench, and keeps what it said as evidence.
        called: names of the tools that were called, in order.
    """

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.called: list[str] = []

    def all(self) -> tuple[Callable[..., str], ...]:
        """Every tool."""
        return (
            self.review,
            self.explain_rule,
            self.map_backend,
            self.show_route,
            self.fix,
            self.plan_component,
            self.plan_new_service,
        )

    def review(
        self,
        path: str = ".",
        select: list[str] | None = None,
        severity: Literal["critical", "important", "minor", "info"] = "minor",
        detail: Literal["short", "full"] = "full",
        cursor: int = 0,
        limit: int = 10,
    ) -> str:
        """Review the backend, or one file of it: findings with file, line, rule, CWE, CVSS, exploit and fix, most severe first.

        Args:
            path: folder or Python file, relative to the project.
            select: only these categories, topics or rules, such as security, authentication, performance, database.
            severity: lowest severity to list.
            detail: full has reasoning, exploit, trace and fix, too.
            cursor: `next` of the page before; 0 for the first page.
            limit: findings of a page, at most 100.
        """

        def asked() -> Any:
            page = review(
                self.hands.workspace,
                path,
                select=tuple(select or ()),
                severity=severity,
                detail=detail,
                cursor=cursor,
                limit=limit,
            )
            self.hands.learn(of_findings(self.hands.workspace.root, page.findings))
            return page

        return self._answer("review", asked)

    def explain_rule(self, rule: str) -> str:
        """Why a rule matters: what goes wrong, how it is exploited, bad and good code.

        Args:
            rule: its name, such as sql-injection-raw-statement.
        """
        return self._answer("explain_rule", lambda: self.hands.explain(rule))

    def map_backend(
        self, route: str = "", without_authentication: bool = False, cursor: int = 0, limit: int = 25
    ) -> str:
        """Every route with its guards, inputs, tables, queries, outbound calls, and what happens when the database is down.

        Args:
            route: only routes that contain this text, such as `DELETE /users`.
            without_authentication: only routes that anybody may call.
            cursor: `next` of the page before; 0 for the first page.
            limit: routes of a page, at most 100.
        """

        def asked() -> Any:
            page = map_backend(
                self.hands.workspace,
                route=route,
                without_authentication=without_authentication,
                cursor=cursor,
                limit=limit,
            )
            self.hands.learn(of_operations(page.operations))
            return page

        return self._answer("map_backend", asked)

    def show_route(self, route: str) -> str:
        """One route from the request to the answer: dependency tree, parameters, queries, effects, and findings on its way.

        Args:
            route: such as `GET /orders/{id}`.
        """

        def asked() -> Any:
            page = show_route(self.hands.workspace, route)
            named = {
                f"{each['rule']} {each['file']}:{each['line']}"
                for shown in page.routes
                for each in shown["findings"]
            }
            self.hands.review(only=lambda each: f"{each['rule']} {each['file']}:{each['line']}" in named)
            return page

        return self._answer("show_route", asked)

    def fix(self, path: str = ".", select: list[str] | None = None, contract_change: bool = False) -> str:
        """The safe fixes of what review finds, as a patch. Writes nothing: a person confirms it on the terminal.

        Args:
            path: folder or Python file, relative to the project.
            select: only findings of these categories, topics or rules.
            contract_change: also fixes after which clients see another interface.
        """

        def asked() -> Any:
            patch = fix(
                self.hands.workspace, path, select=tuple(select or ()), contract_change=contract_change
            )
            named = {each.partition(": ")[0] for each in patch.fixed}
            self.hands.review(
                select or (), path, only=lambda each: f"{each['file']}:{each['line']} {each['rule']}" in named
            )
            if patch.patch:
                self.hands.pending.add(
                    Change(kind="fix", path=path, select=tuple(select or ()), breaking=contract_change)
                )
            return patch

        return self._answer("fix", asked)

    def plan_component(self, components: list[str]) -> str:
        """What adding components to the project would change. Writes nothing: a person confirms it on the terminal.

        Args:
            components: names such as accounts, rate_limiting, mail, cache, celery_tasks, outbox, tenancy, uploads.
        """

        def asked() -> Any:
            planned = self.hands.plan(components)
            if planned.plan is not None:
                self.hands.pending.add(Change.of_plan(planned))
            return planned.as_data()

        return self._answer("plan_component", asked)

    def plan_new_service(
        self,
        name: str,
        preset: Literal["minimal", "standard", "saas"] = "standard",
        more: list[str] | None = None,
    ) -> str:
        """A new service in a folder of its own. Writes nothing: a person confirms it on the terminal.

        Args:
            name: of the service, such as bookshop.
            preset: minimal (an API for programs), standard (accounts, cache, limits, background work), saas (organisations).
            more: further components.
        """

        def asked() -> Any:
            change = Change(kind="new", name=name, preset=preset, components=tuple(more or ()))
            self.hands.pending.add(change)
            return {"command": change.command, "preset": preset}

        return self._answer("plan_new_service", asked)

    def _answer(self, name: str, asked: Callable[[], Any]) -> str:
        """What a question answers, as data between marks that nothing in it can close."""
        self.called.append(name)
        try:
            said = asked()
        except (WorkbenchError, BuildError) as error:
            said = {"error": str(error)}
        if dataclasses.is_dataclass(said) and not isinstance(said, type):
            said = dataclasses.asdict(said)
        # Texts are redacted as they are: within JSON within JSON, a quotation mark is not one any more.
        said = self.hands.redaction.redact_all(said)
        text = json.dumps(said, ensure_ascii=False, default=str)
        if len(text) > _ROOM:
            text = json.dumps(
                {"cut": f"{len(text)} characters; ask for less", "beginning": text[:_ROOM]},
                ensure_ascii=False,
            )
        return f"{OPENING}{text.replace('<', chr(92) + 'u003c')}{CLOSING}"
