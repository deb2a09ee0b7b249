"""What people ask to have built, as wishes: which components it takes, which ways there are, what has to be asked."""

from __future__ import annotations

import re

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.build import Wish, answer, begin
from fastapi_architect.persona.replies.endpoint_code import accounts_endpoint, task_endpoints
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.understanding import LIMIT, Understood, says

#: Ways to let people in; the first is what the component does.
_SIGNING_IN = (
    (
        "Short-lived access tokens, rotating refresh tokens",
        "works for browsers, apps and programs; a stolen refresh token is noticed",
        "clients have to refresh",
    ),
    (
        "Cookie sessions in Redis",
        "ended at once; scripts cannot read it",
        "one website; needs a defence against forged requests",
    ),
    ("An OpenID provider", "no passwords here; single sign-on", "depends on the provider; costs per user"),
)
_QUEUES = (
    (
        "Celery with a transactional outbox",
        "a message is committed with the row it is about and done at least once",
        "Redis or RabbitMQ, and a worker to run",
    ),
    (
        "A table in PostgreSQL that workers poll",
        "no broker; one transaction for everything",
        "seconds of delay; load on the database; one database for all services",
    ),
    (
        "A log such as Kafka",
        "many services read the same events, again if they must",
        "a cluster to run; ordering and schemas become contracts",
    ),
)


_BY_ITSELF = (
    "The endpoint in this project's own way, without `accounts`; the limit on it needs `rate_limiting`. It keeps a hash of the "
    "password (`pip install argon2-cffi "
    "email-validator`), refuses what it does not know, and answers 409 for what is taken:"
)


def registration(hands: Hands, understood: Understood) -> Answer:
    """Accounts: registration, verification by mail, rate limits; the endpoint as code where the component cannot come in."""
    names = ("accounts", "rate_limiting", "mail")
    blocks: list[str] = []
    if not hands.is_empty and "accounts" in (planned := hands.plan(names)).refused:
        path = understood.path or "/registrations"
        taken = (
            any("POST" in o["methods"] for o in locate(understood, hands.operations))
            if understood.path
            else False
        )
        endpoint = "" if taken else accounts_endpoint(hands, path, planned.module_of("rate_limiting"))
        if endpoint:
            blocks = [_BY_ITSELF, endpoint]
    return answer(
        hands,
        understood,
        Wish(
            what="registration of users with e-mail, password and verification, and limits on how often",
            components=names,
            code=tuple(blocks),
            options=_SIGNING_IN,
            decision=("authentication strategy", "How people sign in"),
            questions=("Who may register: anybody, or people with an invitation?",),
        ),
    )


def queue(hands: Hands, understood: Understood) -> Answer:
    """Background work, within one service or between several."""
    names = ("outbox", "celery_tasks")
    noun = _noun(understood)
    blocks: list[str] = []
    if noun and not hands.is_empty:
        planned = hands.plan(names)
        blocks = task_endpoints(hands, noun, planned.module_of("celery_tasks"), planned.module_of("outbox"))
        if blocks:
            blocks.insert(
                0,
                "The endpoint and its task, once the components are there; include the router in the application:",
            )
    across = says(
        r"services|across|between|microservices?|events?|kafka|rabbitmq|pub/?sub", understood.request
    )
    return answer(
        hands,
        understood,
        Wish(
            what="messages between services that are not lost"
            if across
            else "work that goes on after the answer, with an id to ask for it",
            components=names,
            code=tuple(blocks),
            options=_QUEUES,
            decision=(
                "framework",
                "How services tell each other what happened" if across else "Where background work runs",
            ),
            questions=(
                ("How many services read one event, and must they see old ones again?",)
                if across
                else ("How long may the work take, and who may see its result?",)
            ),
        ),
    )


def _noun(understood: Understood) -> str:
    """What an endpoint is asked for: "scan" of "a scan endpoint", or of `POST /scans`; "" where none is."""
    found = re.search(r"\b([a-z]+) (?:endpoint|route|api)\b", understood.request, re.IGNORECASE)
    path = [part for part in understood.path.strip("/").split("/") if part.isidentifier()]
    word = found[1].lower() if found else path[-1].lower() if path else ""
    word = word.removesuffix("s")
    return (
        word
        if word.isidentifier()
        and word not in ("an", "the", "new", "post", "async", "background", "task", "job")
        else ""
    )


def component(hands: Hands, understood: Understood) -> Answer:
    """Components that were named."""
    names = understood.components
    if says(LIMIT, understood.request):
        names = ("rate_limiting", *names)
    names = tuple(dict.fromkeys(names))
    return answer(
        hands,
        understood,
        Wish(what=f"{', '.join(name.replace('_', ' ') for name in names)}", components=names),
    )


def new_service(hands: Hands, understood: Understood) -> Answer:
    """A new service."""
    names = tuple(name for name in understood.components if name != "redis_pool") or ("database",)
    wish = Wish(
        what="a new service with a pooled PostgreSQL"
        if says(r"postgres\w*|database|pool\w*", understood.request)
        else "a new service",
        components=tuple(dict.fromkeys(("database", *names))),
        decision=("framework", "Framework and database of the service"),
    )
    return begin(hands, wish)
