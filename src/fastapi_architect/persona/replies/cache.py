"""A cache for a route that is there: first what makes it slow, then who may see what is kept, then the patch."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Document, Hands
from fastapi_architect.persona.replies.build import Wish, answer
from fastapi_architect.persona.replies.cached_handler import cached
from fastapi_architect.persona.replies.locating import locate
from fastapi_architect.persona.replies.slow import findings_on
from fastapi_architect.persona.replies.wording import code, detail, line
from fastapi_architect.persona.understanding import Understood

_OPTIONS = (
    (
        "Values in Redis, deleted when they change",
        "the work is done once for all who ask together; holds for all processes",
        "every writer has to delete; Redis to run",
    ),
    (
        "`Cache-Control` and `ETag`",
        "nothing to run; browsers and proxies answer",
        "clients see old answers for as long as you said",
    ),
    ("Fix the statements, no cache", "always fresh, less code", "reads still cost what they cost"),
)


def answer_cache(hands: Hands, understood: Understood) -> Answer:
    """The plan of a cache, after what should be mended first."""
    if hands.is_empty:
        return answer(
            hands, understood, Wish(what="a cache in Redis", components=("cache",), options=_OPTIONS)
        )
    meant = locate(understood, hands.operations)
    readers = [o for o in meant if "GET" in o["methods"]]
    blocks: list[str] = []
    if readers:
        costly = [f for f in findings_on(hands, tuple(readers)) if f["category"] != "security"]
        if costly:
            blocks.append("Before anything is cached, mend what makes it slow:")
            blocks += [detail(each, hands) for each in costly[:2]]
        blocks += _patch(hands, readers[0])
    return answer(
        hands,
        understood,
        Wish(
            what=f"a cache for `{line(readers[0]['route'], 80)}`" if readers else "a cache in Redis",
            components=("cache",),
            options=_OPTIONS,
            code=tuple(blocks),
            questions=(
                "How old may an answer be?"
                if readers
                else "Which route shall be cached? Name it as `GET /path`.",
                "Who changes what it shows?",
            ),
        ),
    )


def _patch(hands: Hands, operation: Document) -> list[str]:
    planned = hands.plan(("cache",))
    module = planned.module_of("cache")
    if not module:
        return []
    if operation["access"] not in ("none", "optional"):
        whose = (
            "what is kept belongs to one caller. The key has to say whose it is, `principal=` or `tenant=`; a shared key would "
            "show one person's rows to another."
        )
        return [
            f"`{line(operation['route'], 80)}` asks for a login (access: {line(operation['access'])}): {whose}"
        ]
    made = cached(hands, operation, module)
    writers = [o for o in hands.operations if set(o["tables"]) & set(operation["tables"]) and o["writes"]]
    said = ["The route with the cache, once the component is there:\n\n" + code(made, "diff")] if made else []
    if writers:
        names = ", ".join(f"`{line(o['route'], 60)}`" for o in writers[:4])
        said.append(f"These change the same tables and have to delete the value after their commit: {names}.")
    return said
