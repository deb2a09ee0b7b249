"""`ask` without a model: the words choose the kind of answer, the workbench says what is true, the checker has the last word."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from fastapi_architect.builder.catalog import load_catalog
from fastapi_architect.persona.answer import Answer, parse, render
from fastapi_architect.persona.checker import check
from fastapi_architect.persona.evidence import Evidence
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.judged import Wrong
from fastapi_architect.persona.pending import Change
from fastapi_architect.persona.replies import (
    cache,
    explain,
    fix,
    models,
    protect,
    review,
    routes,
    slow,
    structure,
    unclear,
    wishes,
)
from fastapi_architect.persona.understanding import Understood, understand
from fastapi_architect.rules.catalog import all_rules
from fastapi_architect.workbench.workspace import Workspace

#: Kind of answer to what gives it. A new kind is a row of the table in `understanding.py` and a line here.
REPLIES: dict[str, Callable[[Hands, Understood], Answer]] = {
    "review": review.answer,
    "slow": slow.answer,
    "cache": cache.answer_cache,
    "registration": wishes.registration,
    "queue": wishes.queue,
    "limits": protect.protect,
    "component": wishes.component,
    "new service": wishes.new_service,
    "models": models.answer,
    "structure": structure.answer,
    "map": routes.answer_map,
    "route": routes.answer_route,
    "explain": explain.answer,
    "fix": fix.answer,
    "unclear": unclear.answer,
}


class Reply(msgspec.Struct, frozen=True):
    """An answer, and how it came about.

    Attributes:
        answer: the six parts.
        understood: what was taken to be asked.
        evidence: what the tools said.
        wrong: promises that it breaks; empty as long as this tool works.
        changes: planned, none of them made.
    """

    answer: Answer
    understood: Understood
    evidence: Evidence
    wrong: tuple[Wrong, ...] = ()
    changes: tuple[Change, ...] = ()


def reply(workspace: Workspace, request: str) -> Reply:
    """Answer a request in plain English, without a model.

    Args:
        workspace: the project; an empty folder is one, too.
        request: such as "review my authentication middleware".

    Raises:
        WorkbenchError: the project's configuration has no meaning; the message names the next step.
    """
    understood = understand(request, all_rules(), [spec.name for spec in load_catalog()])
    hands = Hands(workspace)
    hands.learn(Evidence(request=understood.request))
    answer = parse(render(REPLIES[understood.kind](hands, understood)))  # as a reader would take it apart
    wrong = check(answer, hands.evidence, redaction=hands.redaction)
    return Reply(answer, understood, hands.evidence, tuple(wrong), hands.pending.changes)


def ask(workspace: Workspace, request: str) -> Answer:
    """The answer of `reply` alone.

    Raises:
        WorkbenchError: as `reply`.
    """
    return reply(workspace, request).answer
