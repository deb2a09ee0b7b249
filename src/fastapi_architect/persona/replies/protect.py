"""Limits and validation for a route that is there: what is missing on it, and the plan for the limits."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.replies.build import Wish, answer
from fastapi_architect.persona.replies.handlers import with_limit
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.replies.wording import code, detail, findings_table
from fastapi_architect.persona.understanding import LIMIT, VALIDATE, Understood, says

_CHECKED = (
    "validation", "api_design", "login-or-otp-without-throttling", "expensive-public-route-unthrottled", "client-chosen-size-unbounded",
)  # fmt: skip
_OPTIONS = (
    (
        "A counter in Redis for each client",
        "holds for all processes; a window that slides",
        "one round trip to Redis a request",
    ),
    (
        "At the gateway",
        "stops requests before they cost anything",
        "knows addresses, not accounts; lives outside of this code",
    ),
    ("A counter in each process", "no Redis", "the limit is multiplied by the number of processes"),
)


def protect(hands: Hands, understood: Understood) -> Answer:
    """What validation lacks on the routes that are meant, and limits for them as a patch."""
    meant = () if hands.is_empty else locate(understood, hands.operations)
    blocks = [] if hands.is_empty else _validation(hands, understood, meant)
    wants_limit = says(LIMIT, understood.request) or not blocks
    if wants_limit and meant:
        planned = hands.plan(("rate_limiting",))
        module = planned.module_of("rate_limiting")
        for operation in meant[:2] if module else ():
            made = with_limit(hands, operation, module)
            if made:
                blocks.append(
                    "Put the limit on the route, once the component is there:\n\n" + code(made, "diff")
                )
    return answer(
        hands,
        understood,
        Wish(
            what="a limit on how often, and validation of what comes in"
            if wants_limit
            else "validation of what comes in",
            components=("rate_limiting",),
            options=_OPTIONS if wants_limit else (),
            code=tuple(blocks),
            questions=("How many requests a minute does an honest client send?",),
        ),
    )


def _validation(hands: Hands, understood: Understood, meant: tuple[Document, ...]) -> list[str]:
    """Findings about what the routes take in."""
    if not says(VALIDATE, understood.request):
        return []
    routes = {each["route"] for each in meant}
    found = hands.review(_CHECKED, only=lambda each: not meant or bool(routes & set(each["routes"])))
    findings = list(found.findings)
    if not findings:
        return ["Validation: no rule is broken on these routes."]
    parts = ["Validation, as it is today:", *(detail(each, hands) for each in findings[:2])]
    if findings[2:8]:
        parts.append(findings_table(findings[2:8]))
    return parts
