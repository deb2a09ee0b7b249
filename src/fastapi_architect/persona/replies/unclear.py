"""The request was not understood: what was, and what can be asked. Nothing is guessed."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.wording import commands, line, table
from fastapi_architect.persona.understanding import Understood

#: What can be asked without a model: what it does, and an example.
CAN = (
    ("review everything, a topic or a file", "review my authentication middleware"),
    ("find what makes a route slow", "my order listing is slow"),
    (
        "plan a component or an endpoint",
        "add a registration endpoint with e-mail verification and rate limits",
    ),
    ("plan background work between services", "I need a queue across services"),
    ("structure a service, or begin one", "how should I structure a multi-tenant SaaS?"),
    ("list routes with their guards, or show one", "which routes are public?"),
    ("explain a rule", "explain sql-injection-raw-statement"),
)


def answer(hands: Hands, understood: Understood) -> Answer:
    """What was understood, and the list."""
    known = ", ".join(f"“{word}”" for word in understood.words[:6])
    size = (
        f"The project has {len(hands.operations)} routes."
        if not hands.is_empty
        else "There is no application in this folder."
    )
    return Answer(
        context=f"Asked: “{line(understood.request, 200)}”. "
        f"{f'Of the words, {known} name something, but not' if known else 'No word names'} "
        f"what to do. {size}",
        approach="Nothing is guessed. Without a model these requests are understood; with `--model` any other is, too.",
        implementation=table(("I can", "For example"), ((what, f"“{example}”") for what, example in CAN)),
        validation=commands(f'architect ask "{CAN[0][1]}"'),
        considerations="A wrong guess would cost you more than this question.",
        follow_ups=("What shall I do: review, find what is slow, plan something new, or explain?",),
    )
