"""There is no application in the folder: what can be done from here."""

from __future__ import annotations

import re

from fastapi_architect.builder.errors import BuildError
from fastapi_architect.builder.naming import project_name
from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.replies.wording import commands, line
from fastapi_architect.persona.understanding import Understood


def nothing_to_review(hands: Hands, understood: Understood) -> Answer:
    """Says so, and names both ways on."""
    return Answer(
        context=f"Asked: “{line(understood.request, 200)}”. In `{line(hands.workspace.root.name)}` there is no FastAPI application.",
        approach="Nothing is guessed: name the folder that holds the application, or begin a new one.",
        implementation=commands(
            'architect ask --path path/to/backend "..."', f"architect new {name_for(hands)} --preset standard"
        ),
        validation=commands("architect map path/to/backend"),
        considerations="Routers without their application are reviewed, too, but without the prefixes and guards that it adds.",
        follow_ups=("Where is the application?",),
    )


def name_for(hands: Hands) -> str:
    """A name for a new project: the folder's, where it makes one."""
    text = re.sub(r"[^a-z0-9-]+", "-", hands.workspace.root.name.lower()).strip("-")
    try:
        return project_name(text).distribution
    except BuildError:
        return "my-service"
