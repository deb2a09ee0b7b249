"""Fix what a review finds: the safe fixes as a patch, and nothing written."""

from __future__ import annotations

from fastapi_architect.persona.answer import Answer
from fastapi_architect.persona.hands import Hands
from fastapi_architect.persona.pending import Change
from fastapi_architect.persona.replies.nothing_here import nothing_to_review
from fastapi_architect.persona.replies.review import found_text
from fastapi_architect.persona.replies.wording import commands, counted
from fastapi_architect.persona.understanding import Understood
from fastapi_architect.report.explain import fenced

_ROOM = 4_000


def answer(hands: Hands, understood: Understood) -> Answer:
    """The patch of what can be fixed by machine, and the gravest of what cannot."""
    if hands.is_empty:
        return nothing_to_review(hands, understood)
    select = understood.rules or understood.topics
    found = hands.review(select)
    patch = hands.fix(select=select)
    if patch.patch:
        hands.pending.add(Change(kind="fix", select=tuple(select)))
    shown = patch.patch if len(patch.patch) <= _ROOM and not hands.redaction.kinds_in(patch.patch) else ""
    options = "".join(f" --rule {name}" for name in understood.rules)
    by_hand = [f for f in found.findings if not (f.get("fix") or {}).get("safe")]
    parts = [found_text(tuple(by_hand), hands, detailed=2)] if by_hand else []
    if shown:
        parts.append("The safe fixes as a patch:\n\n" + fenced(shown.rstrip("\n"), "diff"))
    parts.append(commands(f"architect fix{options} --dry-run", f"architect fix{options}"))
    more = "; ".join(
        f"{number} more with `--{name.replace('_', '-')}`" for name, number in patch.more.items() if number
    )
    return Answer(
        context=f"{counted(len(found.findings), 'finding')}; {len(patch.fixed)} can be fixed safely by machine, each reviewed again. "
        f"Nothing was written.",
        approach="Safe fixes first, as one patch; the others one at a time by hand, security first.",
        implementation="\n\n".join(parts),
        validation="Done when the review is clean under the gate and the project's tests pass.\n\n"
        + commands("architect review"),
        considerations=(f"Left for your decision: {more}. " if more else "")
        + "A fix that changes the contract is made only with `--allow-contract-change`: clients see another interface.",
        follow_ups=("Shall the patch be applied? `architect fix` does, and reviews again.",),
    )
