"""Which routes are there, who may call them, and what does one of them do?"""

from __future__ import annotations

import re

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.replies.nothing_here import nothing_to_review
from fastapi_architect.persona.replies.review import found_text
from fastapi_architect.persona.replies.wording import commands, counted, line, routes_table, table
from fastapi_architect.persona.understanding import Understood

_SHOWN = 25
_OPEN = ("none", "optional")
_PUBLIC = re.compile(
    r"public|open|unprotected|unauthenticated|without (?:auth\w*|log-?in)|anybody|anyone|everybody",
    re.IGNORECASE,
)


def answer_map(hands: Hands, understood: Understood) -> Answer:
    """The authorisation matrix of the routes that are asked about."""
    if hands.is_empty:
        return nothing_to_review(hands, understood)
    only_open = _PUBLIC.search(understood.request) is not None
    meant = locate(understood, hands.operations) if not only_open else ()
    shown = [o for o in meant or hands.operations if not only_open or o["access"] in _OPEN]
    open_ones = [o for o in hands.operations if o["access"] in _OPEN]
    writing = [o for o in open_ones if o["writes"]]
    text = routes_table(shown[:_SHOWN]) if shown else "No such route."
    if len(shown) > _SHOWN:
        text += f"\n\n{counted(len(shown) - _SHOWN, 'further route')}: `architect map`."
    return Answer(
        context=f"{counted(len(hands.operations), 'route')} in {', '.join(f'`{line(a)}`' for a in hands.map.applications)}; "
        f"{len(open_ones)} ask nobody to sign in, {len(writing)} of these change data.",
        approach="Read from the code: routers as they are included, dependencies and middleware in the order in which they run.",
        implementation=text,
        validation="The application itself says the same: compare with its `/openapi.json`.\n\n"
        + commands("architect map", "architect map --format html -o map.html"),
        considerations=_unresolved(hands),
        follow_ups=("Shall I review who is let in? Ask: review my authentication.",),
    )


def answer_route(hands: Hands, understood: Understood) -> Answer:
    """One route with its inputs, guards, tables and findings."""
    meant = locate(understood, hands.operations)
    if not meant:
        return answer_map(hands, understood)
    names = {each["route"] for each in meant}
    found = hands.review(only=lambda each: bool(names & set(each["routes"])))
    return Answer(
        context=f"`{line(meant[0]['route'])}` is served by `{line(meant[0]['handler'])}` at `{line(meant[0]['file'])}:{meant[0]['line']}`; "
        f"{counted(len(found.findings), 'finding')} on {'it' if len(meant) == 1 else f'these {len(meant)} routes'}.",
        approach="What a client may send, who is let in, what is touched, and what happens when something is down.",
        implementation="\n\n".join(
            [
                *([found_text(found.findings, hands, detailed=1)] if found.findings else []),
                *(_facts(o) for o in meant[:3]),
            ]
        ),
        validation=commands(f"architect show {_shell(meant[0]['route'])}"),
        considerations=_unresolved(hands),
        follow_ups=(
            "Is it slow, open to the wrong people, or missing something? Say which, and I look closer.",
        ),
    )


def _facts(operation: Document) -> str:
    rows = (
        ("route", f"`{line(operation['route']).replace('|', chr(92) + '|')}`"),
        ("access", line(operation["access"])),
        ("guards", ", ".join(f"`{line(g)}`" for g in operation["guards"]) or "none"),
        ("inputs", line(", ".join(operation["inputs"]) or "none", 200)),
        ("tables", line(", ".join(operation["tables"]) or "none", 200)),
        ("statements", f"{operation['queries']} in its code, {operation['writes']} writes"),
        ("outbound calls", line(", ".join(operation["outbound"]) or "none", 200)),
        ("database down", line(operation["when_database_is_down"])),
        ("Redis down", line(operation["when_redis_is_down"])),
    )
    return table(("What", "Read in the code"), rows)


def _unresolved(hands: Hands) -> str:
    if hands.map.unresolved:
        return (
            f"Not followed, so that routes may be missing: {line('; '.join(hands.map.unresolved[:3]), 240)}."
        )
    return "Every router was followed. A gateway in front is not seen unless the configuration names it."


def _shell(route: str) -> str:
    import shlex

    return shlex.quote(line(route))
