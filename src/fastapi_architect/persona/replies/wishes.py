"""What people ask to have built, as wishes: which components it takes, which ways there are, what has to be asked."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.build import Wish, answer, begin
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


def registration(hands: Hands, understood: Understood) -> Answer:
    """Accounts: registration, verification by mail, rate limits."""
    return answer(
        hands,
        understood,
        Wish(
            what="registration of users with e-mail, password and verification, and limits on how often",
            components=("accounts", "rate_limiting", "mail"),
            options=_SIGNING_IN,
            decision="how people sign in",
            questions=("Who may register: anybody, or people with an invitation?",),
        ),
    )


def queue(hands: Hands, understood: Understood) -> Answer:
    """Background work, within one service or between several."""
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
            components=("outbox", "celery_tasks"),
            options=_QUEUES,
            decision="how services tell each other what happened" if across else "where background work runs",
            questions=(
                ("How many services read one event, and must they see old ones again?",)
                if across
                else ("How long may the work take, and who may see its result?",)
            ),
        ),
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
        decision="the framework and the database of the service",
    )
    return begin(hands, wish)
